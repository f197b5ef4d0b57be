#!/bin/sh
# tap.sh PROGRAM [ARGS]: runs a cmocka program with TAP output.
# cmocka 1.1 reports a skipped test as "not ok N # SKIP", which TAP (and meson) count as a failure.
# SPDX-License-Identifier: Apache-2.0
CMOCKA_MESSAGE_OUTPUT=TAP
export CMOCKA_MESSAGE_OUTPUT
log=$(mktemp) || exit 99
trap 'rm -f "$log"' EXIT
"$@" >"$log"
status=$?
sed 's/^not ok \([0-9]*\) # SKIP/ok \1 # SKIP/' "$log"
exit $status
