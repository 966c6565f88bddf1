#!/usr/bin/env bash
# Pushes the images of a build, with their bills of materials, to a registry: by digest, and under a tag only if one is
# given. They must be those of digests.lock.
#
#   push.sh REGISTRY FOLDER [TAG]
set -euo pipefail
. images/release/images.sh

registry=${1:?the registry is missing} folder=${2:?the build is missing}
flags=(--lock digests.lock)
[ $# -lt 3 ] || {
  [ -n "$3" ] || fail "the tag is empty"
  # It says nothing of what it names.
  [ "$3" != latest ] || fail "latest is not a version"
  flags+=(--tag "$3")
}
for name in $(images | cut -d' ' -f1); do
  flags+=(--image "$folder/out/$name" --sbom "$folder/out/$name.cdx.json")
done
"$folder/oci-push" "${flags[@]}" "$registry"
