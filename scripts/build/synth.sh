#!/usr/bin/env bash
# Synthesizes the CloudFormation templates into cdk.out/ and checks them. Needs no account.
# Settings: scripts/build/synth.sh name=value … (see cdk.json).
set -euo pipefail
cd "$(dirname "$0")/../.."

# What a fresh clone has to build and fetch goes side by side.
jobs=()
[ -f frontend/dist/index.html ] || { make --no-print-directory web & jobs+=($!); }
scripts/build/cdk-app.sh build & jobs+=($!)
scripts/build/cfn-lint.sh & jobs+=($!)
make --no-print-directory lambdas
for job in "${jobs[@]}"; do wait "$job"; done

echo "synthesizing"
rm -rf cdk.out
context=$(node -e 'const c = require("./cdk.json").context;
  for (const a of process.argv.slice(1)) { const [k, ...v] = a.split("="); c[k] = v.join("="); }
  console.log(JSON.stringify(c));' -- "$@")
CDK_OUTDIR=cdk.out CDK_CONTEXT_JSON=$context scripts/build/cdk-app.sh
echo "linting"
scripts/build/cfn-lint.sh cdk.out/*.template.json # in one process: half of its work is to start
ls cdk.out/*.template.json
