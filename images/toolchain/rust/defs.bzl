"""How this project's crates are built: one macro a kind of crate, and everything else read from its Cargo.toml.

As for cargo, `src/` is the crate, `tests/*.rs` are one test program each, and `testdata/` is what either may include.
"""

load("@crates//:defs.bzl", "aliases", "all_crate_deps")
load("@rules_rust//rust:defs.bzl", "rust_binary", "rust_library", "rust_test")
load("//images:workloads.bzl", "WORKLOADS")

_EDITION = "2024"

# Who may link a library crate. Dependencies run one way: images -> workloads -> lib, participant -> lib, tests -> all.
_LIBRARY_USERS = [
    "//lib:__subpackages__",
    "//participant:__subpackages__",
    "//tests:__subpackages__",
    "//workloads:__subpackages__",
]

_PROGRAM_USERS = [
    "//images:__subpackages__",
    "//tests:__subpackages__",
]

def _crate(rule, name, deps, **kwargs):
    rule(
        name = name,
        srcs = native.glob(["src/**/*.rs"]),
        aliases = aliases(),
        compile_data = native.glob(
            ["testdata/**"],
            allow_empty = True,
        ),
        edition = _EDITION,
        proc_macro_deps = all_crate_deps(proc_macro = True),
        version = native.module_version(),
        deps = all_crate_deps(normal = True) + deps,
        **kwargs
    )

def _tests(name, deps, programs, data, env, harness, tags):
    """`<name>_test` runs the crate's unit tests, `<name>_<file>_test` each file of `tests/`."""
    rust_test(
        name = name + "_test",
        size = "medium",
        aliases = aliases(
            normal_dev = True,
            proc_macro_dev = True,
        ),
        crate = ":" + name,
        data = data,
        edition = _EDITION,
        env = env,
        proc_macro_deps = all_crate_deps(proc_macro_dev = True),
        tags = tags,
        deps = all_crate_deps(normal_dev = True),
    )
    for path in native.glob(
        ["tests/*.rs"],
        allow_empty = True,
    ):
        stem = path.removeprefix("tests/").removesuffix(".rs")
        rust_test(
            name = "{}_{}_test".format(name, stem),
            size = "medium",
            srcs = [path] + native.glob(
                ["tests/*/**/*.rs"],
                allow_empty = True,
            ),
            aliases = aliases(
                normal = True,
                normal_dev = True,
                proc_macro = True,
                proc_macro_dev = True,
            ),
            compile_data = native.glob(
                ["testdata/**"],
                allow_empty = True,
            ),
            crate_name = stem + "_test",
            crate_root = path,
            data = data + programs,
            edition = _EDITION,
            env = env,
            proc_macro_deps = all_crate_deps(
                proc_macro = True,
                proc_macro_dev = True,
            ),
            # Where cargo says it too: the path of each program of the crate, from the folder in which a test starts.
            rustc_env = {
                "CARGO_BIN_EXE_" + program.removeprefix(":"): "$(rootpath {})".format(program)
                for program in programs
            },
            tags = tags,
            use_libtest_harness = stem not in harness,
            version = native.module_version(),
            deps = all_crate_deps(
                normal = True,
                normal_dev = True,
            ) + deps,
        )

def mcbn_library(name, deps = [], programs = [], test_data = [], test_env = {}, test_tags = [], own_harness = [], visibility = _LIBRARY_USERS, **kwargs):
    """A library crate, `mcbn_<name>`, and its tests.

    Args:
        name: the folder's name.
        deps: this project's own crates that it links; those of others stand in its Cargo.toml.
        programs: of the same crate, for its tests.
        test_data: files that the tests read while they run.
        test_env: variables of the tests.
        test_tags: Bazel tags of the tests.
        own_harness: files of `tests/`, without `.rs`, that bring their own main.
        visibility: who may link it.
        **kwargs: passed to rust_library.
    """
    _crate(rust_library, name, deps, crate_name = "mcbn_" + name.replace("-", "_"), visibility = visibility, **kwargs)
    _tests(name, deps + [":" + name], programs, test_data, test_env, own_harness, test_tags)

def mcbn_program(name, deps = [], test_data = [], test_env = {}, test_tags = [], own_harness = [], visibility = _PROGRAM_USERS, **kwargs):
    """A program and its tests; the arguments are those of mcbn_library."""
    _crate(rust_binary, name, deps, visibility = visibility, **kwargs)
    _tests(name, deps, [":" + name], test_data, test_env, own_harness, test_tags)

def handed_over(images = False, participant = False):
    """What is built here and run by tests: a struct of `data`, and `env`, whose variables are lists of NAME=PATH.

    Args:
        images: whether `IMAGES` has every image's layout, beside every workload's program in `WORKLOADS`.
        participant: whether `PARTICIPANT` has the participants' program.
    """
    built = {"WORKLOADS": {workload: "//workloads/" + workload for workload in WORKLOADS}}
    if images:
        built["IMAGES"] = {workload: "//images:" + workload for workload in WORKLOADS}
    if participant:
        built["PARTICIPANT"] = {"mcbn": "//participant:mcbn"}
    return struct(
        data = [label for labels in built.values() for label in labels.values()],
        env = {
            variable: " ".join(["{}=$(rootpath {})".format(name, label) for name, label in labels.items()])
            for variable, labels in built.items()
        },
    )

def mcbn_tests(name, deps = [], images = False, participant = False, test_data = [], test_env = {}, test_tags = [], **kwargs):
    """Tests of built programs: `src/` is what they share, as the crate `mcbn_tests_<name>`, and `tests/*.rs` are the tests.

    Each is told in the variable `WORKLOADS` where every workload's program is.

    Args:
        name: the folder's name.
        deps: this project's own crates that it links.
        images: whether the variable `IMAGES` says where every image's layout is, too.
        participant: whether the variable `PARTICIPANT` says where the participants' program is, too.
        test_data: files that the tests read while they run.
        test_env: variables of the tests.
        test_tags: Bazel tags of the tests.
        **kwargs: passed to rust_library.
    """
    built = handed_over(images = images, participant = participant)
    _crate(
        rust_library,
        name,
        deps,
        crate_name = "mcbn_tests_" + name.replace("-", "_"),
        testonly = True,
        visibility = ["//tests:__subpackages__"],
        **kwargs
    )
    _tests(
        name,
        deps = deps + [":" + name],
        programs = [],
        data = built.data + test_data + native.glob(
            ["testdata/**"],
            allow_empty = True,
        ),
        env = built.env | test_env,
        harness = [],
        tags = test_tags,
    )
