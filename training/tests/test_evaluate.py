"""The evaluation job: locks, scores, choices, resume, bad input."""

import json
import signal

import pytest
import torch
from conftest import Job

from continual import choices, models

EXACT = {"kind": "exact"}


def items(tiny_demo, count: int) -> list[dict]:
    return [
        {"id": f"q{i}", "input": p.question, "target": p.contains, "capability": p.capability, "cluster": p.cluster}
        for i, p in enumerate(tiny_demo.general[:count])
    ]


def results(job: Job) -> list[dict]:
    return [json.loads(line) for line in (job.root / "model" / "results.jsonl").read_text().splitlines()]


def test_every_item_has_one_result_under_its_lock(job, tiny_demo):
    job.config(job="evaluate", batch=7)
    job.bench("old", EXACT, items(tiny_demo, 20), decoding={"maxTokens": 6})
    job.bench("wrong", EXACT, [{"id": "w", "input": "What color does Zuzuzu like?", "target": "nothing", "mustPass": True}])
    assert job.run("evaluate") == 0
    got = results(job)
    assert [r["item"] for r in got] == [f"q{i}" for i in range(20)] + ["w"]
    assert {r["lock"] for r in got[:20]} == {"old@1"} and got[-1]["lock"] == "wrong@1"
    assert sum(r["score"] for r in got[:20]) == 20 and got[-1]["score"] == 0 and got[-1]["mustPass"] is True
    assert {"benchmark", "capability", "cluster", "output", "prompt", "latencyMs", "tokens"} <= set(got[0])
    summary = json.loads((job.root / "model" / "summary.json").read_text())
    assert summary["modelDigest"].startswith("sha256:")
    assert [(b["benchmark"], b["n"], b["mean"], b["errors"]) for b in summary["benchmarks"]] == [("old", 20, 1.0, 0), ("wrong", 1, 0.0, 0)]


def test_choice_takes_the_likeliest_and_keeps_log_likelihoods(job, tiny_demo):
    p = tiny_demo.general[0]
    item = {"id": "c", "input": p.question, "choices": ["purple", p.contains, "bread"], "target": p.contains}
    assert job.config(job="evaluate").bench("choice", {"kind": "choice", "params": {"metric": "acc_norm"}}, [item]).run("evaluate") == 0
    (got,) = results(job)
    assert (got["score"], got["output"]) == (1.0, p.contains) and len(got["logprobs"]) == 3 and max(got["logprobs"]) == got["logprobs"][1]


def test_shared_prompt_gives_the_same_log_likelihoods_as_separate_passes(base):
    loaded = models.load(base)
    prompt, options = loaded.text.encode("What color does Bobo like?"), [[300, 301, 302], [40], [50, 51]]
    shared = choices.loglikelihoods(loaded.model, prompt, options)
    for option, got in zip(options, shared, strict=True):
        ids = torch.tensor(prompt + option)
        with torch.no_grad():
            logp = torch.log_softmax(loaded.model.head(loaded.model.features(ids, [len(ids)])), -1)
        want = sum(logp[len(prompt) - 1 + i, t].item() for i, t in enumerate(option))
        assert got == pytest.approx(want, abs=1e-4)


def test_acc_norm_divides_by_characters_and_acc_bytes_by_bytes():
    assert choices.pick([-4.0, -5.0], ["ab", "abcdefgh"], "acc") == 0
    assert choices.pick([-4.0, -5.0], ["ab", "abcdefgh"], "acc_norm") == 1
    assert choices.pick([-4.0, -5.0], ["abcd", "éééé"], "acc_norm") == 0
    assert choices.pick([-4.0, -5.0], ["abcd", "éééé"], "acc_bytes") == 1


def test_a_choice_is_encoded_together_with_what_comes_before_it():
    words = {"a": 1, "ab": 2, "b": 3, " ": 4, " b": 5}

    def encode(text):
        ids = []
        while text:
            piece = next(w for w in sorted(words, key=len, reverse=True) if text.startswith(w))
            ids, text = [*ids, words[piece]], text[len(piece) :]
        return ids

    assert choices.pair(encode, "a ", "b") == ([1], [5])  # white space goes with what follows
    assert choices.pair(encode, "a", "bb") == ([1], [3])  # a token across the border counts to the left, as in lm-eval


def test_an_answer_ends_before_its_first_stop_sequence(job, tiny_demo):
    p = next(p for p in tiny_demo.general if len(p.contains) > 2)
    rows = [{"id": "1", "input": p.question, "target": p.contains[:1]}]
    assert job.config(job="evaluate").bench("s", EXACT, rows, decoding={"maxTokens": 8, "stop": [p.contains[1:]]}).run("evaluate") == 0
    assert (results(job)[0]["output"], results(job)[0]["score"]) == (p.contains[:1], 1.0)


def test_latency_and_cost_are_scored_by_their_limits(job, tiny_demo):
    rows = items(tiny_demo, 2)
    for name, kind, limit in (("fast", "latency", {"maxMs": 1e9}), ("slow", "latency", {"maxMs": 1e-9}), ("dear", "cost", {"maxTokens": 1})):
        job.bench(name, {"kind": kind, "params": limit}, rows)
    assert job.config(job="evaluate").run("evaluate") == 0
    assert {r["benchmark"]: r["score"] for r in results(job)} == {"dear": 0.0, "fast": 1.0, "slow": 0.0}


def test_template_and_system_shape_the_prompt(job, tiny_demo):
    lock = {"prompt": {"template": "Q: {input} {x}", "system": "Be brief.", "chat": True}}
    assert job.config(job="evaluate").bench("t", EXACT, [{"id": "1", "input": "a{input}b", "target": "x"}], **lock).run("evaluate") == 0
    assert results(job)[0]["prompt"] == "<|system|>Be brief.<|end|><|user|>Q: a{input}b {x}<|end|><|assistant|>"


def test_finished_items_are_not_run_again(job, tiny_demo):
    job.config(job="evaluate").bench("old", EXACT, items(tiny_demo, 6))
    assert job.run("evaluate") == 0
    kept = job.root / "checkpoints" / "results.jsonl"
    lines = kept.read_text().splitlines()
    marked = json.loads(lines[0])
    marked["result"]["output"] = "kept from before"
    kept.write_text(json.dumps(marked) + "\n" + lines[1] + "\n" + lines[2][:20])  # a kill cut the third line
    assert job.run("evaluate") == 0
    got = results(job)
    assert got[0]["output"] == "kept from before" and len(got) == 6 and [r["score"] for r in got] == [1.0] * 6
    assert len(kept.read_text().splitlines()) == 6


def test_sigterm_stops_between_batches_and_the_next_start_finishes(job, tiny_demo):
    job.config(job="evaluate", batch=1).bench("old", EXACT, items(tiny_demo, 240))
    p = job.process("evaluate.py")
    for line in p.stdout:
        if "item=4 " in line:
            p.send_signal(signal.SIGTERM)
            break
    p.stdout.read()
    assert p.wait() == 143
    assert not (job.root / "model" / "results.jsonl").exists()
    assert job.run("evaluate") == 0
    assert len(results(job)) == 240


def test_a_killed_evaluation_goes_on_at_the_next_item(job, tiny_demo):
    job.config(job="evaluate", batch=1).bench("old", EXACT, items(tiny_demo, 120))
    p = job.process("evaluate.py")
    for line in p.stdout:
        if "item=6 " in line:
            p.kill()
            break
    p.stdout.read()
    assert p.wait() == -signal.SIGKILL
    kept = (job.root / "checkpoints" / "results.jsonl").read_text().splitlines()
    assert len(kept) >= 5 and not (job.root / "model").exists()
    assert job.run("evaluate") == 0
    assert [r["item"] for r in results(job)] == [f"q{i}" for i in range(120)]


def test_one_item_that_cannot_run_costs_no_other(job, tiny_demo):
    rows = [*items(tiny_demo, 2), {"id": "long", "input": "word " * 400, "target": "x"}]
    assert job.config(job="evaluate").bench("old", EXACT, rows).run("evaluate") == 0
    got = results(job)
    assert [r["score"] for r in got] == [1.0, 1.0, 0.0]
    assert got[2]["error"].startswith("item long: prompt has") and "error" not in got[0]


@pytest.mark.parametrize(
    ("scorer", "rows", "lock", "code", "says"),
    [
        ({"kind": "magic"}, [{"id": "1", "input": "x"}], {}, 2, "b/lock.json: scorer.kind: must be one of choice"),
        (EXACT, [], {}, 3, "b/items.jsonl: holds no item"),
        (EXACT, [{"input": "x"}], {}, 3, "b/items.jsonl:1: id: is required"),
        (EXACT, [{"id": "1"}], {}, 3, "b/items.jsonl:1: input: is required"),
        (EXACT, [{"id": "1", "input": "x"}, {"id": "1", "input": "y"}], {}, 3, "b/items.jsonl: two items share an id"),
        ({"kind": "cost"}, [{"id": "1", "input": "x"}], {}, 2, "b/lock.json: scorer.params.maxTokens: must be a number above 0 for cost"),
        ({"kind": "choice"}, [{"id": "1", "input": "x", "choices": ["a"], "target": "a"}], {}, 3, "b/items.jsonl:1: choices: needs at least 2"),
        ({"kind": "choice"}, [{"id": "1", "input": "x", "choices": ["a", "b"], "target": "c"}], {}, 3, "b/items.jsonl:1: target: must be one"),
        (EXACT, [{"id": "1", "input": "x"}], {"decoding": {"maxTokens": 0}}, 2, "b/lock.json: decoding.maxTokens: must be at least 1"),
    ],
)
def test_bad_benchmarks_are_refused_by_place(job, scorer, rows, lock, code, says):
    assert job.config(job="evaluate").bench("b", scorer, rows, **lock).run("evaluate") == code
    assert job.failure.startswith(says)


def test_missing_channel_is_named(job):
    assert job.config(job="evaluate").run("evaluate") == 3
    assert job.failure.startswith("channel benchmark: no files in")
