#!/bin/sh
# parsers.sh LIPAUDIT: reports as other people's parsers read them, as TAP: promtool, dot, Python's XML and CSV readers,
# each where it is installed. The second model has names that are markup in one format or another.
# SPDX-License-Identifier: Apache-2.0
LIPAUDIT=$(realpath "$1") || exit 99
model=$(cd "$(dirname "$0")/../../fixtures/models" && pwd)/fmnist_small_lmt_torchscript.onnx || exit 99
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset GITHUB_STEP_SUMMARY
number=0
failed=0

# try WHAT PROGRAM: runs the function `WHAT` on both reports; without PROGRAM that is skipped.
try() {
    number=$((number + 1))
    if ! command -v "$2" >found 2>&1; then
        echo "ok $number - $1 # SKIP $2 is not installed"
    elif "$1" plain >log 2>&1 && "$1" odd >>log 2>&1; then
        echo "ok $number - $1"
    else
        failed=1
        echo "not ok $number - $1"
        sed 's/^/# /' log
    fi
}

openmetrics() {
    promtool check metrics <"$1.openmetrics"
}

graph() {
    dot -Tsvg -o "$1.svg" "$1.dot" && grep -q '<svg' "$1.svg" && ! grep -q '<script' "$1.svg"
}

# The counts that a suite states are those of its cases.
junit() {
    python3 - "$1.junit" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites" and len(root) == 2, root
for suite in root:
    count = lambda tag: len(suite.findall("testcase/" + tag))
    assert int(suite.get("tests")) == len(suite.findall("testcase")) > 0
    for tag, stated in ("failure", "failures"), ("error", "errors"), ("skipped", "skipped"):
        assert int(suite.get(stated)) == count(tag), (tag, suite.attrib)
assert int(root.get("failures")) == 9, root.attrib
PYTHON
}

table() {
    python3 - "$1.csv" <<'PYTHON'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))
assert len(rows) == 9 and len({len(row) for row in rows}) == 1, rows
PYTHON
}

odd_names() {
    sed -e 's|"module": ""|"module": "]]><script>\\u001b\\n\\"\\\\,{\&lt;"|' -e 's|"name": "[^"]*",|"name": "]]><script>\\n\\"\\\\,{\&lt;",|' plain.json
}

echo "1..5"
problem=
"$LIPAUDIT" audit "$model" --effort 0 --exact never --quiet --report json=plain.json >out 2>err
odd_names >odd.json
for report in plain odd; do
    "$LIPAUDIT" check $report.json --max-lipschitz 1 --max-layer-upper '*=0.5' --report openmetrics=$report.openmetrics \
        --report dot=$report.dot --report junit=$report.junit --report csv=$report.csv >out 2>err
    status=$?
    [ $status = 1 ] || problem="$problem $report.json: exit status $status: $(cat err)"
done
number=1
if [ -z "$problem" ]; then
    echo "ok 1 - the reports are made"
else
    failed=1
    echo "not ok 1 - the reports are made:$problem"
fi
try openmetrics promtool
try graph dot
try junit python3
try table python3
exit $failed
