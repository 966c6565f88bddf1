#!/usr/bin/env bash
# Makes the builder root: Debian testing's Bazel, its rule sets and the test peers, unpacked into one folder.
#
#   make_root.sh CACHE ROOT MIRROR
#
# Needs apt-get and dpkg-deb, no root rights, and runs no maintainer script. What was downloaded stays in CACHE, so an
# interrupted run goes on where it stopped; ROOT appears whole or not at all.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$1 root=$2 mirror=$3
say() { printf 'bazelw: %s\n' "$*" >&2; }
# The ways to a Bazel that need no builder root.
other_ways="install Bazelisk, or Bazel $(cat "$here/../../.bazelversion")"
names() { sed -E 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' "$1" | awk '{print $1}'; }

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || {
    printf 'bazelw: error: %s is not on this machine, so no builder root can be made\n' "$tool" >&2
    printf 'bazelw: hint: %s, and run this again\n' "$other_ways" >&2
    exit 69
  }
done

# apt with a state of its own: the mirror and how to reach it are the host's, the suite is testing.
apt=$cache/apt
mkdir -p "$apt"/{state/lists/partial,archives/partial,etc}
[ -n "$mirror" ] || {
  printf 'bazelw: error: apt on this machine names no Debian mirror\n' >&2
  printf 'bazelw: hint: this way needs Debian; elsewhere %s\n' "$other_ways" >&2
  exit 69
}
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s testing main\n' "$mirror" >"$apt/etc/sources.list"
names "$here/provided.list" | while read -r name; do
  printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 99:9999\nMaintainer: none\nDescription: not needed\n\n' "$name"
done >"$apt/state/status"
# Of the host's settings, how to reach the mirror, and no hooks.
acquire=$(apt-config dump | grep -E '^Acquire::' || true)
cat >"$apt/apt.conf" <<EOF
$acquire
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::State "$apt/state";
Dir::State::status "$apt/state/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
APT::Get::List-Cleanup "true";
Acquire::Languages "none";
Debug::NoLocking "true";
EOF
export APT_CONFIG=$apt/apt.conf

say "asking Debian testing for the builder's packages (Bazel, its rules, the test peers)"
apt-get -qq update
# One solution of the whole list, never upgraded piece by piece.
mapfile -t wanted < <(names "$here/packages.list")
plan=$(apt-get install --yes --simulate "${wanted[@]}" 2>&1) || {
  printf '%s\n' "$plan" >&2
  printf 'bazelw: error: Debian testing cannot serve the builder packages just now\n' >&2
  printf 'bazelw: hint: try again later, or %s\n' "$other_ways" >&2
  exit 69
}
mapfile -t debs < <(awk '/^Inst / {gsub(/[(]/, "", $3); print $2 "\t" $3}' <<<"$plan" | sort -u)
say "downloading ${#debs[@]} packages (about 470 MB the first time)"
progress=-qq
[ -t 2 ] && progress=
apt-get install --yes --download-only $progress "${wanted[@]}" >&2

say "unpacking"
part=$root.part
rm -rf "$part"
mkdir -p "$part"/{usr/{bin,sbin,lib,lib64},etc/ssl/certs/java}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$part/$dir"; done
for deb in "${debs[@]}"; do
  name=${deb%%$'\t'*} version=${deb##*$'\t'}
  printf '%s\n' "$apt/archives/${name}_${version//:/%3a}"_*.deb
done | xargs -P"$(nproc)" -I{} sh -c '
  dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --no-same-owner --no-same-permissions --keep-directory-symlink \
    --exclude="./usr/share/doc/*" --exclude="./usr/share/man/*" --exclude="./usr/share/locale/*"' unpack {} "$part"

# What maintainer scripts would have done, as far as it is needed.
ln -sf gawk "$part/usr/bin/awk"
printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$part/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$part/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$part/etc/nsswitch.conf"
: >"$part/etc/resolv.conf"
: >"$part/etc/hosts"
: >"$part/etc/ssl/certs/ca-certificates.crt"
: >"$part/etc/bazel.bazelrc"
java=usr/lib/jvm/default-java
[ -x "$part/$java/bin/java" ]
# Debian's own settings name a JDK for Java builds and keep every sandbox; this project builds no Java.
sed -i '/host_javabase/d; /sandbox_debug/d' "$part/etc/bazel/bazelrc"
printf '# What the builder root adds; see .bazelrc.\nstartup --server_javabase=/%s\ncommon --config=debian\n' "$java" >>"$part/etc/bazel/bazelrc"
printf '%s\n' "${debs[@]}" >"$part/etc/builder-packages"

chmod -R u+w "$part"
mv "$part" "$root"
say "the builder root is ready: $(du -sh "$root" | cut -f1) in $root"
