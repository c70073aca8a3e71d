"""Models by hub id: fetched from a hub (here a local one, over HTTP), or refused with what to do (M3)."""

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import TRAINING, write_rows

from continual import hub
from continual.errors import ConfigError

COMMIT = "5" * 40


class Hub(ThreadingHTTPServer):
    """What the hub's clients ask of one repository `acme/tiny`: its revision, its tree and its files."""

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and p.name != "manifest.json"}
        self.fetched: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        path = self.path.split("?")[0]
        if path.startswith("/api/models/acme/tiny/tree/"):
            return self.send(json.dumps([self.entry(n) for n in self.server.files]).encode(), body)
        if path.startswith("/api/models/acme/tiny"):
            names = [{"rfilename": n} for n in self.server.files]
            return self.send(json.dumps({"id": "acme/tiny", "modelId": "acme/tiny", "sha": COMMIT, "siblings": names}).encode(), body)
        name = path.removeprefix(f"/acme/tiny/resolve/{COMMIT}/")
        if name not in self.server.files:
            return self.send(b"{}", body, 404, {"x-error-code": "RepoNotFound"})
        if body:
            self.server.fetched.append(name)
        etag = hashlib.sha256(self.server.files[name]).hexdigest()
        return self.send(self.server.files[name], body, headers={"etag": f'"{etag}"', "x-repo-commit": COMMIT})

    def entry(self, name: str) -> dict:
        raw = self.server.files[name]
        return {"type": "file", "path": name, "size": len(raw), "oid": hashlib.sha1(raw).hexdigest()}

    def send(self, raw: bytes, body: bool, status: int = 200, headers: dict | None = None) -> None:
        self.send_response(status)
        for k, v in {"content-length": str(len(raw)), "content-type": "application/json", **(headers or {})}.items():
            self.send_header(k, v)
        self.end_headers()
        if body:
            self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def served(base):
    server = Hub(base)
    server.files |= {"pytorch_model.bin": b"pickle", "modeling_acme.py": b"raise SystemExit('code of the repository ran')"}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(server_url: str, home: Path, *args: str, **env: str) -> subprocess.CompletedProcess:
    """The command in a process of its own, whose hub is the given one."""
    full = {"HF_ENDPOINT": server_url, "HF_HOME": str(home), "PATH": "/usr/bin:/bin", "HF_HUB_DISABLE_TELEMETRY": "1", **env}
    return subprocess.run([sys.executable, "-m", "continual", *args], cwd=TRAINING, env=full, capture_output=True, text=True, check=False)


def test_train_takes_a_hub_id_and_fetches_it_once_without_pickles_or_code(served, base, tmp_path, tiny_demo):
    data = write_rows(tmp_path / "facts.jsonl", tiny_demo.learn[:8])
    args = ["train", "--model", "acme/tiny", "--data", str(data), "--preset", "naive", "--set", "train.max_steps=1", "--out"]
    first = run(served.url, tmp_path / "home", *args, str(tmp_path / "v1"))
    assert first.returncode == 0, first.stderr
    made = json.loads((tmp_path / "v1" / "model" / "manifest.json").read_text())
    assert made["parent"] == json.loads((base / "manifest.json").read_text())["digest"]
    assert "model.safetensors" in served.fetched and not {"pytorch_model.bin", "modeling_acme.py"} & set(served.fetched)
    count = len(served.fetched)
    again = run(served.url, tmp_path / "home", *args, str(tmp_path / "v2"))
    assert again.returncode == 0 and len(served.fetched) == count, again.stderr
    offline = run("http://127.0.0.1:9", tmp_path / "home", *args, str(tmp_path / "v3"))
    assert offline.returncode == 0, offline.stderr  # a fetched model needs no network


def test_a_hub_model_becomes_a_folder_that_can_be_registered(served, base, tmp_path):
    out = tmp_path / "made"
    done = run(served.url, tmp_path / "home", "models", f"acme/tiny@{COMMIT}", "--out", str(out))
    assert done.returncode == 0, done.stderr
    made = json.loads((out / "manifest.json").read_text())
    assert made["digest"] == json.loads((base / "manifest.json").read_text())["digest"] and made["source"] == f"hub:acme/tiny@{COMMIT}"
    assert "already there" in run(served.url, tmp_path / "home", "models", f"acme/tiny@{COMMIT}", "--out", str(out)).stdout


def test_without_the_network_it_is_said_what_to_do(tmp_path):
    done = run("http://127.0.0.1:9", tmp_path / "home", "evaluate", "--model", "acme/other", "--benchmark", "x", "--out", str(tmp_path / "o"))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "acme/other could not be fetched from http://127.0.0.1:9" in done.stderr
    assert "`hf download acme/other --local-dir DIR`" in done.stderr


def test_an_unknown_id_and_one_without_safetensors_are_named(served, tmp_path):
    args = ["models", "--out", str(tmp_path / "o")]
    assert "could not be fetched" in run(served.url, tmp_path / "home", *args, "acme/unknown").stderr
    served.files = {k: v for k, v in served.files.items() if not k.endswith(".safetensors")}
    assert "has no safetensors weights" in run(served.url, tmp_path / "home", *args, "acme/tiny").stderr
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("name", ["no-such-folder", "/no/such", "../x", "a/b/c", "a b/c"])
def test_a_name_that_is_neither_folder_nor_id_is_refused_without_asking_a_hub(name):
    with pytest.raises(ConfigError, match="is no folder here and no hub id"):
        hub.model(name)
