#!/usr/bin/env bash
# The CDK app for the CDK's command line (cdk.json); with "build" it is only built. It leaves out jsii's remarks
# about Node's age.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .cache
go build -buildvcs=false -o .cache/cdk-app ./infra
[ "${1:-}" != build ] || exit 0
major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
export "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=$major" "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION=$major"
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1
exec .cache/cdk-app
