# Configures and builds OpenSSL's two static libraries. Run by busybox's shell inside one Bazel action:
#
#   build.sh SOURCE TOOLS CC_FOLDER OUT LIBRARIES OPTION...
#
# OUT gets include/, the folder LIBRARIES the two libraries. All five paths are relative to the working folder, which differs
# from machine to machine and must not show in the output: the build runs in a copy of the source, calls its tools by name,
# and has a fixed date.
set -eu
source=$1 tools=$PWD/$2 compiler=$PWD/$3 out=$PWD/$4 libraries=$PWD/$5
shift 5
export PATH="$tools:$compiler" SOURCE_DATE_EPOCH=0
unset TMPDIR
packages=$tools/..
export PERL5OPT=-MByName PERL5LIB="$tools:$packages/perl/usr/lib/x86_64-linux-gnu/perl-base:$packages/perl-lib/usr/lib/x86_64-linux-gnu/perl/5.36.0:$packages/perl-modules/usr/share/perl/5.36.0"
work=$PWD/openssl-build
log=$PWD/openssl-build.log
mkdir "$work"
cp -RL "$source/." "$work"
chmod -R u+w "$work"
cd "$work"
if ! {
  # AR by its path: busybox has an `ar` of its own, which cannot write.
  CC=cc RANLIB=true PERL=perl HASHBANGPERL=perl perl ./Configure "$@" &&
    make SHELL="$tools/sh" -j4 build_generated &&
    make SHELL="$tools/sh" AR="$compiler/ar" -j4 libssl.a libcrypto.a
} >"$log" 2>&1; then
  tail -n 60 "$log" >&2
  exit 1
fi
cp libssl.a libcrypto.a "$libraries/"
mkdir -p "$out/include"
cp -R include/openssl "$out/include/"
rm -f "$out"/include/openssl/*.in
