"""The C compiler and linker: zig (clang and lld) from its wheel, with Debian 12's static glibc."""

load(":debian.bzl", "unpack_deb")

# For static-pie programs: libc.a, its start files, and gcc's start files and unwinder. zig ships only stubs of glibc.
LIBC = (
    "pool/main/g/glibc/libc6-dev_2.36-9+deb12u14_amd64.deb",
    "0218fc2befcd784c1b0c6292c0a137ce89fad054efaa579ad083bee0f2c01aae",
)
LIBGCC = (
    "pool/main/g/gcc-12/libgcc-12-dev_12.2.0-14+deb12u1_amd64.deb",
    "d720259380a84f2ffc6fe516eff5cbe9c8a005138e8d6a5748747ba4b3404a82",
)

# The oldest glibc that build tools and macros, which run on the builder, may meet.
_TARGET = "x86_64-linux-gnu.2.34"

_TOOLS = ["cc", "ar"]

# One program's worth of each kind of link that rustc and the C rules ask for: it makes zig build its start files, libc
# stubs, compiler_rt and libunwind once, at fetch time, for every later link to copy.
_LIBS = ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc", "-nodefaultlibs"]
_WARM_UP = [
    ["-O2", "-fPIC", "-c", "warm.c", "-o", "warm.o"],
    ["-m64", "warm.o", "-o", "warm.bin", "-Wl,--gc-sections", "-pie", "-Wl,-z,relro,-z,now"] + _LIBS,
    ["-m64", "warm.o", "-o", "warm.bin", "-Wl,--gc-sections", "-pie", "-Wl,-z,relro,-z,now", "-Wl,--strip-all"] + _LIBS,
    ["-m64", "warm.o", "-o", "warm.so", "-Wl,--gc-sections", "-shared", "-Wl,-z,relro,-z,now"] + _LIBS,
    ["warm.o", "-o", "warm.bin"],
    ["-O2", "warm.c", "-o", "warm.bin"],
]

def _pip(rctx):
    """Returns the command that runs pip: the interpreter's own, else the wheel that Debian keeps for virtual environments."""
    python = rctx.which("python3") or fail("python3 is needed to fetch the zig wheel through pip")
    if rctx.execute([python, "-m", "pip", "--version"]).return_code == 0:
        return [python, "-m", "pip"]
    wheels = rctx.path("/usr/share/python-wheels")
    for wheel in wheels.readdir() if wheels.exists else []:
        if wheel.basename.startswith("pip-"):
            return [python, str(wheel) + "/pip"]
    fail("pip is needed to fetch the zig wheel: install python3-pip")

def _zig_toolchain_impl(rctx):
    rctx.report_progress("fetching zig's wheel through pip")
    got = rctx.execute(
        _pip(rctx) + [
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

    unpack_deb(rctx, LIBC[0], LIBC[1], "libc")
    unpack_deb(rctx, LIBGCC[0], LIBGCC[1], "libgcc")
    for unused in ["libc/usr/share", "libc/usr/include", "libc/usr/bin", "libgcc/usr/share"]:
        rctx.delete(unused)

    # Debian's own is a linker script with absolute paths.
    rctx.file("libm/libm.a", "GROUP ( libm-2.36.a libmvec.a )\n")

    for tool in _TOOLS:
        rctx.template("bin/" + tool, Label(":zig_wrapper.sh"), {"%{target}": _TARGET}, executable = True)

    rctx.report_progress("building zig's start files")
    rctx.file("warm.c", "int main(void){return 0;}\n")
    for arguments in _WARM_UP:
        got = rctx.execute(
            [rctx.path("bin/cc")] + arguments,
            environment = {"ZIG_WRAPPER_CACHE": str(rctx.path("warm"))},
            timeout = 600,
        )
        if got.return_code:
            fail("zig cannot link: {}".format(got.stderr))

    # The front end's own cache (g/z) and unfinished work are of no use for links.
    for unused in ["warm.c", "warm.o", "warm.bin", "warm.so", "warm/g/z", "warm/g/tmp", "warm/l/tmp"]:
        rctx.delete(unused)
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
