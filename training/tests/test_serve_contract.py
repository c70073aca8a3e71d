"""What every server of our artifacts answers, ours and the vLLM or LMI image alike (R6).

    PERENNIAL_SERVE_URL=http://host:8080 PERENNIAL_SERVE_MODEL=name python -m pytest tests/test_serve_contract.py

runs this very file against a running endpoint; without the variables our own server is started on the tiny base. On
top, PERENNIAL_SERVE_ADAPTER names an adapter folder as the server sees it.
"""

import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import Job

USER = [{"role": "user", "content": "What do you know?"}]


@pytest.fixture(scope="module")
def url(tmp_path_factory, request):
    given = os.environ.get("PERENNIAL_SERVE_URL")
    if given:
        yield given.rstrip("/")
        return
    base = request.getfixturevalue("base")
    job = Job(tmp_path_factory.mktemp("contract") / "ml", base)
    (job.root / "model").symlink_to(base)
    process = job.process("serve.py", SERVE_PORT="0")
    path = job.root / "output" / "serve.port"
    while not path.is_file():
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{path.read_text().strip()}"
    process.send_signal(signal.SIGTERM)
    process.stdout.read()
    assert process.wait() == 0


@pytest.fixture(scope="module")
def post(url):
    model = os.environ.get("PERENNIAL_SERVE_MODEL")

    def send(path: str, body: dict | bytes, want: int = 200) -> str:
        raw = body if isinstance(body, bytes) else json.dumps({**({"model": model} if model else {}), **body}).encode()
        asked = urllib.request.Request(url + path, data=raw, headers={"content-type": "application/json"})
        try:
            with urllib.request.urlopen(asked, timeout=300) as r:
                status, text = r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            status, text = e.code, e.read().decode()
        assert status == want, text
        return text

    return send


def events(text: str) -> list[dict]:
    parts = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert parts[-1] == "[DONE]"
    return [json.loads(p) for p in parts[:-1]]


def test_ping_is_200(url):
    with urllib.request.urlopen(url + "/ping", timeout=30) as r:
        assert r.status == 200


def test_models_lists_the_base(url):
    with urllib.request.urlopen(url + "/v1/models", timeout=30) as r:
        listed = json.loads(r.read())
    assert listed["object"] == "list" and listed["data"][0]["object"] == "model" and listed["data"][0]["id"]


@pytest.mark.parametrize("path", ["/invocations", "/v1/chat/completions"])
def test_chat(post, path):
    got = json.loads(post(path, {"messages": USER, "max_tokens": 5, "temperature": 0}))
    choice = got["choices"][0]
    assert got["object"] == "chat.completion" and got["id"] and got["created"] and got["model"]
    assert choice["index"] == 0 and choice["message"]["role"] == "assistant" and isinstance(choice["message"]["content"], str)
    assert choice["finish_reason"] in ("stop", "length")
    usage = got["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] and usage["prompt_tokens"] > 0


@pytest.mark.parametrize("path", ["/invocations", "/v1/completions"])
def test_completion_stops_at_its_length(post, path):
    got = json.loads(post(path, {"prompt": "What", "max_tokens": 2, "temperature": 0}))
    assert got["object"] == "text_completion" and isinstance(got["choices"][0]["text"], str)
    assert got["usage"]["completion_tokens"] <= 2 and got["choices"][0]["finish_reason"] in ("stop", "length")


def test_max_completion_tokens_is_the_newer_name(post):
    got = json.loads(post("/invocations", {"messages": USER, "max_completion_tokens": 1, "temperature": 0}))
    assert got["usage"]["completion_tokens"] <= 1


def test_a_streamed_chat_is_the_whole_answer_with_usage_last(post):
    asked = {"messages": USER, "max_tokens": 8, "temperature": 0}
    chunks = events(post("/invocations", {**asked, "stream": True, "stream_options": {"include_usage": True}}))
    whole = json.loads(post("/invocations", asked))
    with_choice = [c["choices"][0] for c in chunks if c["choices"]]
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"} and with_choice[0]["delta"]["role"] == "assistant"
    assert "".join(c["delta"].get("content") or "" for c in with_choice) == whole["choices"][0]["message"]["content"]
    assert [c["finish_reason"] for c in with_choice if c["finish_reason"]] == [whole["choices"][0]["finish_reason"]]
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"] == {**chunks[-1]["usage"], **{k: whole["usage"][k] for k in ("completion_tokens",)}}


def test_a_streamed_completion_is_the_whole_answer(post):
    asked = {"prompt": "Where", "max_tokens": 8, "temperature": 0}
    chunks = events(post("/invocations", {**asked, "stream": True}))
    assert "".join(c["choices"][0]["text"] for c in chunks if c["choices"]) == json.loads(post("/invocations", asked))["choices"][0]["text"]


@pytest.mark.parametrize("stream", [False, True])
def test_stop_sequences_cut_the_answer_before_them(post, stream):
    asked = {"prompt": "Where", "max_tokens": 24, "temperature": 1.5, "seed": 3}
    whole = json.loads(post("/v1/completions", asked))["choices"][0]["text"]
    stop = whole[3:5]
    text = post("/v1/completions", {**asked, "stop": [stop, "\x01never"], "stream": stream})
    parts = events(text) if stream else [json.loads(text)]
    got = "".join(c["choices"][0]["text"] for c in parts if c["choices"])
    assert stop and got == whole[: whole.index(stop)]
    assert [c["choices"][0]["finish_reason"] for c in parts if c["choices"]][-1] == "stop"


def test_a_seed_fixes_the_sample(post):
    asked = {"messages": USER, "max_tokens": 12, "temperature": 1.5, "top_p": 0.95}
    one, same, other = (json.loads(post("/invocations", {**asked, "seed": s}))["choices"][0]["message"]["content"] for s in (1, 1, 2))
    assert one == same != other


def test_n_gives_that_many_choices_that_differ_when_sampled(post):
    got = json.loads(post("/invocations", {"messages": USER, "max_tokens": 12, "temperature": 1.5, "n": 3, "seed": 5}))
    assert sorted(c["index"] for c in got["choices"]) == [0, 1, 2]
    assert len({c["message"]["content"] for c in got["choices"]}) > 1


def test_n_choices_stream_side_by_side(post):
    asked = {"messages": USER, "max_tokens": 6, "temperature": 1.5, "n": 2, "seed": 5}
    choices = [c["choices"][0] for c in events(post("/invocations", {**asked, "stream": True})) if c["choices"]]
    text = {i: "".join(c["delta"].get("content") or "" for c in choices if c["index"] == i) for i in (0, 1)}
    assert text == {c["index"]: c["message"]["content"] for c in json.loads(post("/invocations", asked))["choices"]}


def test_logprobs_of_a_chat(post):
    got = json.loads(post("/invocations", {"messages": USER, "max_tokens": 4, "temperature": 0, "logprobs": True, "top_logprobs": 2}))
    content = got["choices"][0]["logprobs"]["content"]
    assert 1 <= len(content) <= 4
    for c in content:
        assert c["logprob"] <= 0 and len(c["top_logprobs"]) == 2
        assert c["logprob"] == pytest.approx(max(t["logprob"] for t in c["top_logprobs"]), abs=1e-4)  # greedy


def test_logprobs_of_a_completion(post):
    got = json.loads(post("/invocations", {"prompt": "Where", "max_tokens": 4, "temperature": 0, "logprobs": 1}))["choices"][0]["logprobs"]
    assert len(got["tokens"]) == len(got["token_logprobs"]) == len(got["top_logprobs"]) == len(got["text_offset"])
    assert all(p <= 0 for p in got["token_logprobs"])


def test_text_parts_of_a_message_are_one_text(post):
    parts = [{"role": "user", "content": [{"type": "text", "text": "What do you know?"}]}]
    one, two = (json.loads(post("/invocations", {"messages": m, "max_tokens": 5, "temperature": 0})) for m in (USER, parts))
    assert one["usage"] == two["usage"] and one["choices"][0]["message"]["content"] == two["choices"][0]["message"]["content"]


def test_a_developer_speaks_as_the_system_and_an_assistant_may_say_nothing(post):
    def tokens(role, said):
        messages = [{"role": role, "content": "Be brief."}, *USER, {"role": "assistant", **said}, *USER]
        return json.loads(post("/invocations", {"messages": messages, "max_tokens": 1}))["usage"]["prompt_tokens"]

    assert tokens("developer", {"content": None}) == tokens("system", {"content": ""}) == tokens("system", {})


@pytest.mark.parametrize(
    "body",
    [
        {"messages": []},
        {"messages": USER, "temperature": -1},
        {"messages": USER, "top_p": 0},
        {"messages": USER, "max_tokens": 0},
        {"prompt": "x", "max_tokens": 10**7},
        b"{bad",
    ],
)
def test_bad_requests_are_refused_in_openais_shape(post, body):
    path = "/v1/chat/completions" if isinstance(body, dict) and "messages" in body else "/v1/completions"
    error = json.loads(post(path, body, 400))["error"]
    assert error["message"] and error["type"]


def test_concurrent_streams_are_answered_as_alone(post):
    asked = [{"prompt": w, "max_tokens": 6, "temperature": 0} for w in ("Where", "What", "Who", "The")]
    alone = [json.loads(post("/invocations", a))["choices"][0]["text"] for a in asked]
    got: dict[int, str] = {}

    def one(i: int) -> None:
        got[i] = "".join(c["choices"][0]["text"] for c in events(post("/invocations", {**asked[i], "stream": True})) if c["choices"])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [got[i] for i in range(4)] == alone


def test_adapters_come_and_go(post, url, tmp_path, request):
    path = os.environ.get("PERENNIAL_SERVE_ADAPTER") or random_adapter(tmp_path, request.getfixturevalue("base"))
    post("/v1/load_lora_adapter", {"lora_name": "contract", "lora_path": path})
    post("/v1/load_lora_adapter", {"lora_name": "contract", "lora_path": path}, 400)
    asked = {"messages": USER, "max_tokens": 8, "temperature": 0}
    got = json.loads(post("/invocations", {**asked, "model": "contract"}))
    assert got["model"] == "contract"
    with urllib.request.urlopen(url + "/v1/models", timeout=30) as r:
        assert "contract" in [m["id"] for m in json.loads(r.read())["data"]]
    post("/v1/unload_lora_adapter", {"lora_name": "contract"})
    post("/v1/chat/completions", {**asked, "model": "contract"}, 404)
    post("/v1/unload_lora_adapter", {"lora_name": "contract"}, 404)


def random_adapter(folder, base) -> str:
    from continual import lora, lora_file, models

    model = models.load(base).model
    adapters = lora.attach(model, lora.select(model, "all-linear", 0), 2, 2)
    lora_file.save(folder / "adapter", adapters)
    return str(folder / "adapter")
