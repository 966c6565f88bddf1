"""How a program becomes an image. `workload_image` is the door; the rest is what it is made of.

The images follow from their inputs alone: every byte is written by `images/oci`, these rules only name files.
"""

load("//images:linked.bzl", "linked_aspect", "linked_json")
load("//images:workloads.bzl", "LICENSES", "SOURCE")

ImageInfo = provider(
    doc = "An image and what was made beside it.",
    fields = {
        "layout": "File: the OCI layout, a directory",
        "sbom": "File: its bill of materials, CycloneDX in JSON",
    },
)

_OCI = {
    "_oci": attr.label(
        cfg = "exec",
        default = "//images/oci:tool",
        doc = "The tool that writes images.",
        executable = True,
    ),
}

def _image_impl(ctx):
    name = ctx.label.name
    program = ctx.executable.program

    settings = ctx.actions.declare_file(name + ".settings.json")
    ctx.actions.run_shell(
        outputs = [settings],
        tools = [program],
        arguments = [program.path, settings.path],
        command = '"$1" --settings >"$2"',
        mnemonic = "ProgramSettings",
        progress_message = "Asking %{label} for its settings",
    )

    layout = ctx.actions.declare_directory(name)
    args = ctx.actions.args()
    args.add("assemble")
    args.add("--program", program)
    args.add("--settings", settings)
    args.add("--source", SOURCE)
    args.add("--licenses", LICENSES)
    args.add("--log-redirect", ctx.attr.log_redirect)
    for target, path in ctx.attr.files.items():
        args.add("--file", target[DefaultInfo].files.to_list()[0], format = path + "=%s")
    args.add("--out", layout.path)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = [program, settings] + ctx.files.files,
        outputs = [layout],
        mnemonic = "OciImage",
        progress_message = "Assembling image %{label}",
    )

    linked = ctx.actions.declare_file(name + ".linked.json")
    ctx.actions.write(linked, linked_json(ctx.attr.program))
    sbom = ctx.actions.declare_file(name + ".cdx.json")
    args = ctx.actions.args()
    args.add("sbom")
    args.add("--settings", settings)
    args.add("--licenses", LICENSES)
    args.add("--linked", linked)
    args.add("--cargo-lock", ctx.file._cargo_lock)
    args.add("--out", sbom)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = [settings, linked, ctx.file._cargo_lock],
        outputs = [sbom],
        mnemonic = "Sbom",
        progress_message = "Listing what %{label} is made of",
    )
    return [
        DefaultInfo(files = depset([layout])),
        ImageInfo(layout = layout, sbom = sbom),
    ]

_image = rule(
    implementation = _image_impl,
    doc = "The OCI layout of one program.",
    attrs = _OCI | {
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "Files that the program reads, and where it finds them.",
        ),
        "log_redirect": attr.string(
            doc = "When the operator may read what the program prints.",
            values = ["never", "debugonly", "always"],
        ),
        "program": attr.label(
            aspects = [linked_aspect],
            # Static, for the platform of the image: which is that of the build too, so it can be asked for its settings.
            cfg = "target",
            executable = True,
            mandatory = True,
        ),
        "_cargo_lock": attr.label(
            allow_single_file = True,
            default = "//:Cargo.lock",
        ),
    },
)

def _archive_impl(ctx):
    layout = ctx.attr.image[ImageInfo].layout
    archive = ctx.actions.declare_file(ctx.label.name)
    args = ctx.actions.args()
    args.add("archive")
    args.add("--out", archive)
    args.add(layout.path)
    ctx.actions.run(
        executable = ctx.executable._oci,
        arguments = [args],
        inputs = [layout],
        outputs = [archive],
        mnemonic = "OciArchive",
        progress_message = "Archiving image %{label}",
    )
    return [DefaultInfo(files = depset([archive]))]

_archive = rule(
    implementation = _archive_impl,
    doc = "An image as one tar file, for skopeo, podman load and docker load.",
    attrs = _OCI | {"image": attr.label(mandatory = True, providers = [ImageInfo])},
)

def _sbom_impl(ctx):
    return [DefaultInfo(files = depset([ctx.attr.image[ImageInfo].sbom]))]

_sbom = rule(
    implementation = _sbom_impl,
    doc = "An image's bill of materials.",
    attrs = {"image": attr.label(mandatory = True, providers = [ImageInfo])},
)

def _call_impl(ctx):
    # Not in this folder itself: a target may have the name of a folder here.
    program = ctx.actions.declare_file("{0}_/{0}".format(ctx.label.name))
    ctx.actions.symlink(output = program, target_file = ctx.executable.program, is_executable = True)
    return [DefaultInfo(
        executable = program,
        runfiles = ctx.runfiles(files = ctx.files.data).merge(ctx.attr.program[DefaultInfo].default_runfiles),
    )]

_CALL = {
    "data": attr.label_list(allow_files = True),
    "program": attr.label(cfg = "target", executable = True, mandatory = True),
}

# A program with fixed arguments (`args`), to be run or to be a test: no shell stands between.
call = rule(implementation = _call_impl, attrs = _CALL, executable = True)
call_test = rule(implementation = _call_impl, attrs = _CALL, test = True)

def workload_image(name, log_redirect = "debugonly"):
    """The image of //workloads/<name>, and its tests.

    `:<name>` is the OCI layout, `:<name>.tar` an archive of it, `:<name>.sbom` its bill of materials, `:<name>_test`
    holds it to the rules for every image and to `workloads/<name>/image.promise`.

    Args:
        name: the workload's folder and program.
        log_redirect: when the operator may read what the program prints: never, debugonly or always.
    """
    _image(
        name = name,
        files = {"//images:ca-certificates.crt": "/etc/ssl/certs/ca-certificates.crt"},
        log_redirect = log_redirect,
        program = "//workloads/{}".format(name),
        visibility = ["//tests:__subpackages__"],
    )
    _archive(
        name = name + ".tar",
        image = name,
        visibility = ["//tests:__subpackages__"],
    )
    _sbom(
        name = name + ".sbom",
        image = name,
        visibility = ["//tests:__subpackages__"],
    )
    promise = "//workloads/{}:image.promise".format(name)
    call_test(
        name = name + "_test",
        size = "small",
        args = ["--promise", "$(rootpath {})".format(promise), "$(rootpath {})".format(name)],
        data = [name, promise],
        program = "//images/check:image-check",
    )

def images(workloads):
    """The image of each workload, and what concerns all of them.

    `:verify` compares them with digests.lock, as `:digests_test` does; `:update_digests` writes that file and each
    workload's promise; `:push` takes a registry, and flags of `images/push`.

    Args:
        workloads: names of folders in //workloads.
    """
    for name in workloads:
        workload_image(name)
    layouts = ["$(rootpath {})".format(name) for name in workloads]
    lock = "//:digests.lock"
    verify = dict(
        args = ["verify", "--lock", "$(rootpath {})".format(lock)] + layouts,
        data = workloads + [lock],
        program = "//images/oci:tool",
    )
    call(name = "verify", **verify)
    call_test(name = "digests_test", size = "small", **verify)
    call(
        name = "update_digests",
        args = ["lock", "--out", "digests.lock", "--promises", "workloads"] + layouts,
        data = workloads,
        program = "//images/oci:tool",
    )
    bills = [name + ".sbom" for name in workloads]
    call(
        name = "push",
        args = ["--lock", "$(rootpath {})".format(lock)] +
               ["--image=" + layout for layout in layouts] +
               ["--sbom=$(rootpath {})".format(bill) for bill in bills],
        data = workloads + bills + [lock],
        program = "//images/push:oci-push",
    )
