"""Debian packages and sources as inputs: named by their path in the archive's pool, accepted only by SHA-256."""

# Debian 12 has had its last point release, so its main pool keeps these packages; Debian 13's keeps a source until a point
# release replaces it. The archive of snapshots keeps both after that.
_SNAPSHOT = "https://snapshot.debian.org/archive/debian/20261101T000000Z/"

def _mirrors(rctx):
    """Returns the mirrors to ask: the one that apt is configured for, then the archive of snapshots."""
    mirrors = []
    named = rctx.getenv("MCBN_DEBIAN_MIRROR")
    apt = rctx.which("apt-get")
    if not named and apt:
        got = rctx.execute([apt, "--print-uris", "update"])
        for line in got.stdout.splitlines() if got.return_code == 0 else []:
            archive, dists, _ = line.strip("'").partition("/dists/")
            if dists and archive.endswith("/debian"):
                named = archive
                break
    if named:
        mirrors.append(named.rstrip("/") + "/")
    return mirrors + [_SNAPSHOT]

def unpack_deb(rctx, path, sha256, output):
    """Downloads one .deb and unpacks its files into a folder.

    Args:
        rctx: the repository context; the calling rule lists MCBN_DEBIAN_MIRROR in its environ.
        path: the package's path below the mirror's root.
        sha256: of the .deb.
        output: the folder, relative to the repository.
    """
    rctx.download_and_extract(
        url = [mirror + path for mirror in _mirrors(rctx)],
        sha256 = sha256,
        type = "deb",
        output = output + ".deb",
    )
    data = [p for p in rctx.path(output + ".deb").readdir() if p.basename.startswith("data.tar")][0]
    rctx.extract(data, output = output)
    rctx.delete(output + ".deb")

    # Links that point outside the package: Bazel takes no dangling ones as inputs.
    got = rctx.execute(["find", output, "-xtype", "l", "-delete"])
    if got.return_code:
        fail("cannot clean {}: {}".format(output, got.stderr))

def unpack_source(rctx, path, sha256, prefix):
    """Downloads the archive of a source as its authors made it, and unpacks it into the repository.

    Args:
        rctx: the repository context; the calling rule lists MCBN_DEBIAN_MIRROR in its environ.
        path: the archive's path below the mirror's root.
        sha256: of the archive.
        prefix: the folder that everything in it is in, which is left out.
    """
    rctx.download_and_extract(
        url = [mirror + path for mirror in _mirrors(rctx)],
        sha256 = sha256,
        stripPrefix = prefix,
    )
