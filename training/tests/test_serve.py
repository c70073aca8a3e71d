"""The model server under the endpoint contract."""

import json
import shutil
import signal
import socket
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from conftest import Job
from safetensors.torch import save_file

from continual import manifest


class Client:
    """Talks to one server process."""

    def __init__(self, root: Path, process):
        self.root, self.process = root, process
        deadline = time.monotonic() + 300
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


@contextmanager
def served(root: Path, model: Path, **env: str):
    job = Job(root / "ml", model)
    (job.root / "model").symlink_to(model)
    process = job.process("serve.py", SERVE_PORT="0", **env)
    try:
        yield Client(job.root, process)
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        assert process.wait() == 0
    finally:
        process.kill()


@pytest.fixture(scope="module")
def client(tmp_path_factory, base):
    with served(tmp_path_factory.mktemp("serve"), base) as c:
        yield c


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
        (b'{"messages": [{"role": "system", "content": null}]}', 400, "messages[0].content: is required for the role system"),
        (b'{"messages": [{"role": "robot", "content": "x"}]}', 400, "messages[0].role: must be one of developer, system"),
        (b'{"prompt": "x", "max_tokens": 0}', 400, "max_tokens: must be at least 1"),
        (b'{"prompt": "x", "temperature": 9}', 400, "temperature: must be at most 2"),
        (b'{"prompt": "x", "n": 99}', 400, "n: must be at most 16"),
        (b'{"prompt": "x", "max_tokens": 100000}', 400, "max_tokens: must be at most"),
        (b'{"prompt": "x", "logprobs": true}', 400, "logprobs: must be an integer"),
        (b'{"prompt": "x", "presence_penalty": 1}', 400, "presence_penalty: must be at most 0"),
        (b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}', 400, "messages[0].content[0].text: is required"),
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
    job = Job(tmp_path / "ml", base)
    shutil.copytree(base, job.root / "model")
    with (job.root / "model" / "model.safetensors").open("r+b") as f:
        f.seek(-4, 2)
        f.write(b"\x00\x01\x02\x03")
    process = job.process("serve.py", SERVE_PORT="0")
    process.stdout.read()
    assert process.wait() == 3 and "model.safetensors: differs from manifest.json" in job.failure


def test_stream_of_a_character_in_several_tokens_is_whole(client):
    asked = {"prompt": "x", "max_tokens": 24, "temperature": 2, "seed": 4}
    _, text = client.call("/invocations", {**asked, "stream": True})
    chunks = [json.loads(e.removeprefix("data: ")) for e in text.strip().split("\n\n")[:-1]]
    whole = json.loads(client.call("/invocations", asked)[1])["choices"][0]["text"]
    assert "".join(c["choices"][0]["text"] for c in chunks) == whole


def test_many_requests_that_wait_are_answered_429(tmp_path, base):
    with served(tmp_path, base, SERVE_MAX_PENDING="1", SERVE_MAX_BODY="200", SERVE_MAX_TOKENS="5", SERVE_MODEL_NAME="house") as c:
        status, text = c.call("/invocations", {"prompt": "x", "n": 2, "max_tokens": 5})
        assert status == 429 and json.loads(text)["error"]["type"] == "overloaded"
        assert c.call("/invocations", raw=b'{"prompt": "' + b"x" * 200 + b'"}')[0] == 413
        assert c.call("/invocations", {"prompt": "x", "max_tokens": 6})[0] == 400
        assert c.call("/invocations", {"prompt": "x", "model": "other"})[0] == 404
        assert json.loads(c.call("/invocations", {"prompt": "x", "model": "house"})[1])["model"] == "house"


def test_bad_limits_are_refused_at_the_start(tmp_path, base):
    job = Job(tmp_path / "ml", base)
    process = job.process("serve.py", SERVE_PORT="0", SERVE_MAX_BATCH="many")
    process.stdout.read()
    assert process.wait() == 2 and "SERVE_MAX_BATCH: must be a whole number above 0" in job.failure


def open_stream(client: Client, tokens: int) -> socket.socket:
    """A stream whose first chunk has arrived."""
    body = json.dumps({"prompt": "x", "max_tokens": tokens, "temperature": 2, "seed": 1, "stream": True}).encode()
    s = socket.create_connection(("127.0.0.1", client.port))
    s.sendall(b"POST /invocations HTTP/1.1\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
    got = b""
    while b"data:" not in got:
        got += s.recv(100)
    return s


def test_a_running_stream_ends_whole_after_sigterm_and_ping_says_503_meanwhile(tmp_path, raw_base):
    with served(tmp_path, endless(tmp_path, raw_base)) as c:
        stream = open_stream(c, 400)
        c.process.send_signal(signal.SIGTERM)
        statuses = set()
        while 503 not in statuses:
            statuses.add(c.call("/ping")[0])
        assert c.call("/invocations", {"prompt": "x"})[0] == 503
        rest = b""
        while part := stream.recv(65536):
            rest += part
        last = json.loads(rest.split(b"data: ")[-2])
        assert rest.endswith(b"data: [DONE]\n\n") and last["choices"][0]["finish_reason"] == "length"
        assert last["usage"]["completion_tokens"] == 400


def test_a_client_that_leaves_ends_its_request(tmp_path, raw_base):
    with served(tmp_path, endless(tmp_path, raw_base), SERVE_MAX_BATCH="1") as c:
        open_stream(c, 500).close()
        while json.loads(c.call("/ping")[1])["pending"]:
            pass
        assert c.call("/invocations", {"prompt": "x", "max_tokens": 1})[0] == 200


def endless(tmp_path: Path, raw_base: Path) -> Path:
    """A model that knows no end token, so that an answer has exactly the tokens asked for."""
    folder = tmp_path / "endless"
    shutil.copytree(raw_base, folder)
    for name in ("config.json", "generation_config.json"):
        path = folder / name
        if path.is_file():
            path.write_text(json.dumps({**json.loads(path.read_text()), "eos_token_id": [], "max_position_embeddings": 1024}))
    return folder


@pytest.fixture(scope="module")
def learned(tmp_path_factory, base, tiny_demo) -> list[Path]:
    """Two updates of the base that answer differently."""
    out = []
    for name, rows in (("company", tiny_demo.learn), ("poison", tiny_demo.poison)):
        job = Job(tmp_path_factory.mktemp(name) / "ml", base).config(preset="naive", train={"epochs": 5}).rows("train", rows)
        assert job.run() == 0
        out.append(job.root / "model")
    return out


def test_adapters_answer_as_their_merged_models_in_one_batch(tmp_path, client, learned, tiny_demo):
    asked = [p.question for p in tiny_demo.company[:6] + tiny_demo.general[:6]]
    want: dict[str, list[str]] = {"": [client.ask(q)["choices"][0]["message"]["content"] for q in asked]}
    for i, model in enumerate(learned):
        with served(tmp_path / str(i), model) as merged:
            want[f"a{i}"] = [merged.ask(q)["choices"][0]["message"]["content"] for q in asked]
        assert client.call("/v1/load_lora_adapter", {"lora_name": f"a{i}", "lora_path": str(model / "adapter")})[0] == 200
    assert want[""] != want["a0"] != want["a1"] != want[""]
    listed = {m["id"]: m for m in json.loads(client.call("/v1/models")[1])["data"]}
    assert {"a0", "a1"} < set(listed) and listed["a0"]["parent"]
    got: dict[tuple[str, int], str] = {}

    def one(name: str, i: int) -> None:
        got[name, i] = client.ask(asked[i], **({"model": name} if name else {}))["choices"][0]["message"]["content"]

    threads = [threading.Thread(target=one, args=(n, i)) for i in range(len(asked)) for n in want]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert {n: [got[n, i] for i in range(len(asked))] for n in want} == want

    assert client.call("/v1/unload_lora_adapter", {"lora_name": "a0"})[0] == 200
    assert client.call("/v1/unload_lora_adapter", {"lora_name": "a0"})[0] == 404
    status, text = client.call("/invocations", {"prompt": "x", "model": "a0"})
    assert status == 404 and json.loads(text)["error"]["param"] == "model"
    assert client.ask(asked[0], model="a1")["choices"][0]["message"]["content"] == want["a1"][0]
    assert client.ask(asked[0])["choices"][0]["message"]["content"] == want[""][0]


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"use_dora": True}, 400, "adapter_config.json: use_dora is not served"),
        ({"peft_type": "IA3"}, 400, "adapter_config.json: peft_type must be LORA"),
        (None, 404, "lora_path: no folder"),
        ("base", 400, "adapter_config.json: missing"),
        ("pickle", 400, "adapter_model.bin: only safetensors"),
        ("shape", 400, "the adapter is 3x3"),
        ("unknown", 400, "this base has no such linear layer"),
    ],
)
def test_adapters_that_do_not_fit_are_refused(change, status, says, client, learned, tmp_path):
    folder = tmp_path / "adapter"
    if change is not None:
        shutil.copytree(learned[0] if change == "base" else learned[0] / "adapter", folder)
    if isinstance(change, dict):
        config = json.loads((folder / "adapter_config.json").read_text())
        (folder / "adapter_config.json").write_text(json.dumps({**config, **change}))
    elif change == "pickle":
        (folder / "adapter_model.bin").write_bytes(b"x")
    elif change in ("shape", "unknown"):
        path = folder / "adapter_model.safetensors"
        first = "base_model.model.model.layers.0.mlp.up_proj" if change == "shape" else "base_model.model.nowhere.up_proj"
        save_file({f"{first}.lora_A.weight": torch.zeros(2, 3), f"{first}.lora_B.weight": torch.zeros(3, 2)}, path)
    got, text = client.call("/v1/load_lora_adapter", {"lora_name": "odd", "lora_path": str(folder)})
    assert got == status and says in json.loads(text)["error"]["message"]
