#!/usr/bin/env bash
# Builds every image cold: in a copy of the source, with an output base of its own and no cached action. The images and
# their bills of materials go to FOLDER/out, the program that pushes them to FOLDER/oci-push.
#
#   build.sh FOLDER
#
# To be started in the source; FOLDER lies in it. Two builds differ in FOLDER, and so in every path that a build sees.
# They share the builder root, which has Bazel and nothing that reaches an image, and downloads, each checked by SHA-256.
set -euo pipefail
. images/release/images.sh

folder=${1:?the folder to build in is missing}
[ ! -e "$folder" ] || fail "$folder exists already, so this build would not be cold"
here=$(pwd -P)
cache=${MCBN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mcbn}
mkdir -p "$folder/source" "$folder/out" "$cache"
folder=$(readlink -f "$folder")
inside=${folder#"$here"/}
[ "$inside" != "$folder" ] || fail "$folder does not lie in $here"
MCBN_CACHE=$(readlink -f "$cache")
export MCBN_CACHE

# What Bazel and cargo left here and what other builds left is not source.
tar -c --exclude='./bazel-*' --exclude=./target --exclude=./.git --exclude="./${inside%%/*}" . | tar -x -C "$folder/source"

# Gone when the build is: nothing of it can reach the next. Of the machine, the builder root shows the source, the cache
# and /tmp.
scratch=$(mktemp -d --tmpdir=/tmp cold.XXXXXX)
bazel() { (cd "$folder/source" && ./bazelw --output_base="$scratch/output" "$@"); }
clean() {
  bazel shutdown || true
  chmod -R u+w "$scratch"
  rm -rf "$scratch"
}
trap clean EXIT

mapfile -t names < <(images | cut -d' ' -f1)
layouts=("${names[@]/#///images:}")
bazel build --disk_cache= "${layouts[@]}" "${layouts[@]/%/.sbom}" //images/push:oci-push
bazel run --disk_cache= //images:verify

for name in "${names[@]}"; do
  cp -RL "$folder/source/bazel-bin/images/$name" "$folder/out/$name"
  cp -L "$folder/source/bazel-bin/images/$name.cdx.json" "$folder/out/$name.cdx.json"
done
cp -L "$folder/source/bazel-bin/images/push/oci-push" "$folder/oci-push"
chmod -R u+w "$folder/out" "$folder/oci-push"
