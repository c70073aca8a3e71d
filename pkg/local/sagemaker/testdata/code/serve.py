"""Stands in for a model server: answers with what the model file says."""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(os.environ["PERENNIAL_ML_ROOT"])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, {})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if body == "crash":
            os._exit(9)
        self.answer(200, {"pid": os.getpid(), "model": MODEL, "echo": body, "env": os.environ.get("FLAVOUR")})

    def answer(self, code, doc):
        raw = json.dumps(doc).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


MODEL = (ROOT / "model" / "weights" / "w.bin").read_text()
if MODEL == "bad":
    sys.exit("the weights are bad")
server = ThreadingHTTPServer((os.environ["SERVE_HOST"], int(os.environ["SERVE_PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
port = ROOT / "output" / "serve.port"
port.with_suffix(".new").write_text(str(server.server_port))
port.with_suffix(".new").rename(port)
server.serve_forever()
