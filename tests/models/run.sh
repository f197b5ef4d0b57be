#!/bin/sh
# run.sh [--max-parameters N] CHECK_MODEL SHARED: check_model over every model that SHARED/models/manifest.tsv lists.
#
# Each model in a process of its own, two at a time, with a limit of processor time, so that other work on the machine
# fails nothing. Output is TAP: one test a model, then a test that the feed-forward networks (category a) are audited,
# and a table.
# SPDX-License-Identifier: Apache-2.0
set -u
SECONDS_EACH=120

# Networks of category a that have no Lipschitz constant, checked by hand:
# a Sign after every convolution; squares of and products between activations.
UNBOUNDED="
3_30_30_QConv_16_3_QConv_32_2_Dense_43_ep_30
14_ieee_ml4acopf-linear-residual
"

# Networks whose bound needs a range: attention, and dynamics with products of states.
FINITE_ON_BOX="
vnn23_vit_pgd_2_3_16/pgd_2_3_16
Deeploy_CCT_1_16_16_64_network/network
vnn24_lsnc_quadrotor2d_state/quadrotor2d_state
"

max_parameters=0
if [ "$1" = --max-parameters ]; then
    max_parameters=$2
    shift 2
fi
check_model=$1
shared=$2
manifest=$shared/models/manifest.tsv
if [ ! -r "$manifest" ]; then
    echo "1..0 # SKIP no models by others here ($manifest)"
    exit 0
fi
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT

# One line a model: number, category (its letter or word), file.
awk -F '\t' 'NR > 1 { sub(/:.*/, "", $11); print NR - 1 "\t" $11 "\t" $1 }' "$manifest" >"$scratch/list"
cut -f 1,3 "$scratch/list" | tr '\t\n' '\0\0' | xargs -0 -n 2 -P 2 sh -c '
    ulimit -t "$0"
    "$1" --data "$2/data" --max-parameters "$3" "$2/$6" >"$4/$5.line" 2>"$4/$5.wrong"
    echo $? >"$4/$5.status"' "$SECONDS_EACH" "$check_model" "$shared" "$max_parameters" "$scratch"

echo "1..$(($(wc -l <"$scratch/list") + 2))"
while IFS='	' read -r number category file; do
    name=$(basename "$(dirname "$file")")/$(basename "$file" .onnx)
    status=$(cat "$scratch/$number.status" 2>/dev/null || echo none)
    line=$(cat "$scratch/$number.line" 2>/dev/null)
    printf '%s\t%s\t%s\t%s\n' "$status" "$category" "$name" "$line"
    sed 's/^/wrong\t/' "$scratch/$number.wrong"
done <"$scratch/list" | awk -F '\t' -v limit="$SECONDS_EACH" -v right="$UNBOUNDED" -v boxed="$FINITE_ON_BOX" '
    BEGIN {
        count = split(right, names, /[ \n]+/)
        for (i = 1; i <= count; i++) rightly[names[i]] = names[i] != ""
        count = split(boxed, names, /[ \n]+/)
        for (i = 1; i <= count; i++) needed[names[i]] = names[i] != ""
    }
    $1 == "wrong" { print "# " substr($0, 7); next }
    {
        short = $3
        sub(/.*\//, "", short)
        title = sprintf("%d - %s %s:", ++tests, $2, $3)
        if ($4 == "skipped") {
            print "ok " title " # SKIP more parameters than this build checks"
        } else if ($1 == 137 || $1 == 152) {
            print "not ok " title " took more than " limit " s"
        } else if ($1 != 0 && $4 == "") {
            print "not ok " title " ended with status " $1
        } else {
            printf "%s %s %s, L_F %s, forward %s", $1 == 0 ? "ok" : "not ok", title, $4, $5, $6
            if ($8 > 0) printf " (%d, worst difference %s)", $8, $7
            printf ", %s of L_F seen, %s s, %s MiB%s%s\n", $9, $10, $11, $12 == "" ? "" : ": ", substr($12, 1, 120)
            if ($4 != "bounded" && $13 != "none") printf "# on [0, 1]: %s, L_F %s\n", $13, $14
        }
        total[$2]++; found[$2, $4]++
        forward[$2, $6]++; seconds[$2] += $10
        if ($10 > slowest[$2]) slowest[$2] = $10
        if ($11 > most[$2]) most[$2] = $11
        if ($4 == "bounded" || ($4 == "unbounded" && rightly[short])) audited[$2]++
        if (needed[$3] && $4 != "skipped") {
            on_box++
            if ($13 == "bounded") finite_on_box++
        }
    }
    END {
        counted = total["a"] - found["a", "skipped"]
        printf "%s %d - category a: %d of %d bounded or rightly unbounded, 75 %% wanted\n",
            (audited["a"] >= 0.75 * counted ? "ok" : "not ok"), ++tests, audited["a"], counted
        printf "%s %d - attention and dynamics: %d of %d bounded on inputs in [0, 1]\n",
            (finite_on_box == on_box ? "ok" : "not ok"), ++tests, finite_on_box, on_box
        form = "# %-12s %6s %8s %10s %8s %8s %8s %7s %10s %5s %8s %8s %6s\n"
        printf form, "category", "models", "bounded", "unbounded", "unknown", "refused", "skipped", "agreed",
            "disagreed", "none", "seconds", "slowest", "MiB"
        known = split("a b c unit unparsable", order, " ")
        for (i = 1; i <= known; i++) {
            c = order[i]
            printf form, c, total[c] + 0, found[c, "bounded"] + 0, found[c, "unbounded"] + 0, found[c, "unknown"] + 0,
                found[c, "refused"] + 0, found[c, "skipped"] + 0, forward[c, "agreed"] + 0,
                forward[c, "disagreed"] + 0, forward[c, "none"] + 0, sprintf("%.1f", seconds[c]), slowest[c] + 0,
                most[c] + 0
        }
    }' >"$scratch/tap"
cat "$scratch/tap"
! grep -q '^not ok' "$scratch/tap"
