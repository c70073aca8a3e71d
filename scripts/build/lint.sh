#!/usr/bin/env bash
# Formatting, vet, complexity and stale generated files.
# usage: lint.sh [go|python|typescript|generated]...   (default: all; go needs nothing installed)
set -euo pipefail
cd "$(dirname "$0")/../.."
GOCYCLO=github.com/fzipp/gocyclo/cmd/gocyclo@v0.6.0
STATICCHECK=honnef.co/go/tools/cmd/staticcheck@v0.8.2

lint_go() {
  local unformatted
  unformatted=$(git ls-files '*.go' | grep -v '_gen\.go$' | xargs gofmt -l)
  [ -z "$unformatted" ] || { echo "gofmt would change: $unformatted"; exit 1; }
  go vet ./...
  git ls-files '*.go' | grep -vE '_gen\.go$|_test\.go$' | xargs go run "$GOCYCLO" -over 11
  go run "$STATICCHECK" $(go list ./... | grep -v /oas)
}

lint_python() {
  .cache/venv/bin/ruff check -q training
  .cache/venv/bin/ruff format -q --check training
}

lint_typescript() { (cd frontend && npm run --silent lint && npm run --silent typecheck); }

digests() { git ls-files '*_gen.go' 'frontend/src/types/*' 'pkg/asl/sdk/*.gz' | xargs sha256sum; }

lint_generated() {
  local before
  before=$(digests)
  go generate ./pkg/httpapi
  .cache/moto/bin/python scripts/gen/sdk_actions.py
  (cd frontend && npm run --silent gen >/dev/null)
  if [ "$before" != "$(digests)" ]; then
    diff <(echo "$before") <(digests) || true
    echo "generated files were stale; they have been made again: commit them" >&2
    exit 1
  fi
}

[ $# -gt 0 ] || set -- go python typescript generated
for part in "$@"; do
  echo "lint: $part"
  "lint_$part"
done
