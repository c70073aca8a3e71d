#!/usr/bin/env bash
# Installs the moto server (a fake of AWS for tests of the adapters) into .cache/moto, once, by uv.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=.cache/moto
lock=scripts/build/moto.txt
uv=0.13.9
if cmp -s "$lock" "$dir/lock.txt" && [ -x "$dir/bin/moto_server" ]; then exit 0; fi
python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$python is older than 3.11; set PYTHON" >&2; exit 1; }
echo "installing the moto server"
rm -rf "$dir"
"$python" -m venv "$dir"
"$dir/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv"
UV_PYTHON="$dir/bin/python" "$dir/bin/uv" pip install --quiet -r "$lock"
cp "$lock" "$dir/lock.txt" # last: it marks the folder as complete
echo "the moto server is in $dir"
