#!/bin/sh
# Make .venv with a Python that is new enough and install a requirements file into it when that file changed.
# usage: config/setup.sh requirements.txt | config/setup.sh --find-python
set -eu
cd "$(dirname "$0")/.."

WANTED="Install Python 3.12 or newer with its venv module (Debian, Ubuntu: apt-get install python3 python3-venv; \
macOS: brew install python) and run this again."

new_enough() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 12))' </dev/null >/dev/null 2>&1
}

find_python() {
    for name in python3.14 python3.13 python3.12 python3; do
        # A pyenv shim exists for versions that are not active, and fails when it is run.
        if new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    versions="${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions"
    for version in $(ls "$versions" 2>/dev/null | sort -t. -k1,1nr -k2,2nr -k3,3nr); do
        if new_enough "$versions/$version/bin/python3"; then
            echo "$versions/$version/bin/python3"
            return
        fi
    done
    echo "No Python 3.12 or newer with a venv module was found. $WANTED" >&2
    return 1
}

make_environment() {
    if new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(find_python)
    echo "Making .venv with $python"
    if ! "$python" -m venv --clear .venv; then
        echo "$python could not make .venv: see the message above." >&2
        return 1
    fi
}

install() {
    # requirements-dev.txt includes requirements.txt, so the stamp covers both.
    stamp=".venv/installed-$1"
    hash=$(cat requirements.txt "$1" | cksum)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ]; then
        return
    fi
    echo "Installing $1 into .venv"
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r "$1" </dev/null; then
        echo "pip could not install $1: see the message above, then run this again." >&2
        return 1
    fi
    echo "$hash" >"$stamp"
}

if [ "$1" = "--find-python" ]; then
    find_python
else
    make_environment
    install "$1"
fi
