#!/usr/bin/env bash
# Checks CloudFormation templates: cfn-lint.sh TEMPLATE…. Installs cfn-lint into .cache/cfn-lint, once, by uv; without
# templates that is all.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
dir=$root/.cache/cfn-lint
lock=$root/scripts/build/cfn-lint.txt
uv=0.13.9
install() {
  local python=${PYTHON:-python3}
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$python is older than 3.11; set PYTHON" >&2; exit 1; }
  echo "installing cfn-lint" >&2
  rm -rf "$dir"
  "$python" -m venv "$dir"
  "$dir/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv"
  UV_PYTHON="$dir/bin/python" "$dir/bin/uv" pip install --quiet -r "$lock"
  cp "$lock" "$dir/lock.txt" # last: it marks the folder as complete
}
cmp -s "$lock" "$dir/lock.txt" && [ -x "$dir/bin/cfn-lint" ] || install
[ $# -gt 0 ] || exit 0
# W3005: the CDK states dependencies that the template implies already.
exec "$dir/bin/cfn-lint" --regions eu-central-1 --ignore-checks W3005 --format parseable "$@"
