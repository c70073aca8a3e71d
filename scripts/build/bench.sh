#!/usr/bin/env bash
# Go's benchmarks, moto's Step Functions interpreter, and ours beside it. Prints; asserts nothing.
# usage: bench.sh [package]...   (default: all, then training beside trl; BENCHTIME=1s is the time for each)
set -euo pipefail
cd "$(dirname "$0")/../.."
all=${1:-yes}
[ $# -gt 0 ] || set -- ./pkg/...
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" -timeout 2h "$@" | tee "$out"
grep -q BenchmarkRun_ "$out" || exit 0
scripts/build/moto.sh
.cache/moto/bin/python scripts/gen/moto_bench.py | tee -a "$out"
.cache/moto/bin/python scripts/gen/moto_bench.py beside "$out"
[ "$all" = yes ] || exit 0
training/setup.sh .cache/venv-extra --extra
(cd training && ../.cache/venv-extra/bin/python -m continual bench --only memory,steps,replay,streams,start,trl)
