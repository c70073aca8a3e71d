#!/usr/bin/env bash
# The browser journey against a real platform with the tiny model: upload, approve, roll back.
set -euo pipefail
cd "$(dirname "$0")/../.."
port=${E2E_PORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}
export DEMO_PASSWORD=${DEMO_PASSWORD:-a-password-for-the-journey}
log=.cache/e2e.log
bin/perennial demo --model-size tiny --until base --stay --data .cache/e2e --port "$port" >"$log" 2>&1 &
platform=$!
trap 'kill $platform 2>/dev/null; wait $platform 2>/dev/null || true' EXIT
for _ in $(seq 300); do
  grep -q "serving at" "$log" && break
  kill -0 $platform 2>/dev/null || { cat "$log"; exit 1; }
  sleep 1
done
grep -q "serving at" "$log" || { cat "$log"; echo "the platform did not come up in 5 minutes" >&2; exit 1; }
cd frontend
E2E_URL="http://127.0.0.1:$port" E2E_PASSWORD="$DEMO_PASSWORD" E2E_ADMIN_PASSWORD="$DEMO_PASSWORD" \
  E2E_ARRIVAL="$PWD/../.cache/e2e/demo-data/arrival.jsonl" npm run --silent e2e
