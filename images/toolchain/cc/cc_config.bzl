"""What Bazel's C rules must know of zig."""

load("@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl", "feature", "tool_path")

def _zig_cc_config_impl(ctx):
    # Nothing calls the tools that are `false`; Bazel wants a name for each.
    tools = {
        "ar": "bin/ar",
        "cpp": "bin/cc",
        "gcc": "bin/cc",
        "gcov": "/bin/false",
        "ld": "bin/cc",
        "nm": "/bin/false",
        "objcopy": "/bin/false",
        "objdump": "/bin/false",
        "strip": "/bin/false",
    }
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "zig-linux-x86_64",
        target_system_name = "x86_64-linux-gnu",
        target_cpu = "k8",
        target_libc = "glibc",
        compiler = "clang",
        features = [
            feature(name = "supports_dynamic_linker", enabled = True),
            feature(name = "supports_pic", enabled = True),
        ],
        cxx_builtin_include_directories = ["%package(//)%/ziglang/lib"],
        tool_paths = [tool_path(name = name, path = path) for name, path in tools.items()],
    )

zig_cc_config = rule(
    implementation = _zig_cc_config_impl,
    provides = [CcToolchainConfigInfo],
)
