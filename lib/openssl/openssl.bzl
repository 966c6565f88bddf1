"""OpenSSL as static libraries, built from the source that the openssl-src crate carries (pinned by Cargo.lock)."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain", "use_cpp_toolchain")

def _openssl_impl(ctx):
    cc = find_cpp_toolchain(ctx)
    out = ctx.actions.declare_directory(ctx.label.name)
    configure = [f for f in ctx.files.source if f.path.endswith("/openssl/Configure")][0]
    ctx.actions.run(
        executable = ctx.file._busybox,
        arguments = [
            "sh",
            ctx.file._script.path,
            configure.dirname,
            ctx.file._busybox.dirname + "/../../bin",
            cc.compiler_executable.rpartition("/")[0],
            out.path,
        ] + ctx.attr.options,
        inputs = depset(
            [ctx.file._script] + ctx.files.source + ctx.files._tools,
            transitive = [cc.all_files],
        ),
        outputs = [out],
        mnemonic = "OpenSsl",
        progress_message = "Building OpenSSL (about two minutes)",
        env = {"LC_ALL": "C"},
        resource_set = _two_cores,
    )
    return [DefaultInfo(files = depset([out]))]

def _two_cores(_os, _inputs):
    return {"cpu": 2}

openssl = rule(
    implementation = _openssl_impl,
    doc = "A folder with lib/libssl.a, lib/libcrypto.a and include/.",
    attrs = {
        "options": attr.string_list(doc = "Arguments of OpenSSL's Configure."),
        "source": attr.label(mandatory = True),
        "_busybox": attr.label(allow_single_file = True, default = "@openssl_build_tools//:busybox/bin/busybox"),
        "_script": attr.label(allow_single_file = True, default = ":build.sh"),
        "_tools": attr.label(default = "@openssl_build_tools//:all"),
    },
    toolchains = use_cpp_toolchain(),
)
