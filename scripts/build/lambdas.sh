#!/usr/bin/env bash
# Builds every folder of functions/ for Lambda: dist/<name>.zip with one arm64 binary called bootstrap. What did not
# change is not linked again, and its archive stays the same byte for byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p dist
export GOOS=linux GOARCH=arm64 CGO_ENABLED=0
names=$(find functions -mindepth 2 -maxdepth 2 -name main.go -printf '%h\n' | xargs -n1 basename | sort)
echo "building $(wc -l <<<"$names") Lambda functions"
for name in $names; do
  mkdir -p "dist/$name"
  go build -trimpath -buildvcs=false -tags lambda.norpc -ldflags "-s -w -buildid=" -o "dist/$name/bootstrap" "./functions/$name"
  go run ./scripts/build/archive "dist/$name.zip" "dist/$name/bootstrap"
done
for zip in dist/*.zip; do
  name=$(basename "$zip" .zip)
  [ -d "functions/$name" ] || rm -rf "$zip" "dist/$name"
done
