#!/bin/bash
# Builds cargo-bazel inside the builder root: crate_universe's generator, from the crates registry by its own lock file.
#
#   make_cargo_bazel.sh CACHE TARGET
#
# The root has no C compiler; zig, the build's own, serves. Nothing of this reaches an image: cargo-bazel only writes BUILD files.
set -euo pipefail
cache=$1 target=$2
cc=$(cd "$(dirname "$0")/../toolchain/cc" && pwd)
version=${target##*-}

zig=$cache/zig-$(sha256sum "$cc/requirements.txt" | cut -c1-12)
if [ ! -d "$zig" ]; then
  rm -rf "$zig.part"
  mkdir -p "$zig.part/wheel" "$zig.part/bin"
  pip=(/usr/share/python-wheels/pip-*.whl)
  python3 "${pip[0]}/pip" -q download --require-hashes --no-deps --only-binary=:all: \
    --platform=manylinux_2_12_x86_64 --no-cache-dir --dest="$zig.part/wheel" --requirement="$cc/requirements.txt"
  unzip -q "$zig.part"/wheel/*.whl -d "$zig.part"
  rm -r "$zig.part/wheel"
  cat >"$zig.part/bin/cc" <<'EOF'
#!/bin/bash
# As the build's own wrapper, but with zig's stubs of glibc: this program never leaves the builder.
arguments=()
for argument in "$@"; do
  case $argument in
    -lgcc_s) arguments+=(-lunwind) ;;
    -Wl,-O1 | -Wl,--no-undefined-version | -Wl,-znostart-stop-gc | -fuse-ld=* | -Wl,-no-as-needed | -B*) ;;
    *) arguments+=("$argument") ;;
  esac
done
exec "${0%/*}/../ziglang/zig" cc -target x86_64-linux-gnu.2.36 "${arguments[@]}"
EOF
  chmod +x "$zig.part/bin/cc" "$zig.part/ziglang/zig"
  mv "$zig.part" "$zig"
fi

export CARGO_HOME=$cache/home/.cargo RUSTC=$MCBN_RUST_TOOLCHAIN/bin/rustc
export ZIG_GLOBAL_CACHE_DIR=$zig/cache ZIG_LOCAL_CACHE_DIR=$zig/cache
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=$zig/bin/cc
quiet=
[ -t 2 ] || quiet=--quiet
rm -rf "$target.part"
"$MCBN_RUST_TOOLCHAIN/bin/cargo" install $quiet --locked --version "$version" --root "$target.part" \
  --target-dir "$target.build" cargo-bazel
rm -rf "$target.build" "$zig/cache"

mv "$target.part" "$target"
