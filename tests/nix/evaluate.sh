#!/usr/bin/env bash
# Evaluates flake.nix with a real nix and a stand-in for nixpkgs, which is not fetched: syntax, names, and that flake.lock is
# the lock of this flake. That the real nixpkgs has these packages, and that they work, is not shown by this.
#
# To be started in the source.
set -euo pipefail
fail() {
  printf 'evaluate: error: %s\n' "$1" >&2
  exit 1
}
command -v nix >/dev/null || fail "nix is not on the PATH; ./bazelw test runs in a root that has it"

scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
mkdir "$scratch/flake"
cp -L flake.nix flake.lock "$scratch/flake"
cp -RL tests/nix/nixpkgs "$scratch/nixpkgs"
export HOME=$scratch NIX_CONFIG=$'experimental-features = nix-command flakes\nbuild-users-group =\n'
nix=(nix --store "$scratch/store" --offline)
stand_in=(--no-write-lock-file --override-input nixpkgs "path:$scratch/nixpkgs")
evaluate() { "${nix[@]}" eval --json "${stand_in[@]}" "path:$scratch/flake#devShells.x86_64-linux.default.$1"; }
nix --version

# The lock is taken as it is, or refused.
"${nix[@]}" flake metadata --no-update-lock-file "path:$scratch/flake" >/dev/null || fail "flake.lock is not the lock of flake.nix"
shell=$(evaluate packages)
for program in bazelisk docker-registry gnutls nodejs openssl skopeo stunnel swtpm tpm2-tools umoci; do
  [[ $shell == *"\"$program\""* ]] || fail "the dev shell has no $program"
done
[ "$(evaluate MCBN_BAZEL)" = '"path"' ] || fail "the dev shell does not choose its own Bazel"
"${nix[@]}" flake show "${stand_in[@]}" "path:$scratch/flake" >/dev/null

# The same evaluation refuses what is wrong.
change() { sed "$1" flake.nix >"$scratch/flake/flake.nix"; }
refused() {
  local reason=$1
  shift
  ! "$@" >/dev/null 2>"$scratch/why" || fail "what should be refused for $reason is not"
  grep -q "$reason" "$scratch/why" || fail "refused, but not for $reason: $(cat "$scratch/why")"
}
change 's/ umoci$/ no-such-package/'
refused no-such-package evaluate packages
change "s|github:NixOS/nixpkgs/nixos-25.11|path:$scratch/nixpkgs|"
refused 'lock file changes' "${nix[@]}" flake metadata --no-update-lock-file "path:$scratch/flake"
