# What the scripts of a release share; to be sourced, in the source's top folder.

program=$(basename "$0" .sh)

fail() {
  printf '%s: error: %s\n' "$program" "$1" >&2
  exit "${2:-64}"
}

# Name and manifest digest of each image, from digests.lock.
images() {
  sed -nE 's/^([a-z0-9-]+) .*manifest=(sha256:[0-9a-f]{64}) .*/\1 \2/p' digests.lock
}
[ -n "$(images)" ] || fail "digests.lock names no image"
[ "$(images | wc -l)" = "$(grep -vc '^#' digests.lock)" ] || fail "digests.lock has a line that is not understood"
