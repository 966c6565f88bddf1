"""How this project's crates are built: one macro a kind, and everything else read from the crate's Cargo.toml."""

load("@crates//:defs.bzl", "aliases", "all_crate_deps")
load("@rules_rust//rust:defs.bzl", "rust_binary", "rust_library", "rust_test")

_EDITION = "2024"

def _unit_tests(crate, data, size):
    rust_test(
        name = crate + "_test",
        size = size,
        aliases = aliases(
            normal_dev = True,
            proc_macro_dev = True,
        ),
        crate = ":" + crate,
        data = data,
        edition = _EDITION,
        proc_macro_deps = all_crate_deps(proc_macro_dev = True),
        deps = all_crate_deps(normal_dev = True),
    )

def mcbn_library(name, deps = [], crate_features = [], compile_data = [], test_data = [], test_size = "medium", tests = True, **kwargs):
    """A library crate and its unit tests, `<name>_test`.

    Args:
        name: the folder's name; the crate is `mcbn_<name>`.
        deps: this project's own crates that it links; those of others stand in Cargo.toml.
        crate_features: Cargo features that are switched on.
        compile_data: files that the source includes.
        test_data: files that the tests read.
        test_size: Bazel's size of the tests.
        tests: False for a crate that has none.
        **kwargs: passed to rust_library.
    """
    rust_library(
        name = name,
        srcs = native.glob(["src/**/*.rs"]),
        aliases = aliases(),
        compile_data = compile_data,
        crate_features = crate_features,
        crate_name = "mcbn_" + name.replace("-", "_"),
        edition = _EDITION,
        proc_macro_deps = all_crate_deps(proc_macro = True),
        version = native.module_version(),
        deps = all_crate_deps(normal = True) + deps,
        **kwargs
    )
    if tests:
        _unit_tests(name, test_data, test_size)

def mcbn_program(name, deps = [], crate_features = [], compile_data = [], test_data = [], test_size = "medium", tests = True, **kwargs):
    """A program and its unit tests, `<name>_test`; the arguments are those of mcbn_library."""
    rust_binary(
        name = name,
        srcs = native.glob(["src/**/*.rs"]),
        aliases = aliases(),
        compile_data = compile_data,
        crate_features = crate_features,
        edition = _EDITION,
        proc_macro_deps = all_crate_deps(proc_macro = True),
        version = native.module_version(),
        deps = all_crate_deps(normal = True) + deps,
        **kwargs
    )
    if tests:
        _unit_tests(name, test_data, test_size)

def mcbn_integration_test(name, srcs = None, deps = [], data = [], env = {}, **kwargs):
    """A test crate of its own: one file of tests, or `tests/<name>.rs`, with the crate's dependencies and dev-dependencies."""
    rust_test(
        name = name,
        srcs = srcs or ["tests/{}.rs".format(name)],
        aliases = aliases(
            normal = True,
            normal_dev = True,
            proc_macro = True,
            proc_macro_dev = True,
        ),
        data = data,
        edition = _EDITION,
        env = env,
        proc_macro_deps = all_crate_deps(
            proc_macro = True,
            proc_macro_dev = True,
        ),
        version = native.module_version(),
        deps = all_crate_deps(
            normal = True,
            normal_dev = True,
        ) + deps,
        **kwargs
    )
