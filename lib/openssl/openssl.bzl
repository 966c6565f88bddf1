"""OpenSSL as static libraries, built from the source that the openssl-src crate carries (pinned by Cargo.lock)."""

load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain", "use_cpp_toolchain")

# libssl needs libcrypto: the linker is given them in this order.
_LIBRARIES = ["libssl.a", "libcrypto.a"]

def _openssl_impl(ctx):
    cc = find_cpp_toolchain(ctx)
    folder = ctx.actions.declare_directory(ctx.label.name)
    libraries = [ctx.actions.declare_file(name) for name in _LIBRARIES]
    configure = [f for f in ctx.files.source if f.path.endswith("/openssl/Configure")][0]
    ctx.actions.run(
        executable = ctx.file._busybox,
        arguments = [
            "sh",
            ctx.file._script.path,
            configure.dirname,
            ctx.file._busybox.dirname + "/../../bin",
            cc.compiler_executable.rpartition("/")[0],
            folder.path,
            libraries[0].dirname,
        ] + ctx.attr.options,
        inputs = depset(
            [ctx.file._script] + ctx.files.source + ctx.files._tools,
            transitive = [cc.all_files],
        ),
        outputs = [folder] + libraries,
        mnemonic = "OpenSsl",
        progress_message = "Building OpenSSL (about two minutes)",
        env = {"LC_ALL": "C"},
        resource_set = _two_cores,
    )
    features = cc_common.configure_features(ctx = ctx, cc_toolchain = cc)
    return [
        DefaultInfo(files = depset([folder])),
        CcInfo(
            compilation_context = cc_common.create_compilation_context(
                headers = depset([folder]),
                system_includes = depset([folder.path + "/include"]),
            ),
            linking_context = cc_common.create_linking_context(linker_inputs = depset([
                cc_common.create_linker_input(
                    owner = ctx.label,
                    libraries = depset([
                        cc_common.create_library_to_link(
                            actions = ctx.actions,
                            cc_toolchain = cc,
                            feature_configuration = features,
                            pic_static_library = library,
                            static_library = library,
                        )
                        for library in libraries
                    ]),
                ),
            ])),
        ),
    ]

def _two_cores(_os, _inputs):
    return {"cpu": 2}

openssl = rule(
    implementation = _openssl_impl,
    doc = "A folder with include/, for the build script of openssl-sys; headers and libraries for what depends on it.",
    attrs = {
        "options": attr.string_list(doc = "Arguments of OpenSSL's Configure."),
        "source": attr.label(mandatory = True),
        "_busybox": attr.label(allow_single_file = True, default = "@openssl_build_tools//:busybox/bin/busybox"),
        "_script": attr.label(allow_single_file = True, default = ":build.sh"),
        "_tools": attr.label(default = "@openssl_build_tools//:all"),
    },
    fragments = ["cpp"],
    provides = [CcInfo],
    toolchains = use_cpp_toolchain(),
)
