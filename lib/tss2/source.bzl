"""The source of tpm2-tss, the C libraries that speak to a TPM: the archive that Debian 13 carries, pinned by SHA-256."""

load("//images/toolchain/cc:debian.bzl", "unpack_source")

VERSION = "4.1.3"
SHA256 = "8a389bda64690910e7af7deaf64703a3faed416dc538c9c3e4f893f24893524d"

# Each says in its head why it is there.
_PATCHES = [
    ":default_context.patch",
    ":fetch_once.patch",
]

def _tpm2_tss_impl(rctx):
    unpack_source(
        rctx,
        path = "pool/main/t/tpm2-tss/tpm2-tss_{}.orig.tar.gz".format(VERSION),
        sha256 = SHA256,
        prefix = "tpm2-tss-" + VERSION,
    )
    for patch in _PATCHES:
        rctx.patch(Label(patch), strip = 1)
    rctx.file("BUILD.bazel", rctx.read(Label(":tpm2_tss.BUILD.bazel")))

_tpm2_tss = repository_rule(
    implementation = _tpm2_tss_impl,
    environ = ["MCBN_DEBIAN_MIRROR"],
)

def _extension_impl(module_ctx):
    _tpm2_tss(name = "tpm2_tss")
    return module_ctx.extension_metadata(reproducible = True)

tpm2_tss = module_extension(implementation = _extension_impl)
