#!/bin/bash
# What rules_rust 0.54.1 calls as cargo-bazel. It names version 0.15.0, which cannot read edition 2024 or version 4 of
# Cargo.lock; 0.16.0 can, and differs in a few arguments. bazelw puts the program's path in place of the word in capitals below.
set -euo pipefail
shopt -s nullglob
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}

# Its reader of cargo's index looks where cargo 1.84 and older kept it.
for index in "$CARGO_HOME"/registry/index/*-1949cf8c6b5b557f; do
  ln -sfn "$index" "${index%-*}-6f17d22bba15001f"
done

arguments=("$@") folder=
for ((i = 0; i < $#; i++)); do
  case ${arguments[i]} in
    --repository-dir) folder=${arguments[i + 1]} ;;
    --cargo-lockfile) arguments+=(--nonhermetic-root-bazel-workspace-dir "$(dirname "${arguments[i + 1]}")") ;;
  esac
done
if [ "$1" != generate ]; then
  exec CARGO_BAZEL "${arguments[@]}"
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
CARGO_BAZEL "${arguments[@]}" --paths-to-track "$scratch/paths" --warnings-output-path "$scratch/warnings"
# It loads a rule for local crates that 0.54.1 does not have, and that nothing here uses.
find "$folder" -name '*.bzl' -exec sed -i '/local_crate_mirror/d' {} +
