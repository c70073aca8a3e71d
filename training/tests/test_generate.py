"""Sampling: tokens come as often as the model says, and only from the nucleus."""

from collections import Counter

import pytest
import torch

from continual import generate
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
