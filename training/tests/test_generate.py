"""Sampling: tokens come as often as the model says, and only from the nucleus."""

from collections import Counter

import pytest
import torch

from continual import generate, models
from continual.generate import Request, draw

SHARES = torch.tensor([0.05, 0.5, 0.3, 0.15])


def drawn(temperature: float, top_p: float, n: int = 4000) -> dict[int, float]:
    r = Request([1], 1, temperature, top_p, 7)
    return {token: k / n for token, k in Counter(draw(SHARES.log(), r) for _ in range(n)).items()}


@pytest.mark.parametrize("head", [1024, 2])
def test_tokens_are_drawn_from_the_nucleus_by_their_shares(monkeypatch, head):
    monkeypatch.setattr(generate, "HEAD", head)
    assert drawn(1.0, 1.0) == pytest.approx({0: 0.05, 1: 0.5, 2: 0.3, 3: 0.15}, abs=0.03)
    assert drawn(1.0, 0.75) == pytest.approx({1: 0.625, 2: 0.375}, abs=0.03)
    assert drawn(1.0, 0.9) == pytest.approx({1: 0.526, 2: 0.316, 3: 0.158}, abs=0.03)


def test_a_low_temperature_draws_the_likeliest():
    assert drawn(0.05, 1.0) == {1: 1.0}


def test_waiting_rows_take_the_places_of_those_that_are_done_and_answers_are_the_same(base, tiny_demo, monkeypatch):
    loaded, wide = models.load(base), []
    prompts = [loaded.text.chat_ids([{"role": "user", "content": p.question}]) for p in tiny_demo.general[:40]]

    def asked(n):
        return Request(prompts[n], 1 + n % 7)  # one to seven tokens

    alone = [asked(n) for n in range(40)]
    for r in alone:
        generate.generate(loaded.model, [r])
    step = generate.Batch.step
    monkeypatch.setattr(generate.Batch, "step", lambda b: (wide.append(len(b.rows)), step(b)))
    together, ticks = [asked(n) for n in range(40)], []
    generate.generate(loaded.model, together, 8, lambda: ticks.append(sum(r.done is not None for r in together)))
    assert [(r.out, r.done) for r in together] == [(r.out, r.done) for r in alone]
    assert max(wide) <= 8 and wide.count(8) > 1 and sum(wide) > 0.7 * 8 * len(wide)
    assert ticks[-1] == 40 and len(ticks) > 10
