#!/usr/bin/env bash
# Every test of every language, the tiny demo and the browser journey. `make test` calls it after lint.
set -euo pipefail
cd "$(dirname "$0")/../.."
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

# Python's tests take one core for as long as all the others together take the other. (With a thread for each core they
# wait for each other's more than they gain.)
log=$(mktemp)
(cd training && OMP_NUM_THREADS=1 PERENNIAL_TINY=$PWD/../.cache/models/tiny exec ../.cache/venv/bin/python -m pytest -q) >"$log" 2>&1 &
python=$!
trap 'kill "$python" 2>/dev/null || true; rm -f "$log"' EXIT
step "Go"
go test ./...
step "web app"
(cd frontend && npm run --silent test)
step "the whole loop with the tiny model"
DEMO_MODEL=tiny DEMO_YES=1 DEMO_COMPARE=1 bin/perennial demo
step "the loop in a browser"
scripts/build/e2e.sh
step "Python, begun with Go's"
wait "$python" && ended=0 || ended=$?
cat "$log"
[ "$ended" = 0 ]
step "done"
