#!/usr/bin/env bash
# Go's benchmarks, and moto's Step Functions interpreter beside ours. Prints; asserts nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" -timeout 2h ./pkg/...
scripts/build/moto.sh
.cache/moto/bin/python scripts/gen/moto_bench.py
