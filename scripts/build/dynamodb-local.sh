#!/usr/bin/env bash
# Fetches DynamoDB Local into .cache/dynamodb-local, once, by Maven. It needs Java 17 or later to run.
set -euo pipefail
cd "$(dirname "$0")/../.."
dir=.cache/dynamodb-local
pom=scripts/build/dynamodb-local/pom.xml
if cmp -s "$pom" "$dir/pom.xml"; then exit 0; fi
for tool in java mvn; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: install a JDK 17 or later and Maven (Debian: apt-get install openjdk-17-jdk-headless maven)" >&2; exit 1; }
done
echo "fetching DynamoDB Local (46 MB)"
rm -rf "$dir"
mkdir -p "$dir"
mvn -q -B -f "$pom" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$PWD/$dir/lib"
cp "$pom" "$dir/pom.xml" # last: it marks the folder as complete
echo "DynamoDB Local is in $dir"
