"""The C compiler and linker: zig (clang and lld) from its wheel, with Debian 12's static glibc."""

load(":debian.bzl", "unpack_deb")
load(":pip.bzl", "pip")

# What programs are linked with: start files, libc.a and the shared glibc, gcc's start files and unwinder. zig could build
# stubs of glibc, but no libc.a, and what it builds holds the time and place of its making.
PACKAGES = {
    "libc": (
        "pool/main/g/glibc/libc6_2.36-9+deb12u14_amd64.deb",
        "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf",
    ),
    "libc-dev": (
        "pool/main/g/glibc/libc6-dev_2.36-9+deb12u14_amd64.deb",
        "0218fc2befcd784c1b0c6292c0a137ce89fad054efaa579ad083bee0f2c01aae",
    ),
    "libgcc-dev": (
        "pool/main/g/gcc-12/libgcc-12-dev_12.2.0-14+deb12u1_amd64.deb",
        "d720259380a84f2ffc6fe516eff5cbe9c8a005138e8d6a5748747ba4b3404a82",
    ),
}

_TOOLS = ["cc", "ar"]

def _zig_toolchain_impl(rctx):
    rctx.report_progress("fetching zig's wheel through pip")
    python = rctx.which("python3") or fail("python3 is needed to fetch the zig wheel through pip")
    got = rctx.execute(
        pip(rctx, python) + [
            "download",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
            "--platform=manylinux_2_12_x86_64",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--dest=wheel",
            "--requirement={}".format(rctx.path(Label(":requirements.txt"))),
        ],
        timeout = 1800,
    )
    if got.return_code:
        fail("pip could not fetch zig's wheel:\n{}{}".format(got.stdout, got.stderr))
    wheel = rctx.path("wheel").readdir()[0]
    rctx.symlink(wheel, "zig.zip")
    rctx.extract("zig.zip", output = "")
    rctx.delete("zig.zip")
    rctx.delete("wheel")

    for name, (path, sha256) in PACKAGES.items():
        unpack_deb(rctx, path, sha256, name)
    for unused in ["libc/usr", "libc/etc", "libc/lib64", "libc-dev/usr/share", "libc-dev/usr/include", "libc-dev/usr/bin", "libgcc-dev/usr/share"]:
        rctx.delete(unused)

    # Debian's own linker scripts hold absolute paths; these find the same files on the linker's search path.
    rctx.file("scripts/libc.so", "GROUP ( libc.so.6 libc_nonshared.a AS_NEEDED ( ld-linux-x86-64.so.2 ) )\n")
    rctx.file("scripts/libm.so", "GROUP ( libm.so.6 AS_NEEDED ( libmvec.so.1 ) )\n")
    rctx.file("scripts/libm.a", "GROUP ( libm-2.36.a libmvec.a )\n")
    for unused in ["libc.so", "libm.so", "libm.a"]:
        rctx.delete("libc-dev/usr/lib/x86_64-linux-gnu/" + unused)

    for tool in _TOOLS:
        rctx.file("bin/" + tool, rctx.read(Label(":zig_wrapper.sh")), executable = True)
    rctx.file("BUILD.bazel", rctx.read(Label(":zig.BUILD.bazel")))
    rctx.template("cc_config.bzl", Label(":cc_config.bzl"), {})

_zig_toolchain = repository_rule(
    implementation = _zig_toolchain_impl,
    environ = ["MCBN_DEBIAN_MIRROR"],
)

def _extension_impl(module_ctx):
    _zig_toolchain(name = "zig_linux_x86_64")
    return module_ctx.extension_metadata(reproducible = True)

zig_toolchain = module_extension(implementation = _extension_impl)
