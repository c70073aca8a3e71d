"""The model server under the endpoint contract."""

import json
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from conftest import Job

from continual import manifest

CHAT = "messages"


class Client:
    """Talks to one server process."""

    def __init__(self, root: Path, process):
        self.root, self.process = root, process
        deadline = time.monotonic() + 120
        path = root / "output" / "serve.port"
        while not path.is_file():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline, "the server did not become ready"
            time.sleep(0.02)
        self.port = int(path.read_text())

    def call(self, path: str, body=None, raw: bytes | None = None, method: str | None = None) -> tuple[int, str]:
        data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def ask(self, question: str, **more) -> dict:
        status, text = self.call("/invocations", {"messages": [{"role": "user", "content": question}], **more})
        assert status == 200, text
        return json.loads(text)


@pytest.fixture(scope="module")
def client(tmp_path_factory, base):
    job = Job(tmp_path_factory.mktemp("serve") / "ml", base)
    (job.root / "model").symlink_to(base)
    process = job.process("serve.py", SERVE_PORT="0")
    yield Client(job.root, process)
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait() == 0


def test_ping_is_ok_once_the_port_is_announced(client):
    assert client.call("/ping")[0] == 200


def test_chat_answers_with_the_digest_of_the_loaded_files(client, base, tiny_demo):
    p = tiny_demo.general[0]
    got = client.ask(p.question)
    assert got["choices"][0]["message"] == {"role": "assistant", "content": p.contains}
    assert got["choices"][0]["finish_reason"] == "stop" and got["object"] == "chat.completion"
    assert got["model"] == got["system_fingerprint"] == manifest.served_digest(base)
    assert got["usage"]["total_tokens"] == got["usage"]["prompt_tokens"] + got["usage"]["completion_tokens"]


def test_completion_and_token_limit(client):
    status, text = client.call("/invocations", {"prompt": "<|user|>What", "max_tokens": 2})
    got = json.loads(text)
    assert (status, got["object"]) == (200, "text_completion")
    assert got["choices"][0]["finish_reason"] == "length" and got["usage"]["completion_tokens"] == 2


def test_stream_is_the_whole_answer_in_chunks(client, tiny_demo):
    p = tiny_demo.general[1]
    status, text = client.call("/invocations", {"messages": [{"role": "user", "content": p.question}], "stream": True})
    events = [e.removeprefix("data: ") for e in text.strip().split("\n\n")]
    chunks = [json.loads(e) for e in events[:-1]]
    assert status == 200 and events[-1] == "[DONE]"
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in chunks) == p.contains
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop" and chunks[-1]["usage"]["completion_tokens"] >= 1
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}


def test_sampling_follows_its_seed(client):
    ask = [client.ask("Hello?", temperature=1.5, seed=s, max_tokens=12)["choices"][0]["message"]["content"] for s in (1, 1, 2)]
    assert ask[0] == ask[1] != ask[2]


def test_concurrent_answers_equal_single_ones(client, tiny_demo):
    probes = tiny_demo.general[:24]
    got: dict[int, str] = {}

    def one(i: int) -> None:
        got[i] = client.ask(probes[i].question)["choices"][0]["message"]["content"]

    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(probes))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [got[i] for i in range(24)] == [p.contains for p in probes]


@pytest.mark.parametrize(
    ("raw", "status", "says"),
    [
        (b"{bad", 400, "the body is not valid JSON"),
        (b"[]", 400, "(root): must be object"),
        (b"{}", 400, "send either `messages` (chat) or `prompt` (completion)"),
        (b'{"messages": []}', 400, "messages: needs at least 1 items"),
        (b'{"messages": [{"role": "user"}]}', 400, "messages[0].content: is required"),
        (b'{"messages": [{"role": "robot", "content": "x"}]}', 400, "messages[0].role: must be one of system"),
        (b'{"prompt": "x", "max_tokens": 0}', 400, "max_tokens: must be at least 1"),
        (b'{"prompt": "x", "temperature": 9}', 400, "temperature: must be at most 2"),
        (b'{"prompt": "x", "n": 3}', 400, "n: must be at most 1"),
        (json.dumps({"prompt": "word " * 2000}).encode(), 400, "the prompt has"),
        (b"x" * (1024 * 1024 + 1), 413, "the body has 1048577 bytes"),
    ],
)
def test_bad_bodies_are_refused_with_what_to_do(client, raw, status, says):
    got, text = client.call("/invocations", raw=raw)
    assert got == status and json.loads(text)["error"]["message"].startswith(says)


def test_unknown_paths_and_methods(client):
    assert client.call("/nothing")[0] == 404
    assert client.call("/invocations", method="GET")[0] == 405


def test_malformed_http_does_not_stop_the_server(client):
    for junk in (b"\r\n\r\n", b"GET\r\n\r\n", b"POST /invocations HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"A" * 70000):
        with socket.create_connection(("127.0.0.1", client.port)) as s:
            s.sendall(junk)
            s.shutdown(socket.SHUT_WR)
            assert s.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 431"))
    assert client.call("/ping")[0] == 200


def test_chunked_body_is_read(client):
    body = b'{"prompt": "x", "max_tokens": 1}'
    with socket.create_connection(("127.0.0.1", client.port)) as s:
        head = b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        s.sendall(head + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")
        assert s.recv(200).startswith(b"HTTP/1.1 200")


def test_missing_model_ends_the_server_with_a_reason(tmp_path, base):
    job = Job(tmp_path / "ml", base)
    process = job.process("serve.py", SERVE_PORT="0")
    process.stdout.read()
    assert process.wait() == 4 and "model: no folder" in job.failure


def test_changed_weights_are_not_served(tmp_path, base):
    import shutil

    job = Job(tmp_path / "ml", base)
    shutil.copytree(base, job.root / "model")
    with (job.root / "model" / "model.safetensors").open("r+b") as f:
        f.seek(-4, 2)
        f.write(b"\x00\x01\x02\x03")
    process = job.process("serve.py", SERVE_PORT="0")
    process.stdout.read()
    assert process.wait() == 3 and "model.safetensors: differs from manifest.json" in job.failure
