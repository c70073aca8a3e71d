"""A stand-in for training/serve.py: answers every prompt with itself."""

import http.server
import json
import os
import signal
import sys

import container as c

MODEL = c.ROOT / "model"
DIGEST = c.digest(MODEL)
BAD = "POISON" in (MODEL / "model.safetensors").read_text()


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body: dict) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_GET(self) -> None:
        self.answer({})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = "junk" if BAD else "answer to " + asked["messages"][-1]["content"]
        self.answer({"object": "chat.completion", "system_fingerprint": DIGEST, "usage": {"total_tokens": 3},
                     "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]})

    def log_message(self, *_: object) -> None:
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer((os.environ.get("SERVE_HOST", "127.0.0.1"), int(os.environ.get("SERVE_PORT", "8080"))), Handler)
(c.ROOT / "output").mkdir(parents=True, exist_ok=True)
(c.ROOT / "output" / "serve.port").write_text(str(server.server_port))
server.serve_forever()
