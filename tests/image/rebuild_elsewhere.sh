#!/usr/bin/env bash
# Builds every image a second time, cold, where nothing is as it was the first time, and compares with digests.lock:
# another folder, output folder, user name and number, host name, time zone, locale, umask and number of jobs, no cached
# action. Only downloads, checked by SHA-256, are shared. Takes as long as a first build.
#
#   tests/image/rebuild_elsewhere.sh
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
elsewhere=$(mktemp -d "${TMPDIR:-/tmp}/elsewhere.XXXXXX")
bazel() { (cd "$elsewhere/some other folder" && ./bazelw --output_base="$elsewhere/output" "$@"); }
clean() {
  bazel shutdown || true
  chmod -R u+w "$elsewhere"
  rm -rf "$elsewhere"
}
trap clean EXIT

umask 027
mkdir "$elsewhere/some other folder"
(cd "$checkout" && git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c) | tar -x -C "$elsewhere/some other folder"

export MCBN_BUILDER_USER=stranger MCBN_BUILDER_UID=4242 MCBN_BUILDER_HOSTNAME=elsewhere
export TZ=Pacific/Chatham LANG=tr_TR.UTF-8 LC_ALL=C
bazel run --disk_cache= --jobs=3 //images:verify
