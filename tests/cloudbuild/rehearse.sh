#!/usr/bin/env bash
# Runs the steps of cloudbuild.yaml in their order, two cold builds among them, against a registry on this machine. What
# stands in for the builder image is the builder root. Takes as long as two first builds.
#
#   tests/cloudbuild/rehearse.sh
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$(readlink -f "${MCBN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mcbn}")
# Of the machine, the builder root shows the checkout, the cache and /tmp.
workspace=$(mktemp -d --tmpdir=/tmp rehearsal.XXXXXX)
trap 'rm -rf "$workspace"' EXIT

cd "$checkout"
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -c | tar -x -C "$workspace"
mkdir "$workspace/.release"
ln -s "$cache" "$workspace/.release/builder"
MCBN_BAZEL=builder ./bazelw run //tests/cloudbuild -- "$workspace"
