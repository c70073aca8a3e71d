#!/usr/bin/env bash
# Builds every folder of functions/ for Lambda: dist/<name>.zip with one arm64 binary called bootstrap. What did not
# change is not linked again, and its archive stays the same byte for byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=dist/.bin
mkdir -p "$bin"
# Build ids stay in: by them Go knows what it need not link again. Paths and commits do not get in.
names=$(find functions -mindepth 2 -maxdepth 2 -name main.go -printf '%h\n' | xargs -n1 basename | sort)
echo "building $(wc -l <<<"$names") Lambda functions"
GOOS=linux GOARCH=arm64 CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags lambda.norpc \
  -ldflags "-s -w" -o "$bin/" $(sed 's|^|./functions/|' <<<"$names")
go build -buildvcs=false -o dist/.archive ./scripts/build/archive
for name in $names; do
  [ "dist/$name.zip" -nt "$bin/$name" ] || dist/.archive "dist/$name.zip" "$bin/$name"
done
for zip in dist/*.zip; do
  name=$(basename "$zip" .zip)
  [ -d "functions/$name" ] || rm -f "$zip" "$bin/$name"
done
