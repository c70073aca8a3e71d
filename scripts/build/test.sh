#!/usr/bin/env bash
# Every test of every language, the tiny demo and the browser journey. `make test` calls it after lint.
set -euo pipefail
cd "$(dirname "$0")/../.."
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Python's tests use little more than one core, Go's much the same: they run side by side. The tiny model that they
# make is the demo's too.
step "Go and Python"
log=$(mktemp)
(cd training && PERENNIAL_TINY=$PWD/../.cache/models/tiny exec ../.cache/venv/bin/python -m pytest -q) >"$log" 2>&1 &
python=$!
trap 'kill "$python" 2>/dev/null || true; rm -f "$log"' EXIT
go test ./... && go=0 || go=$?
wait "$python" && python_ended=0 || python_ended=$?
cat "$log"
[ "$go$python_ended" = 00 ] || exit 1
step "web app"
(cd frontend && npm run --silent test)
step "the whole loop with the tiny model"
DEMO_MODEL=tiny DEMO_YES=1 DEMO_COMPARE=1 bin/perennial demo
step "the loop in a browser"
scripts/build/e2e.sh
step "done"
