#!/usr/bin/env bash
# Holds README.md to the programs: a row for every workload and for nothing else, and no setting that --help does not have.
#
#   check.sh README.md PROGRAM...
set -euo pipefail
fail() {
  printf 'check: error: %s\n' "$1" >&2
  exit 1
}
readme=$1
shift

section=$(sed -n '/^## What each image promises$/,/^## Try/p' "$readme")
rows=$(grep -oE '^\| `[a-z0-9-]+`' <<<"$section" | tr -d '|` ' | sort)
programs=$(for program in "$@"; do basename "$program"; done | sort)
[ "$rows" = "$programs" ] || fail "the table has ($(echo $rows)), and there are ($(echo $programs))"

known=$(for program in "$@"; do "$program" --help; done | grep -oE -- '--[a-z][a-z0-9-]+' | sort -u)
for program in "$@"; do
  name=$(basename "$program")
  help=$("$program" --help)
  for flag in $(grep -E "^\| \`$name\`" <<<"$section" | grep -oE -- '--[a-z][a-z0-9-]+'); do
    grep -q -- "^  $flag\b" <<<"$help" || fail "$name has no $flag"
  done
done
for flag in $(grep -oE -- '--[a-z][a-z0-9-]+' <<<"$section" | sort -u); do
  grep -qx -- "$flag" <<<"$known" || fail "no program has $flag"
done
