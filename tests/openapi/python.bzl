"""Python packages for tests: the wheels of requirements.txt, accepted only by SHA-256, unpacked into one folder."""

load("//images/toolchain/cc:pip.bzl", "pip")

# A test's PATH: these wheels are for the Python that it finds there, whatever the caller's PATH has.
_PATH = ["/bin", "/usr/bin", "/usr/local/bin"]

def _python(rctx):
    for folder in _PATH:
        python = rctx.path(folder + "/python3")
        if python.exists:
            return python
    fail("no python3 in {}".format(", ".join(_PATH)))

def _python_packages_impl(rctx):
    rctx.report_progress("fetching Python packages through pip")
    requirements = rctx.path(Label(":requirements.txt"))
    python = _python(rctx)

    # Another version of it takes other wheels.
    rctx.watch(python.realpath)
    got = rctx.execute(
        pip(rctx, python) + [
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary=:all:",
            "--no-compile",
            "--disable-pip-version-check",
            "--no-cache-dir",
            "--target=packages",
            "--requirement={}".format(requirements),
        ],
        timeout = 1800,
    )
    if got.return_code:
        fail("pip could not fetch the packages:\n{}{}".format(got.stdout, got.stderr))

    # Programs, which name the interpreter by its path.
    rctx.delete("packages/bin")
    rctx.file("BUILD.bazel", "exports_files([\"packages\"])\n")

_python_packages = repository_rule(implementation = _python_packages_impl)

def _extension_impl(module_ctx):
    _python_packages(name = "schemathesis")
    return module_ctx.extension_metadata(reproducible = True)

python_packages = module_extension(implementation = _extension_impl)
