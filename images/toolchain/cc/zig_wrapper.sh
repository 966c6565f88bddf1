#!/bin/bash
# zig as `cc` and `ar`, in the words that rustc, the cc crate and Bazel's C rules use. Installed once for each name.
#
# No state is shared between actions: zig gets a cache of its own, thrown away at the end. ZIG_WRAPPER_CACHE names the one
# that is kept, at fetch time only.
set -eu
export PATH=/usr/bin:/bin
here=${0%/*}
[[ $here == /* ]] || here=$PWD/$here
zig=$here/../ziglang/zig
cache=${ZIG_WRAPPER_CACHE:-}
if [[ -z $cache ]]; then
  cache=$(mktemp -d "${TMPDIR:-/tmp}/zig.XXXXXX")
  trap 'rm -rf "$cache"' EXIT
fi
export ZIG_GLOBAL_CACHE_DIR=$cache/g ZIG_LOCAL_CACHE_DIR=$cache/l

if [[ ${0##*/} == ar ]]; then
  "$zig" ar "$@"
  exit
fi

# Paths in objects: what __FILE__ and debug information say must not depend on where this runs.
arguments=("-ffile-prefix-map=$PWD=." -Wdate-time)
mode=cc link=1 static=
for argument in "$@"; do
  case $argument in
    -c | -S | -E | -M | -MM) link= arguments+=("$argument") ;;
    # zig has no libgcc; its unwinder is LLVM's.
    -lgcc_s) arguments+=(-lunwind) ;;
    # Words of gcc or of GNU ld that zig's driver does not know, and that change nothing here.
    -Wl,-O1 | --target=* | -Wl,--no-undefined-version | -Wl,-znostart-stop-gc | -fuse-ld=* | -pass-exit-codes | -Wl,-no-as-needed) ;;
    -Wl,/* | -Wl,bazel-out/* | -Wl,external/*) arguments+=("${argument#-Wl,}") ;;
    -static-pie | -static) static=1 arguments+=("$argument") ;;
    *.cc | *.cpp | *.cxx) mode=c++ arguments+=("$argument") ;;
    *) arguments+=("$argument") ;;
  esac
done

if [[ -n $link && -n $static ]]; then
  # A static-pie program: zig's lld on Debian's libc.a.
  libc=$here/../libc/usr/lib/x86_64-linux-gnu
  libgcc=$here/../libgcc/usr/lib/gcc/x86_64-linux-gnu/12
  linker=()
  for argument in "${arguments[@]}"; do
    case $argument in
      -Wl,*)
        IFS=, read -r -a words <<<"${argument#-Wl,}"
        linker+=("${words[@]}")
        ;;
      -m64 | -static-pie | -static | -pie | -nodefaultlibs | -nostartfiles | -B* | -Bdynamic | -lunwind | -ffile-prefix-map=* | -Wdate-time) ;;
      *) linker+=("$argument") ;;
    esac
  done
  "$zig" ld.lld -m elf_x86_64 --hash-style=gnu --build-id=none -static -pie --no-dynamic-linker -z text -z relro -z now -z noexecstack \
    "$libc/rcrt1.o" "$libc/crti.o" "$libgcc/crtbeginS.o" -L"$here/../libm" -L"$libc" -L"$libgcc" \
    "${linker[@]}" "$libgcc/crtendS.o" "$libc/crtn.o"
  exit
fi
if [[ -n $link && -z ${ZIG_WRAPPER_CACHE:-} ]]; then
  cp -r "$here/../warm/." "$cache/"
  chmod -R u+w "$cache"
fi
"$zig" "$mode" -target "%{target}" -fno-sanitize=all "${arguments[@]}" -g0
