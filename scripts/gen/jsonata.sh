#!/bin/sh
# Fetch the jsonata bundle that pkg/asl/jsonata embeds: npm's tarball of the pinned version, its
# minified build and its licence. The checksum is a constant of the package and checked by its test.
set -eu
version=2.0.6
target=$(cd "$(dirname "$0")/../../pkg/asl/jsonata" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent "jsonata@$version" >/dev/null
tar -xzf "jsonata-$version.tgz"
cp package/jsonata.min.js package/LICENSE "$target/"
sha256sum "$target/jsonata.min.js"
