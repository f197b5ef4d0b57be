#!/bin/sh
# run.sh SOURCE BUILD VERSION: what `meson install` leaves is enough to build against and to run, as TAP.
# SPDX-License-Identifier: Apache-2.0
source=$(realpath "$1")
build=$(realpath "$2")
version=$3
root=$(mktemp -d) || exit 99
trap 'rm -rf "$root"' EXIT
number=0
failed=0

# check NAME COMMAND: ok if the command succeeds.
check() {
    name=$1
    shift
    number=$((number + 1))
    if "$@" >"$root/log" 2>&1; then
        echo "ok $number - $name"
    else
        failed=1
        echo "not ok $number - $name"
        sed 's/^/# /' "$root/log"
    fi
}

# The meson that configured the build, whatever is in PATH.
do_install() {
    meson=$(sed -n 's/^ *COMMAND = \(.*\) install --no-rebuild$/\1/p' "$build/build.ninja" | head -n 1)
    cd "$build" && eval "DESTDIR=$root/dest $meson install --no-rebuild --quiet"
}

compile() {
    pc=$(dirname "$(find "$root/dest" -name lipaudit.pc)")
    libraries=$(dirname "$(find "$root/dest" -name liblipaudit.so)")
    flags=$(PKG_CONFIG_PATH=$pc PKG_CONFIG_SYSROOT_DIR=$root/dest pkg-config --cflags --libs lipaudit) || return 1
    # shellcheck disable=SC2086
    ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Werror "$source/tests/install/consumer.c" -o "$root/consumer" \
        $flags -Wl,-rpath,"$libraries"
}

runs() {
    [ "$("$root/consumer")" = "$version" ]
}

has_version() {
    [ "$(PKG_CONFIG_PATH=$pc pkg-config --modversion lipaudit)" = "$version" ]
}

# There is a file of each name.
installed() {
    for name in "$@"; do
        [ -n "$(find "$root/dest" -name "$name")" ] || { echo "$name is not there" && return 1; }
    done
}

command_runs() {
    command=$(find "$root/dest" -path '*/bin/lipaudit')
    "$command" --version | grep -q "^lipaudit $version\$"
}

only_one_header() {
    [ "$(find "$root/dest" -name '*.h' | wc -l)" -eq 1 ]
}

echo "1..8"
check "meson install" do_install
check "a program compiles through pkg-config" compile
check "and runs" runs
check "pkg-config knows the version" has_version
check "the manual pages are installed" installed "lipaudit.1*" "lipaudit-policy.5*" "lipaudit-report.5*"
check "schema and completion are installed" installed report.schema.json _lipaudit lipaudit.fish
check "the command runs from where it is installed" command_runs
check "the public header is the only one" only_one_header
exit $failed
