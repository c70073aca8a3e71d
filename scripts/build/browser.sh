#!/usr/bin/env bash
# Makes sure that there is a Chromium for the browser tests: CHROMIUM, the PATH, or Debian's package.
set -euo pipefail
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$name" ] && command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "no Chromium found: install it (Debian: apt-get install chromium) or set CHROMIUM to its path" >&2
  exit 1
fi
echo "installing Chromium"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
