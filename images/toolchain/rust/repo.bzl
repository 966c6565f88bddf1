"""The official Rust toolchain as a repository.

A toolchain that rustup installed on this machine serves if every file has its pinned SHA-256; else the official archives
are fetched, by SHA-256 too.
"""

load(":pins.bzl", "ARCHIVES", "FILES", "TRIPLE", "VERSION")

def _local_toolchain(rctx):
    """Returns the folder of an installed toolchain, or None."""
    home = rctx.getenv("RUSTUP_HOME") or rctx.getenv("HOME", "") + "/.rustup"
    candidates = [rctx.getenv("MCBN_RUST_TOOLCHAIN")] + [
        "{}/toolchains/{}-{}".format(home, name, TRIPLE)
        for name in [VERSION, "stable"]
    ]
    for path in candidates:
        if path and rctx.path(path).get_child("bin", "rustc").exists:
            return path
    return None

def _copy_local(rctx, root):
    """Copies the pinned files; returns the first that is missing or differs, or None."""
    for path, sha256 in FILES.items():
        # A file:// download copies, checks and caches in one step, without a shell.
        got = rctx.download(
            url = "file://{}/{}".format(root, path),
            output = path,
            sha256 = sha256,
            executable = path.startswith("bin/"),
            allow_fail = True,
        )
        if not got.success:
            return path
    return None

def _rust_toolchain_files_impl(rctx):
    root = _local_toolchain(rctx)
    differs = _copy_local(rctx, root) if root else "bin/rustc"
    if differs:
        if root:
            rctx.report_progress("{}/{} is not the official file; fetching the archives".format(root, differs))
            for path in FILES:
                rctx.delete(path)
        for url, sha256, strip_prefix in ARCHIVES.values():
            rctx.download_and_extract(url = url, sha256 = sha256, stripPrefix = strip_prefix)
    rctx.file("BUILD.bazel", rctx.read(Label(":toolchain.BUILD.bazel")))

_rust_toolchain_files = repository_rule(
    implementation = _rust_toolchain_files_impl,
    environ = ["MCBN_RUST_TOOLCHAIN", "RUSTUP_HOME", "HOME"],
)

def _extension_impl(module_ctx):
    _rust_toolchain_files(name = "rust_linux_x86_64")
    return module_ctx.extension_metadata(reproducible = True)

rust_toolchain_files = module_extension(implementation = _extension_impl)
