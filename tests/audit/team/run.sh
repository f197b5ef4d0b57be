#!/bin/sh
# run.sh LIPAUDIT SCHEMA: a team's month with `lipaudit check` in its CI, as TAP: exit status, text and files of each
# step. Every JSON report that is written is held against the installed schema, where python3-jsonschema is there.
# SPDX-License-Identifier: Apache-2.0
LIPAUDIT=$(realpath "$1") || exit 99
SCHEMA=$(realpath "$2") || exit 99
VALID=$(realpath "$(dirname "$0")/../valid.py")
fixtures=$(cd "$(dirname "$0")/../../../fixtures" && pwd)
plain=$fixtures/models/fmnist_small_base_torchscript.onnx
better=$fixtures/models/fmnist_small_lmt_torchscript.onnx
renamed=$fixtures/models/fmnist_small_lmt_dynamo.onnx
images=$fixtures/data/fmnist-1000-images-idx3-ubyte.gz
labels=$fixtures/data/fmnist-1000-labels-idx1-ubyte.gz
quick="--effort 0 --exact never --quiet"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
unset GITHUB_STEP_SUMMARY NO_COLOR
number=0
failed=0

# run STATUS ARGUMENTS: runs lipaudit; the status is part of what is asserted.
run() {
    wanted=$1
    shift
    "$LIPAUDIT" "$@" >out 2>err
    status=$?
    [ "$status" = "$wanted" ] || problem="$problem; exit status $status, wanted $wanted, of: $*"
}

# has FILE TEXT, hasnt FILE TEXT: whole lines or parts of them.
has() {
    grep -qF -- "$2" "$1" 2>/dev/null || problem="$problem; '$2' is not in $1"
}

hasnt() {
    ! grep -qF -- "$2" "$1" 2>/dev/null || problem="$problem; '$2' is in $1"
}

absent() {
    [ ! -e "$1" ] || problem="$problem; $1 was written"
}

same() {
    cmp -s "$1" "$2" || problem="$problem; $1 and $2 differ"
}

step() {
    number=$((number + 1))
    if [ -z "$problem" ]; then
        echo "ok $number - $1"
    else
        failed=1
        echo "not ok $number - $1"
        echo "# ${problem#; }"
        sed 's/^/# out: /' out
        sed 's/^/# err: /' err
    fi
    problem=
}

valid() {
    /usr/bin/python3 "$VALID" "$SCHEMA" "$@"
}

echo "1..21"
problem=

# shellcheck disable=SC2086
{
run 0 audit "$plain" $quick --report json=first.json
has out "L_F <= "
has first.json '"schema": "lipaudit.report/1"'
step "the first audit"

run 0 check "$plain" $quick --baseline baseline.json --update-baseline
cp baseline.json again.json
run 0 check "$plain" $quick --baseline baseline.json --update-baseline
has out "unchanged"
same baseline.json again.json
hasnt baseline.json '"seconds"'
step "the baseline is committed, and made again it is the same file"

run 0 check "$plain" $quick --baseline baseline.json
has out "holds       baseline: L_F against the baseline's"
step "the same model passes"

run 0 check "$better" $quick --baseline baseline.json --report json=better.json
has out "(improved)"
has out "Beside the baseline baseline.json"
step "a better model passes"

run 0 check "$better" $quick --baseline baseline.json --update-baseline --report json=moved.json
has out "improved"
hasnt baseline.json "$(sha256sum "$plain" | cut -c 1-64)"
has baseline.json "$(sha256sum "$better" | cut -c 1-64)"
step "its report becomes the baseline, and says what moved"

run 1 check "$plain" $quick --baseline baseline.json --report github=annotations.txt --report json=worse.json \
    --report junit=worse.xml --report sarif=worse.sarif --report gitlab=worse.gitlab
has out "FAILS       baseline: L_F against the baseline's"
has annotations.txt "::error file="
has worse.xml '<failure message="wanted L_F against the baseline'
has worse.json '"change": "regressed"'
has worse.sarif '"ruleId": "gate-fails"'
has worse.sarif '"ruleId": "regressed"'
has worse.gitlab '"severity": "critical"'
[ "$(wc -l <annotations.txt)" -le 10 ] || problem="$problem; more than 10 annotations"
step "a worse model fails"

run 0 check "$plain" $quick --baseline baseline.json --exit-zero
has out "FAILS"
step "--exit-zero tells, and lets pass"

run 0 check "$renamed" $quick --baseline baseline.json --report json=renamed.json --max-layer-regression 1%
hasnt renamed.json '"change": "added"'
hasnt renamed.json '"change": "removed"'
has renamed.json '"matched_by": "weight"'
has renamed.json '"change": "unchanged"'
step "a new export with other node names passes, layer by layer"

head -c 3000 "$better" >broken.onnx
run 2 check broken.onnx $quick --baseline baseline.json --report html=broken.html
has err "broken.onnx: "
absent broken.html
[ ! -s out ] || problem="$problem; there is a report"
step "a model that cannot be read has no verdict, and no report"

run 2 check "$better" $quick --data "$images" --labels "$images" --min-radius 0.1 --report html=wrong.html
has err "fmnist-1000-images-idx3-ubyte.gz"
absent wrong.html
step "labels that are none have no verdict"

run 1 check "$better" $quick --data "$images" --labels "$labels" --scale 1/255 --limit 50 --min-radius 1000000 \
    --min-certified-accuracy 10%@36/255 --report json=radii.json --report html=radii.html
has out "FAILS       min-radius: median certified radius >= 1e+06; found "
has out "holds       min-certified-accuracy: certified accuracy at 0.141176 >= 0.1; found "
has radii.html "How many samples have which certified radius"
step "gates on radii"

run 0 check "$better" $quick --data "$images" --scale 1/255 --limit 2 --min-radius 0 --report json=two.json
run 0 check "$better" $quick --data "$images" --scale 1/255 --limit 2 --baseline two.json
hasnt out "(--local)"
run 0 check "$better" $quick --data "$images" --scale 1/255 --limit 2 --baseline two.json --local
has out "radii of the one have bounds around each sample (--local)"
step "radii with and without --local are told apart"

# Two samples of -1, as .npy: whoever made them has subtracted a mean.
{
    header="{'descr': '<f4', 'fortran_order': False, 'shape': (2, 784), }"
    printf '\223NUMPY\001\000\166\000%-117s\n' "$header"
    i=0
    while [ $i -lt 1568 ]; do
        printf '\000\000\200\277'
        i=$((i + 1))
    done
} >normalised.npy
run 2 check "$better" $quick --data normalised.npy --min-radius 0
has out "NO VERDICT"
has out "radius-space"
run 0 check "$better" $quick --data normalised.npy --min-radius 0 --radius-space model
step "radii in unknown units have no verdict until somebody says which"

cat >lipaudit.yaml <<'YAML'
# what this project asks of its models
max-lipschitz: 18
max-layer-upper:
  "conv*": 2
  fc1: 6
effort: 0
exact: never
YAML
run 0 check "$better" --quiet --policy lipaudit.yaml
has out "holds       max-layer-upper: gain of /conv2/Conv <= 2"
run 1 check "$plain" --quiet --policy lipaudit.yaml
run 0 check "$better" --quiet --policy lipaudit.yaml --max-lipschitz 1000
has out "L_F <= 1000"
step "a policy file, and a flag that replaces one of its lines"

printf 'max-lipschitz: 18\n\nmax-lipshitz: 3\n' >typo.yaml
run 2 check "$better" --policy typo.yaml
has err "typo.yaml: line 3: there is no key 'max-lipshitz'; did you mean 'max-lipschitz'?"
printf 'max-lipschitz: [1\n' >open.yaml
run 2 check "$better" --policy open.yaml
has err "open.yaml: line 2: not YAML"
printf 'max-lipschitz: 1\nmax-layer-upper: {conv1: x}\n' >value.yaml
run 2 check "$better" --policy value.yaml
has err "value.yaml: line 2: --max-layer-upper: 'conv1=x' is not PATTERN=BOUND"
step "errors in a policy name the line"

run 2 check "$better" $quick --max-layer-upper 'nowhere*=3'
has out "no layer has such a name or module path"
run 2 check "$better" $quick
has err "'check' wants a gate"
run 2 check "$better" $quick --baseline baseline.json --report json=baseline.json
has err "the report would replace the baseline"
cp worse.json read.json
run 2 report read.json -o read.json
has err "the report would replace a file that is read"
run 2 compare read.json "$better" $quick --report html=./read.json
same worse.json read.json
run 2 check "$better" $quick --max-lipschitz 1000 --report json=twice.out --report html=./twice.out
has err "two reports go to this file"
run 2 check "$better" $quick --baseline baseline.json --max-regression 5%+6%
has err "'5%+6%' is not a growth"
absent twice.out
run 2 check "$better" $quick --baseline missing.json
has err "missing.json: No such file or directory"
step "what was not measured is never taken for success"

for format in text json csv markdown html junit sarif github gitlab openmetrics dot; do
    run 0 report worse.json --format $format -o saved.$format
    run 1 check worse.json --baseline baseline.json --format $format -o fresh.$format
    [ -s saved.$format ] || problem="$problem; $format is empty"
done
run 0 report worse.json -o saved.txt
run 0 report saved.json -o twice.txt
same saved.txt twice.txt
same saved.csv fresh.csv
step "a saved report in every format, and as a model"

echo '{"schema": "lipaudit.report/2"}' >other.json
run 2 report other.json
has err "other.json: its schema is 'lipaudit.report/2'"
echo '{"schema": ' >half.json
run 2 report half.json -o never.txt
has err "half.json: not JSON: line "
absent never.txt
run 2 report "$better"
echo '{"name": "lipaudit"}' >none.json
run 2 report none.json
has err "not a report of lipaudit"
step "what is no report is refused"

run 2 report worse.json --format html -o /dev/full
has err "cannot write the report to /dev/full: No space left on device"
run 2 report worse.json --format html -o /proc/lipaudit.html
has err "cannot write the report to /proc/lipaudit.html"
run 2 check "$better" $quick --baseline /proc/baseline.json --update-baseline
has err "cannot write the baseline to /proc/baseline.json"
GITHUB_STEP_SUMMARY=/dev/full
export GITHUB_STEP_SUMMARY
run 2 report worse.json --format markdown
has err "cannot append the report to the step summary /dev/full"
step "a full disk and a folder that cannot be written have no verdict"

GITHUB_STEP_SUMMARY=$work/summary.md
head -c 1048000 /dev/zero | tr '\0' '\n' >summary.md
run 0 report worse.json --format markdown
has summary.md "(cut: a step summary holds 1 MiB)"
[ "$(wc -c <summary.md)" -le 1048576 ] || problem="$problem; the summary is longer than 1 MiB"
: >summary.md
run 0 report worse.json --format markdown
same out summary.md
unset GITHUB_STEP_SUMMARY
step "the step summary of GitHub Actions"
}

number=$((number + 1))
if ! /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    echo "ok $number - reports meet the installed schema # SKIP python3-jsonschema is not installed"
elif valid first.json baseline.json better.json moved.json worse.json renamed.json radii.json >schema.log 2>&1; then
    echo "ok $number - reports meet the installed schema"
else
    failed=1
    echo "not ok $number - reports meet the installed schema"
    cat schema.log
fi
exit $failed
