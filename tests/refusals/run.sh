#!/bin/sh
# run.sh LIPAUDIT MAKE_LARGE: the refusal corpus through the command, as TAP.
#
# expected.tsv names every file, its exit status and message. A refused file (exit 2) gives one line on stderr, which
# names the file, no report, and never a signal; the others are audited within the time limit.
# SPDX-License-Identifier: Apache-2.0
here=$(cd "$(dirname "$0")" && pwd)
lipaudit=$(realpath "$1") || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cp -RP "$here"/files/. "$scratch" || exit 99
"$2" "$scratch" || exit 99
cd "$scratch" && ln -s data.bin link.bin || exit 99
tab=$(printf '\t')
grep -v '^#' "$here/expected.tsv" >"$scratch/table"

echo "1..$(($(wc -l <table) + 1))"
number=0
while IFS="$tab" read -r file wanted message; do
    number=$((number + 1))
    timeout 60 "$lipaudit" audit "$file" --exact never --quiet --max-memory 256M >stdout 2>stderr
    status=$?
    problem=
    [ "$status" = "$wanted" ] || problem="exit status $status"
    if [ "$wanted" = 2 ]; then
        [ ! -s stdout ] || problem="$problem, a report"
        [ "$(wc -l <stderr)" = 1 ] || problem="$problem, not one line on stderr"
        grep -q "^lipaudit: $file: " stderr || problem="$problem, the file is not named"
        grep -qF -- "$message" stderr || problem="$problem, another message"
        [ "$(wc -c <stderr)" -lt 2048 ] || problem="$problem, a message without end"
    else
        grep -qF -- "$message" stdout || problem="$problem, another report"
    fi
    if LC_ALL=C grep -q "$(printf '[\001-\010\013-\037]')" stdout stderr; then
        problem="$problem, control bytes"
    fi
    if [ -z "$problem" ]; then
        echo "ok $number - $file"
        continue
    fi
    echo "not ok $number - $file: $problem"
    head -c 2000 stderr | sed 's/^/# /'
done <table

# Every file is in the table.
missing=
for file in "$here"/files/*.*; do
    grep -q "^$(basename "$file")$tab" table || case $file in
    *.bin) ;;
    *) missing="$missing $(basename "$file")" ;;
    esac
done
[ -z "$missing" ] && echo "ok $((number + 1)) - every file is expected" ||
    echo "not ok $((number + 1)) - not in expected.tsv:$missing"
