"""Losses without logits equal losses with them; a teacher stays the previous model, whatever learns."""

import pytest
import torch
from conftest import Job

from continual import config, models, params
from continual.forward import Forward
from continual.predictions import cross_entropy, kl
from continual.vocabulary import COLUMNS, LogSum, log_sum


def test_the_sum_over_the_vocabulary_and_its_gradient():
    torch.manual_seed(0)
    x, head = torch.randn(9, 8, requires_grad=True), torch.randn(2 * COLUMNS + 3, 8)
    want = torch.logsumexp(x @ head.T, -1)
    torch.testing.assert_close(LogSum.apply(x, head), want)
    ours, plain = (torch.autograd.grad(v.pow(2).sum(), x)[0] for v in (LogSum.apply(x, head), want))
    torch.testing.assert_close(ours, plain, atol=1e-3, rtol=1e-4)
    assert log_sum(x.detach(), head, False)[1] is None


def moved(raw_base, tiny_demo, kind):
    """A model some way from the previous one, rows, and the previous model's logits on them."""
    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "params": {"kind": kind}}, "train")
    torch.manual_seed(0)
    loaded = models.load(raw_base)
    rows = [loaded.text.row(r, 64) for r in tiny_demo.old[:5]]
    with torch.no_grad():
        before = Forward(loaded, params.Trainable("none", {}))(rows).logits.clone()
    t = params.setup(loaded.model, cfg)
    with torch.no_grad():
        for p in t.named.values():
            p.add_(0.1 * torch.randn_like(p))
    return t, Forward(loaded, t), rows, before


@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize("kind", ["lora", "full"])
def test_losses_equal_those_of_logits(kind, temperature, raw_base, tiny_demo):
    t, forward, rows, before = moved(raw_base, tiny_demo, kind)
    out = forward(rows)
    pairs = [
        (cross_entropy(out), torch.nn.functional.cross_entropy(out.logits, out.labels)),
        (forward.kl(rows, out, temperature), kl(before, out.logits, temperature)),
    ]
    for ours, plain in pairs:
        assert ours.item() == pytest.approx(plain.item(), rel=1e-4)
        grads = [torch.autograd.grad(v, list(t.named.values()), retain_graph=True, allow_unused=True) for v in (ours, plain)]
        for a, b in zip(*grads, strict=True):
            if b is not None:
                torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-3)


def test_with_a_frozen_head_no_step_makes_logits(tmp_path, raw_base, tiny_demo, monkeypatch):
    made = []
    monkeypatch.setattr("continual.llama.Llama.head", lambda *_: made.append(1))
    job = Job(tmp_path / "ml", raw_base).config(train={"max_steps": 2}, replay={"self_generate": 0, "near": 0, "holdout": 0})
    monkeypatch.setattr("continual.measured.exact_share", lambda *_: 0.0)
    assert job.rows("train", tiny_demo.learn[:8]).rows("replay", tiny_demo.old[:8]).run() == 0, job.failure
    assert not made
