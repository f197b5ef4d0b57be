#!/bin/sh
# readme.sh LIPAUDIT README: the README's list of operators is what `lipaudit ops` prints, as TAP.
# SPDX-License-Identifier: Apache-2.0
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
echo "1..1"
"$1" ops --format markdown >"$scratch/printed"
sed -n '/^| operator | domain | opsets | gain |$/,/^$/p' "$2" | grep '^|' >"$scratch/shown"
if [ -s "$scratch/printed" ] && diff -u "$scratch/shown" "$scratch/printed" >"$scratch/diff"; then
    echo "ok 1 - the README lists the operators"
else
    echo "not ok 1 - the README lists the operators: paste what \`lipaudit ops --format markdown\` prints"
    sed 's/^/# /' "$scratch/diff"
    exit 1
fi
