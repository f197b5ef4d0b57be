#!/bin/sh
# run.sh LIPAUDIT MAN COMPLETION: the manual pages and the completion say what the program does, as TAP: every flag is
# there, and the examples run as printed.
# SPDX-License-Identifier: Apache-2.0
program=$(realpath "$1") || exit 99
man=$(realpath "$2") || exit 99
completion=$(realpath "$3") || exit 99
fixtures=$(cd "$(dirname "$0")/../../../fixtures" && pwd)
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
number=0
failed=0

report() {
    number=$((number + 1))
    if [ ! -s problems ]; then
        echo "ok $number - $1"
    else
        failed=1
        echo "not ok $number - $1"
        sed 's/^/# /' problems
    fi
    : >problems
}

# The examples use names of files that a reader would have.
cp "$fixtures/models/fmnist_small_lmt_torchscript.onnx" model.onnx
npy() { # TYPE SHAPE: the header of an .npy file of version 1
    printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': ($2,), }"
}
{ npy '|u1' '4, 784' && head -c 3136 "$fixtures/models/fmnist_wrn_lmt.onnx"; } >x.npy
{ npy '|u1' 4 && printf '\001\002\003\004'; } >y.npy
zcat "$fixtures/data/fmnist-1000-images-idx3-ubyte.gz" >test-images-idx3-ubyte
zcat "$fixtures/data/fmnist-1000-labels-idx1-ubyte.gz" >test-labels-idx1-ubyte
gzip test-images-idx3-ubyte test-labels-idx1-ubyte
mkdir bin
cat >bin/lipaudit <<SCRIPT
#!/bin/sh
case \$1 in
audit | certify | check | compare) exec "$program" "\$@" --effort 0 --exact never --quiet ;;
*) exec "$program" "\$@" ;;
esac
SCRIPT
chmod +x bin/lipaudit
PATH=$work/bin:$PATH
: >problems

echo "1..5"
sed 's/\\-/-/g' "$man/lipaudit.1" >plain
for command in $("$program" --help | sed -n 's/^  lipaudit \([a-z]*\) .*/\1/p'); do
    grep -q "^\.B lipaudit $command\$" "$man/lipaudit.1" || echo "$command is not in lipaudit.1" >>problems
    grep -q "$command" "$completion" || echo "$command is not in the completion" >>problems
    "$program" "$command" --help | sed -n 's/^  \(-., \)*--\([a-z-]*\).*/\2/p' | while read -r flag; do
        grep -qe "--$flag\([^a-z-]\|\$\)" plain || echo "--$flag is not in lipaudit.1"
        grep -qe "--$flag " "$completion" || echo "--$flag is not in the completion"
    done >>problems
done
sort -u -o problems problems
report "every command and flag is in the manual and in the completion"

sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' "$man/lipaudit.1" | sed -n '/^\.nf/,/^\.fi/p' | grep '^lipaudit' >examples
[ "$(wc -l <examples)" -gt 10 ] || echo "there are few examples" >>problems
while read -r example; do
    sh -c "$example" >out 2>&1 </dev/null || { echo "$example: exit status $?"; head -n 5 out; } >>problems
done <examples
report "the examples of lipaudit(1) run"

sed -n '/^\.nf/,/^\.fi/p' "$man/lipaudit-policy.5" |
    awk '/^\.nf/ { n++; next } /^\.fi/ { next } { print >("policy-" n ".yaml") }'
for policy in policy-*.yaml; do
    lipaudit check model.onnx --policy "$policy" --limit 50 >out 2>&1 || { echo "$policy: exit status $?"; cat out; }
done >>problems
report "the examples of lipaudit-policy(5) hold"

# Every member of a report at the top is described.
sed -n 's/^  "\([a-z_]*\)": .*/\1/p' main.json audit.json 1.json | sort -u | grep -v schema | while read -r member; do
    grep -q "^\.B.* *$member" "$man/lipaudit-report.5" || echo "$member is not in lipaudit-report.5"
done >>problems
report "the members of a report are in lipaudit-report(5)"

if command -v man >/dev/null; then
    for page in lipaudit.1 lipaudit-policy.5 lipaudit-report.5; do
        LC_ALL=C.UTF-8 MANWIDTH=100 man --warnings -l "$man/$page" 2>>problems >/dev/null
    done
    report "the manual pages are well formed"
else
    echo "ok 5 - the manual pages are well formed # SKIP there is no man"
fi
exit $failed
