#!/usr/bin/env bash
# Go's benchmarks, then the training library's speed comparison. Prints; asserts nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
go test -run '^$' -bench . -benchtime "${BENCHTIME:-1s}" ./pkg/...
(cd training && ../.cache/venv/bin/python -m continual bench)
