#!/bin/sh
# run.sh LIPAUDIT [--bless]: the command line, case by case, as TAP.
#
# A case is a folder beside this script: `cmd` is run by sh in an empty folder with $LIPAUDIT and $FIXTURES set;
# `stdout`, `stderr` (both compared in full where the file exists) and `exit` (0 where it does not) say what is
# expected. --bless writes what was found into the files that exist. The JSON reports that the cases leave behind are
# held against the schema, where python3-jsonschema is there.
# SPDX-License-Identifier: Apache-2.0
LIPAUDIT=$(realpath "$1") || exit 99
cases=$(cd "$(dirname "$0")" && pwd)
FIXTURES=$(realpath "$cases/../../../fixtures/models")
export LIPAUDIT FIXTURES
unset NO_COLOR COLUMNS
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

bless() {
    for part in stdout stderr exit; do
        [ ! -e "$1/$part" ] || cp "$scratch/$part" "$1/$part"
    done
}

count=0
for case in "$cases"/*/; do
    count=$((count + 1))
done
mkdir "$scratch/reports"
echo "1..$((count + 1))"
number=0
failed=0
for case in "$cases"/*/; do
    case=${case%/}
    number=$((number + 1))
    rm -rf "$scratch/work"
    mkdir "$scratch/work"
    (cd "$scratch/work" && sh "$case/cmd" >"$scratch/stdout" 2>"$scratch/stderr" </dev/null)
    echo $? >"$scratch/exit"
    if [ "$2" = --bless ]; then
        bless "$case"
    fi
    for report in "$scratch/work"/*.json "$scratch/stdout"; do
        if grep -qs '^ *"schema": "lipaudit.report/1"' "$report"; then
            cp "$report" "$scratch/reports/$number-$(basename "$report")"
        fi
    done
    problem=
    for part in stdout stderr; do
        if [ -e "$case/$part" ] && ! cmp -s "$case/$part" "$scratch/$part"; then
            problem="$problem $part"
        fi
    done
    wanted=0
    [ ! -e "$case/exit" ] || wanted=$(cat "$case/exit")
    [ "$(cat "$scratch/exit")" = "$wanted" ] || problem="$problem exit"
    if [ -z "$problem" ]; then
        echo "ok $number - $(basename "$case")"
        continue
    fi
    failed=1
    echo "not ok $number - $(basename "$case")"
    echo "# differs:$problem; exit status $(cat "$scratch/exit"), wanted $wanted"
    for part in stdout stderr; do
        [ ! -e "$case/$part" ] || diff -u "$case/$part" "$scratch/$part" | sed 's/^/# /'
    done
done

number=$((number + 1))
if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    echo "ok $number - JSON reports meet the schema # SKIP python3-jsonschema is not installed"
elif /usr/bin/python3 "$cases/../valid.py" "$cases/../../../audit/report/report.schema.json" "$scratch/reports"/*; then
    echo "ok $number - JSON reports meet the schema"
else
    failed=1
    echo "not ok $number - JSON reports meet the schema"
fi
exit $failed
