"""What is linked into a program: for its bill of materials."""

load("@rules_rust//rust:rust_common.bzl", "CrateInfo")
load("//images/toolchain/cc:zig_repo.bzl", "PACKAGES")
load("//images/toolchain/rust:pins.bzl", "ARCHIVES", "VERSION")
load("//lib/tss2:source.bzl", TPM2_TSS_SHA256 = "SHA256", TPM2_TSS_VERSION = "VERSION")

LinkedInfo = provider(
    doc = "The crates that are linked into a program or library.",
    fields = {"crates": "depset[struct(name, version)], as Cargo.lock calls them"},
)

_CRATE_NAME_TAG = "crate-name="

def _package(ctx):
    """The name that Cargo.toml gives the crate of this target."""
    for tag in ctx.rule.attr.tags:
        # crate_universe writes it down, since a target's name may have lost its dashes.
        if tag.startswith(_CRATE_NAME_TAG):
            return tag.removeprefix(_CRATE_NAME_TAG)
    return (ctx.rule.attr.crate_name or ctx.label.name).replace("_", "-")

def _linked_impl(target, ctx):
    # Build scripts are no crates, and macros run in the compiler: neither they nor what they need is linked.
    if CrateInfo not in target or target[CrateInfo].type == "proc-macro":
        return [LinkedInfo(crates = depset())]
    return [LinkedInfo(crates = depset(
        [struct(name = _package(ctx), version = ctx.rule.attr.version)],
        transitive = [dep[LinkedInfo].crates for dep in ctx.rule.attr.deps if LinkedInfo in dep],
    ))]

linked_aspect = aspect(
    implementation = _linked_impl,
    doc = "Collects the crates that a Rust target links, itself included.",
    attr_aspects = ["deps"],
)

def _deb(pin, name, license):
    path, sha256 = pin
    package, version, architecture = path.split("/")[-1].removesuffix(".deb").split("_")
    return {
        "license": license,
        "name": name,
        "origin": {"archive": {"sha256": sha256, "version": version}},
        "purl": "pkg:deb/debian/{}@{{version}}?arch={}".format(package, architecture),
    }

# Linked into every program by the toolchains: the standard library with the crates that it carries, libc.a, libm.a and
# libgcc.a with the start files beside them. zig links and adds nothing of its own.
_TOOLCHAIN = [
    {
        "license": "MIT OR Apache-2.0",
        "name": "rust-std",
        "origin": {"archive": {"sha256": ARCHIVES["rust-std"][1], "version": VERSION}},
        "purl": "pkg:generic/rust-std@{version}",
    },
    _deb(PACKAGES["libc-dev"], "glibc", "LGPL-2.1-or-later"),
    _deb(PACKAGES["libgcc-dev"], "libgcc", "GPL-3.0-or-later WITH GCC-exception-3.1"),
]

# Linked where one of the crates is that bind it.
_BOUND = [
    struct(
        crates = ["openssl-sys", "tss-esapi-sys"],
        source = {
            "cpe": "cpe:2.3:a:openssl:openssl:{version}:*:*:*:*:*:*:*",
            "license": "Apache-2.0",
            "name": "openssl",
            "origin": {"crate": "openssl-src"},
            "purl": "pkg:generic/openssl@{version}",
        },
    ),
    struct(
        crates = ["tss-esapi-sys"],
        source = {
            "cpe": "cpe:2.3:a:tpm2_software_stack_project:tpm2_software_stack:{version}:*:*:*:*:*:*:*",
            "license": "BSD-2-Clause",
            "name": "tpm2-tss",
            "origin": {"archive": {"sha256": TPM2_TSS_SHA256, "version": TPM2_TSS_VERSION}},
            "purl": "pkg:generic/tpm2-tss@{version}",
        },
    ),
]

def linked_json(target):
    """Returns what `oci sbom --linked` reads, for a target that linked_aspect has visited."""
    crates = target[LinkedInfo].crates.to_list()
    names = [crate.name for crate in crates]
    return json.encode_indent({
        "crates": [{"name": crate.name, "version": crate.version} for crate in crates],
        "sources": _TOOLCHAIN + [
            bound.source
            for bound in _BOUND
            if any([crate in names for crate in bound.crates])
        ],
    })
