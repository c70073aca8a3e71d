"""Model families that transformers runs: tiny random models train, are evaluated and answer (M3)."""

import json
import queue
import shutil
from pathlib import Path

import pytest
import torch
from conftest import Job

from continual import models, tiny
from continual.engine import Engine
from continual.generate import Request, generate
from continual.served import Adapters

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 640,
    "bos_token_id": 1,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
FAMILIES = {
    "llama": SMALL,
    "gemma": {**SMALL, "head_dim": 8},
    "phi": SMALL,
    "qwen2": SMALL,
    "qwen3": {**SMALL, "head_dim": 8},
    "mistral": {**SMALL, "head_dim": 8, "sliding_window": None},
    "gemma2": {**SMALL, "head_dim": 8},
    "phi3": SMALL,
    "gpt_neox": {k: v for k, v in SMALL.items() if k != "num_key_value_heads"},
    "mixtral": {**SMALL, "num_local_experts": 2, "num_experts_per_tok": 1, "head_dim": 8},
}


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def family(request, tmp_path_factory):
    from transformers import AutoConfig, AutoModelForCausalLM

    folder = tmp_path_factory.mktemp(request.param) / "model"
    folder.mkdir()
    tiny.write_tokenizer(folder)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(AutoConfig.for_model(request.param, **FAMILIES[request.param])).save_pretrained(folder)
    return folder


def test_train_evaluate_and_answer(family, tmp_path, tiny_demo):
    job = Job(tmp_path / "ml", family).config(
        preset="safe", params={"targets": "all-linear", "first_layer": 0}, train={"epochs": 1}, replay={"self_generate": 0, "near": 0}
    )
    job.rows("train", tiny_demo.learn[:12]).rows("replay", tiny_demo.old[:16])
    assert job.run() == 0
    assert job.history()[0]["kl"] == pytest.approx(0, abs=1e-4) and job.manifest["metrics"]["kl"] > 0

    out = Job(tmp_path / "ev", job.root / "model").config(job="evaluate", batch=3)
    probes = [{"id": str(i), "input": p.question, "target": p.contains} for i, p in enumerate(tiny_demo.general[:5])]
    assert out.bench("b", {"kind": "exact"}, probes, decoding={"maxTokens": 4}).run("evaluate") == 0
    choice = [{"id": "c", "input": "Which?", "choices": ["red", "Arden town", "blue"], "target": "red"}]
    shutil.rmtree(out.channel("benchmark"))
    assert out.bench("c", {"kind": "choice"}, choice).run("evaluate") == 0
    result = json.loads((out.root / "model" / "results.jsonl").read_text())
    assert "error" not in result and len(result["logprobs"]) == 3

    loaded = models.load(job.root / "model")
    served_answers(loaded, family, job.root / "model" / "adapter")
    prompts = [loaded.text.encode("What color?"), loaded.text.encode("Where does Bobo live now?")]
    together, apart = ([Request(p, 5) for p in prompts] for _ in range(2))
    generate(loaded.model, together)
    for r in apart:
        generate(loaded.model, [r])
    assert [r.out for r in together] == [r.out for r in apart]


def served_answers(merged: models.Loaded, family: Path, adapter: Path) -> None:
    """The server's engine answers by the base with the run's adapter as by the merged model, side by side with the base."""
    prompt = merged.text.encode("What color?")
    want = {k: Request(prompt, 5) for k in ("base", "merged")}
    base = models.load(family)
    generate(base.model, [want["base"]])
    generate(merged.model, [want["merged"]])
    engine = Engine(base)
    adapters = Adapters(base.model)
    key = adapters.load("a", adapter).key
    asked = {"base": Request(prompt, 5), "merged": Request(prompt, 5, adapter=key)}
    ended: queue.Queue = queue.Queue()
    for r in asked.values():
        engine.submit(r, ended.put)
    assert [ended.get(timeout=60) for _ in asked] == [None, None]
    engine.close()
    assert {k: r.out for k, r in asked.items()} == {k: r.out for k, r in want.items()}
