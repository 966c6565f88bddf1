"""Perl, make and a shell to build OpenSSL with: Debian 12's packages, pinned by SHA-256, so that the host's play no part."""

load("//images/toolchain/cc:debian.bzl", "unpack_deb")

_PACKAGES = {
    "busybox": (
        "pool/main/b/busybox/busybox-static_1.35.0-4+deb12u1+b1_amd64.deb",
        "3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744",
    ),
    "libc": (
        "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
        "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
    ),
    "libcrypt": (
        "pool/main/libx/libxcrypt/libcrypt1_4.4.33-2_amd64.deb",
        "f5f60a5cdfd4e4eaa9438ade5078a57741a7a78d659fcb0c701204f523e8bd29",
    ),
    "make": (
        "pool/main/m/make-dfsg/make_4.3-4.1_amd64.deb",
        "a1a83af8cbd854af887b72ad196b1f4af58387815e21ced1000253a116a46e2a",
    ),
    "perl": (
        "pool/main/p/perl/perl-base_5.36.0-7+deb12u3_amd64.deb",
        "8ec874926e211807cde71e1b0a2311d2534ab3539dffcb2c8553633f542efc1a",
    ),
    "perl-lib": (
        "pool/main/p/perl/libperl5.36_5.36.0-7+deb12u3_amd64.deb",
        "591903643119c7e1735011369287976eccab1d79b1d2f210760e2138d0a3aa46",
    ),
    "perl-modules": (
        "pool/main/p/perl/perl-modules-5.36_5.36.0-7+deb12u3_all.deb",
        "3d237ccb1ea32727b6573d43c67d78337aa928a81148d36cef54b369a07c240a",
    ),
}

# Each program runs on the loader and C library of its own package; $root is where this repository lies.
_RUN = """#!/bin/sh
root=${{0%/*}}/..
exec "$root/libc/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" \\
  --library-path "$root/libc/lib/x86_64-linux-gnu:$root/libcrypt/lib/x86_64-linux-gnu" "$root/{program}" "$@"
"""

# What OpenSSL's Makefile calls besides perl, make and the compiler.
_APPLETS = ["cat", "chmod", "cmp", "cp", "echo", "env", "false", "ln", "ls", "mkdir", "mv", "rm", "sed", "sh", "test", "touch", "tr", "true", "uname"]

def _openssl_build_tools_impl(rctx):
    for name, (path, sha256) in _PACKAGES.items():
        unpack_deb(rctx, path, sha256, name)
    for unused in ["busybox/usr", "libc/usr", "make/usr/share", "perl/usr/share/doc", "perl-lib/usr/share/doc", "perl-modules/usr/share/doc"]:
        rctx.delete(unused)
    rctx.file("bin/perl", _RUN.format(program = "perl/usr/bin/perl"), executable = True)

    # Scripts that start perl again ask it for its own name, and get that of the loader.
    rctx.file("bin/ByName.pm", "package ByName; $^X = 'perl'; 1;\n", executable = False)
    rctx.file("bin/make", _RUN.format(program = "make/usr/bin/make"), executable = True)
    for applet in _APPLETS:
        rctx.file("bin/" + applet, "#!/bin/sh\nexec \"${0%/*}/../busybox/bin/busybox\" " + applet + " \"$@\"\n", executable = True)
    rctx.file("BUILD.bazel", """
filegroup(
    name = "all",
    srcs = {},
    visibility = ["//visibility:public"],
)

exports_files(["busybox/bin/busybox"])
""".format(["bin", "busybox/bin/busybox"] + sorted([name for name in _PACKAGES if name != "busybox"])))

_openssl_build_tools = repository_rule(
    implementation = _openssl_build_tools_impl,
    environ = ["MCBN_DEBIAN_MIRROR"],
)

def _extension_impl(module_ctx):
    _openssl_build_tools(name = "openssl_build_tools")
    return module_ctx.extension_metadata(reproducible = True)

openssl_build_tools = module_extension(implementation = _extension_impl)
