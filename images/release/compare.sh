#!/usr/bin/env bash
# Compares two builds with each other, byte for byte, and with digests.lock. Needs none of the programs that were built.
#
#   compare.sh FOLDER FOLDER
set -euo pipefail
. images/release/images.sh

first=${1:?the first build is missing}/out second=${2:?the second build is missing}/out
[ "$(readlink -f "$first")" != "$(readlink -f "$second")" ] || fail "$first is one build, not two"

diff -r "$first" "$second" >&2 || fail "the two builds differ" 1

expected=$(images | while read -r name _; do printf '%s\n%s.cdx.json\n' "$name" "$name"; done | sort)
[ "$(cd "$first" && printf '%s\n' * | sort)" = "$expected" ] ||
  fail "the builds hold other images than digests.lock names" 1

# Whether a layout holds just one image, of this digest.
holds() {
  local digests
  digests=$(grep -oE '"digest": *"sha256:[0-9a-f]{64}"' "$1/index.json" | grep -oE 'sha256:[0-9a-f]{64}') || return 1
  [ "$digests" = "$2" ] && [ "$(sha256sum <"$1/blobs/sha256/${2#sha256:}")" = "${2#sha256:}  -" ]
}
images | while read -r name digest; do
  holds "$first/$name" "$digest" || fail "$name: the builds agree, but not with digests.lock" 1
  printf '%s %s\n' "$name" "$digest"
done
