#!/bin/sh
# setup.sh build | demo | test: from a bare machine to a build, a first report, or the whole test suite.
#
# On Debian 12 and Ubuntu 24.04 it installs the packages that are missing (sudo if not root); elsewhere it names them
# and stops. Exit status: 0 done, 1 a test fails, 2 it could not be done.
# SPDX-License-Identifier: Apache-2.0
set -eu
cd "$(dirname "$0")"
# The distribution's meson, ninja and python fit together; others in front of them may not.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
LC_ALL=C
export PATH LC_ALL

BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config protobuf-compiler protobuf-c-compiler libprotobuf-c-dev
    libonnx-dev libopenblas-dev liblapacke-dev libjansson-dev libyaml-dev zlib1g-dev libzip-dev"
TEST_PACKAGES="clang libcmocka-dev valgrind binutils python3-jsonschema"

usage() {
    echo "usage: ./setup.sh build   builds into build/"
    echo "       ./setup.sh demo    builds, then audits two fixtures: a baseline beside Lipschitz-Margin Training"
    echo "       ./setup.sh test    builds with gcc, clang and the sanitizers, and runs every test with each"
}

say() {
    echo "setup.sh: $*" >&2
}

system() {
    # shellcheck disable=SC1091
    (. /etc/os-release && echo "$ID $VERSION_ID") 2>/dev/null || echo unknown
}

missing_of() {
    for package in "$@"; do
        status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=
        [ "$status" = "install ok installed" ] || printf '%s ' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "neither root nor sudo: run as root: $*"
        exit 2
    fi
}

updated=
install_packages() {
    missing=$(missing_of "$@")
    [ -n "$missing" ] || return 0
    case $(system) in
    "debian 12" | "ubuntu 24.04") ;;
    *)
        say "this is neither Debian 12 nor Ubuntu 24.04; install what these packages hold, then run it again:"
        say "$missing"
        exit 2
        ;;
    esac
    say "installing $missing"
    if [ -z "$updated" ]; then
        as_root apt-get update -q || say "the package lists could not be brought up to date; going on with the old ones"
        updated=yes
    fi
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing || {
        say "could not install: $missing"
        exit 2
    }
}

# clang's sanitizers are a package of their own, named after its version.
install_clang_runtime() {
    version=$(clang -dumpversion | cut -d . -f 1)
    install_packages "libclang-rt-$version-dev"
}

# A build folder that is half made, or that another version of meson made, starts afresh.
configured() {
    [ -f build/build.ninja ] && meson setup --reconfigure build >/dev/null 2>&1
}

# Where the distribution's own tools look below /usr/local; meson knows by itself only where dpkg-dev is installed.
library_folder() {
    triplet=$(cc -print-multiarch 2>/dev/null) || return 0
    [ -z "$triplet" ] || echo "--libdir=lib/$triplet"
}

build() {
    # shellcheck disable=SC2086
    install_packages $BUILD_PACKAGES
    configured || {
        rm -rf build
        # shellcheck disable=SC2046
        meson setup build $(library_folder)
    } || {
        say "the build could not be configured; build/meson-logs/meson-log.txt says why"
        exit 2
    }
    meson compile -C build || {
        say "the build fails"
        exit 2
    }
}

demo() {
    models=fixtures/models
    echo "=== The baseline, a network trained plainly"
    build/audit/lipaudit audit "$models/fmnist_small_base_torchscript.onnx" --exact always --effort 0 \
        --report json=build/demo-base.json
    echo
    echo "=== The same network with Lipschitz-Margin Training, beside it"
    build/audit/lipaudit compare build/demo-base.json "$models/fmnist_small_lmt_torchscript.onnx" --exact always \
        --effort 0 --report html=build/demo.html
    echo
    echo "build/demo.html shows it as a picture."
}

case ${1-} in
build)
    build
    ;;
demo)
    build
    demo
    ;;
test)
    # shellcheck disable=SC2086
    install_packages $BUILD_PACKAGES $TEST_PACKAGES
    install_clang_runtime
    exec tests/run
    ;;
-h | --help)
    usage
    ;;
*)
    usage >&2
    exit 2
    ;;
esac
