#!/usr/bin/env bash
# Every test of every language, the tiny demo and the browser journey. `make test` calls it after lint.
set -euo pipefail
cd "$(dirname "$0")/../.."
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

step "Go"
go test ./...
step "Python"
(cd training && ../.cache/venv/bin/python -m pytest -q)
step "web app"
(cd frontend && npm run --silent test)
step "the whole loop with the tiny model"
DEMO_MODEL=tiny DEMO_YES=1 DEMO_COMPARE=1 bin/perennial demo
step "the loop in a browser"
scripts/build/e2e.sh
step "done"
