"""Loss and gradient of a step, part by part: each part is one thread's (workers.py), sums are made in the parts' order."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from continual.forward import Forward
from continual.losses import Step, Term
from continual.params import Trainable
from continual.predictions import cross_entropy, learned
from continual.text import Row

TOKENS = 512  # of a step for a pair of parts: shorter parts take longer a token


@dataclass
class Part:
    """Rows of a step that are computed together; the first part adds the terms on weights."""

    new: list[Row]
    old: list[Row]
    first: bool = False


def cut(new: list[Row], old: list[Row]) -> list[Part]:
    """Parts of about equal length: a function of the rows alone, whatever computes them."""
    rows = [(r, True) for r in new] + [(r, False) for r in old]
    count = min(len(rows), 2 * max(1, sum(len(r) for r, _ in rows) // TOKENS))
    parts, sizes = [Part([], [], i == 0) for i in range(count)], [0] * count
    for row, is_new in sorted(rows, key=lambda x: -len(x[0])):
        i = sizes.index(min(sizes))
        (parts[i].new if is_new else parts[i].old).append(row)
        sizes[i] += len(row)
    return parts


class Gradient:
    """What a step is computed with. `objective` stands for cross-entropy on the new rows, (rows, step) -> loss."""

    def __init__(self, forward: Forward, t: Trainable, terms: list[Term], objective: Callable[[list[Row], int], Tensor] | None = None):
        self.forward, self.terms, self.objective = forward, terms, objective
        self.weights = list(t.named.values())

    def __call__(self, new: list[Row], old: list[Row], step: int) -> dict[str, float]:
        """Give each weight its gradient. Returns the `loss`, `loss_new` and each term: means over the learned tokens of the
        rows they look at, in nats where not said otherwise."""
        self._prepare(new, old)
        whole = self.objective is not None or not self.forward.apart
        parts = [Part(new, old, True)] if whole else cut(new, old)
        counts = [sum(len(learned(r)) for r in rows) for rows in (new, old)]
        rate = len(new) / (len(new) + len(old))
        done = self.forward.each(lambda p: self._part(p, counts, rate, step), parts)
        for w, *grads in zip(self.weights, *(grads for _, grads in done), strict=True):
            some = [g for g in grads if g is not None]
            w.grad = sum(some[1:], some[0]) if some else None
        names = ["loss", "loss_new", *(t.name for t in self.terms)]
        return {n: sum(values.get(n, 0.0) for values, _ in done) for n in names}

    def _prepare(self, new: list[Row], old: list[Row]) -> None:
        """What is kept of rows is computed before threads ask for it."""
        self.forward.keep_lower(new + old)
        for term in self.terms:
            if term.temperature:
                self.forward.remember(new if term.of == "new" else old, term.temperature)

    def _part(self, p: Part, counts: list[int], rate: float, step: int) -> tuple[dict[str, float], list[Tensor | None]]:
        now = Step(self.forward, p.new, p.old)
        n, old = len(now.new.labels), 0 if now.old is None else len(now.old.labels)
        share = {"new": n / max(1, counts[0]), "old": old / max(1, counts[1]), "weights": float(p.first)}
        values: dict[str, Any] = {}
        if n:
            values["loss_new"] = share["new"] * (cross_entropy(now.new) if self.objective is None else self.objective(p.new, step))
        values |= {t.name: share[t.of] * t(now) for t in self.terms if share[t.of]}
        values["loss"] = rate * values.get("loss_new", 0.0) + sum(t.weight * values.get(t.name, 0.0) for t in self.terms)
        learns = isinstance(values["loss"], Tensor)  # not where no row of the part has a learned token
        grads = torch.autograd.grad(values["loss"], self.weights, allow_unused=True) if learns else [None] * len(self.weights)
        return {k: v.item() if isinstance(v, Tensor) else v for k, v in values.items()}, list(grads)
