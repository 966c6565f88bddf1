#!/bin/bash
# zig as `cc` and `ar`, in the words that rustc, the cc crate and Bazel's C rules use. Installed once for each name.
#
# It compiles with zig's clang and links with zig's lld. No state is shared between actions: zig gets a cache of its own,
# thrown away at the end.
set -eu
export PATH=/usr/bin:/bin
here=${0%/*}
# Headers by the path that Bazel called this with: zig would follow links out of the sandbox to find them, and a list of what
# was included would name that place.
export ZIG_LIB_DIR=${here%/*}/ziglang/lib
[[ $here == /* ]] || here=$PWD/$here
root=$here/..
zig=$root/ziglang/zig

link=1 kind=-pie
for argument in "$@"; do
  case $argument in
    -c | -S | -E | -M | -MM | -v | --version) link= ;;
    -shared) kind=-shared ;;
    -static | -static-pie) kind=-static ;;
  esac
done

if [[ ${0##*/} == ar || -z $link ]]; then
  cache=$(mktemp -d "${TMPDIR:-/tmp}/zig.XXXXXX")
  trap 'rm -rf "$cache"' EXIT
  export ZIG_GLOBAL_CACHE_DIR=$cache ZIG_LOCAL_CACHE_DIR=$cache
  if [[ ${0##*/} == ar ]]; then
    "$zig" ar "$@"
    exit
  fi
  arguments=()
  for argument in "$@"; do
    case $argument in
      # Words of gcc that zig's driver does not know, and that change nothing here.
      --target=* | -pass-exit-codes) ;;
      *) arguments+=("$argument") ;;
    esac
  done
  # What __FILE__ and debug information say must not depend on where this runs, nor a program on when.
  "$zig" cc -target x86_64-linux-gnu.2.36 -fno-sanitize=all "-ffile-prefix-map=$PWD=." -Werror=date-time "${arguments[@]}" -g0
  exit
fi

# From here on as gcc's driver would: start files first, libraries in their order, end files last.
libc=$root/libc-dev/usr/lib/x86_64-linux-gnu
libgcc=$root/libgcc-dev/usr/lib/gcc/x86_64-linux-gnu/12
case $kind in
  -static) start=("$libc/rcrt1.o") mode=(-static -pie --no-dynamic-linker -z text) ;;
  -pie) start=("$libc/Scrt1.o") mode=(-pie -dynamic-linker /lib64/ld-linux-x86-64.so.2) ;;
  -shared) start=() mode=(-shared) ;;
esac
default_libraries=(-lc -lgcc -lgcc_eh)
linker=()
for argument in "$@"; do
  case $argument in
    -Wl,*)
      IFS=, read -r -a words <<<"${argument#-Wl,}"
      linker+=("${words[@]}")
      ;;
    -nodefaultlibs) default_libraries=() ;;
    # The unwinder is linked in: a program must not look for one where it runs.
    -lgcc_s) linker+=(-lgcc_eh -lgcc -lc) ;;
    -m64 | -pie | -shared | -static | -static-pie | -nostartfiles | -no-pie | -B* | -fuse-ld=* | -pass-exit-codes | --target=* | -fPIC | -O? | -g* | -pthread) ;;
    *) linker+=("$argument") ;;
  esac
done
exec "$zig" ld.lld -m elf_x86_64 --hash-style=gnu --build-id=none --eh-frame-hdr -z relro -z now -z noexecstack "${mode[@]}" \
  "${start[@]}" "$libc/crti.o" "$libgcc/crtbeginS.o" \
  -L"$root/scripts" -L"$libc" -L"$libgcc" -L"$root/libc/lib/x86_64-linux-gnu" \
  "${linker[@]}" "${default_libraries[@]}" "$libgcc/crtendS.o" "$libc/crtn.o"
