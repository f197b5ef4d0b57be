#!/bin/sh
# run.sh SOURCE BUILD LIBRARY: the rules that hold the layers apart, as TAP.
#
# Flags come from the build's own compile_commands.json, so that what is tested is what is built.
# SPDX-License-Identifier: Apache-2.0
source=$(realpath "$1")
build=$(realpath "$2")
library=$(realpath "$3")
sanitized=${4:-none}
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$source" || exit 99
number=0
failed=0

# report NAME: ok if $scratch/problems is empty, which it leaves empty.
report() {
    number=$((number + 1))
    if [ ! -s "$scratch/problems" ]; then
        echo "ok $number - $1"
    else
        failed=1
        echo "not ok $number - $1"
        sed 's/^/# /' "$scratch/problems"
    fi
    : >"$scratch/problems"
}

# command_of LAYER: compiler and flags of a source file of that layer.
command_of() {
    sed -n "s|^ *\"command\": \"\(.*\) -o [^ ]* -c [^ ]*/$1/[^ ]*\.c\",*\$|\1|p" "$build/compile_commands.json" |
        head -n 1 | sed 's/ -M[DQF]* [^ ]*\.[od]//g; s/ -MD//g; s/\\"/"/g'
}

# compiles LAYER HEADER: does a file of that layer that includes HEADER, and nothing else, compile?
compiles() {
    printf '#include "%s"\ntypedef int not_empty;\n' "$2" >"$scratch/one.c"
    (cd "$build" && eval "$(command_of "$1") -fsyntax-only -Werror $scratch/one.c") >"$scratch/log" 2>&1
}

must_compile() {
    compiles "$1" "$2" || { echo "$2 in $1/:"; head -n 5 "$scratch/log"; } >>"$scratch/problems"
}

must_not_compile() {
    if compiles "$1" "$2"; then
        echo "a file in $1/ that includes $2 compiles" >>"$scratch/problems"
    elif ! grep -q 'No such file\|not found' "$scratch/log"; then
        { echo "$2 in $1/ fails for another reason:"; head -n 5 "$scratch/log"; } >>"$scratch/problems"
    fi
}

# only LAYER PATTERN: no other layer includes what matches.
only() {
    for layer in include onnx bounds audit; do
        [ "$layer" = "$1" ] || grep -rnE "#include [<\"]($2)" "$layer" >>"$scratch/problems"
    done
}

sources() {
    find include onnx bounds audit tests -name '*.c' -o -name '*.h'
}

: >"$scratch/problems"
echo "1..8"

for header in include/lipaudit.h include/onnx/*.h; do
    must_compile onnx "$PWD/$header"
done
for header in include/bounds/*.h; do
    must_compile bounds "$PWD/$header"
done
report "each header of include/ compiles alone"

for layer in onnx bounds audit; do
    for header in $(find $layer -name '*.h'); do
        must_compile $layer "$PWD/$header"
    done
done
report "each private header compiles alone in its layer"

must_compile audit audit.h
must_not_compile audit graph.h
must_not_compile audit op.h
must_not_compile audit onnx.pb-c.h
must_not_compile bounds onnx.pb-c.h
must_not_compile onnx audit.h
report "an include that goes against the order of the layers does not compile"

only onnx 'protobuf-c/|onnx.pb-c.h'
only bounds 'lapacke'
only audit 'jansson.h|yaml.h|zlib.h|zip.h|getopt.h'
report "each outside library is seen by one layer"

grep -rnE '(^|[^_a-z.])(printf|puts|putchar|perror|exit|_exit|abort|assert) ?\(' onnx bounds --include='*.c' \
    >>"$scratch/problems"
report "the library never prints, exits or asserts"

if [ "$sanitized" = none ]; then
    nm -D --defined-only "$library" | awk '$3 !~ /^lip_/ { print "exported: " $3 }' >>"$scratch/problems"
fi
report "every exported symbol starts with lip_"

for file in $(sources); do
    grep -q 'SPDX-License-Identifier: Apache-2.0' "$file" || echo "$file has none"
done >>"$scratch/problems"
report "every source file names its licence"

for file in $(sources); do
    awk 'END { if (NR > 700) print FILENAME " has " NR " lines" }' "$file"
done >>"$scratch/problems"
report "no source file has more than 700 lines"

exit $failed
