"""pip, which knows the package index that this machine is configured for: no other client is asked to find wheels."""

def pip(rctx, python):
    """Returns the command that runs pip: the interpreter's own, else the wheel that Debian keeps for virtual environments.

    Args:
        rctx: the repository context.
        python: the interpreter.
    """
    if rctx.execute([python, "-m", "pip", "--version"]).return_code == 0:
        return [python, "-m", "pip"]
    wheels = rctx.path("/usr/share/python-wheels")
    for wheel in wheels.readdir() if wheels.exists else []:
        if wheel.basename.startswith("pip-"):
            return [python, str(wheel) + "/pip"]
    fail("pip is needed to fetch Python's wheels: install python3-pip")
