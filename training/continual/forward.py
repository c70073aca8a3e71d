"""One forward pass for many rows: nothing is computed twice and nothing on padding.

Layers below the first trainable one give the same output in every epoch, so their result is kept per row (exact: the
upper layers see the very same numbers). The previous model's final states on a row are kept likewise, so a teacher
costs one pass per row and run instead of one per step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from continual.params import Trainable
from continual.text import Row

CACHE_BYTES = 2 * 1024**3  # kept states of lower layers and of the teacher, together


@dataclass
class Out:
    """Predictions at the learned positions of the rows: n = number of learned tokens."""

    logits: Tensor  # [n, V]
    labels: Tensor  # [n]
    owner: Tensor  # [n] index of the row


class Forward:
    """Runs rows through the model."""

    def __init__(self, loaded: Any, trainable: Trainable):
        self.model, self.t = loaded.model, trainable
        self.split = trainable.first if hasattr(loaded.model, "run") else 0
        self.lower: dict[int, Tensor] = {}
        self.taught: dict[int, Tensor] = {}
        self.bytes = 0
        self.tokens = 0
        self.groups: dict[int, list[Row]] = {}

    def register(self, rows: list[Row], size: int = 16) -> None:
        """Fix which rows are computed together below the split and by the teacher. A matrix product's last bit depends on
        its batch, and a resumed run meets the rows in other steps: only fixed groups make it equal bit for bit."""
        in_batches(rows, size, lambda group: self.groups.update((id(r), group) for r in group))

    def __call__(self, rows: list[Row]) -> Out:
        """Logits of the model as it stands now."""
        features = self._features(rows)
        self.tokens += sum(len(r) for r in rows)
        at, labels, owner = self._targets(rows)
        return Out(self.model.head(features[at]), labels, owner)

    def passing(self, rows: list[Row]) -> Out:
        """Logits for rows that exist only now: nothing is kept of them, whoever is teaching."""
        features = self.model.features(self._ids(rows), [len(r) for r in rows])
        self.tokens += sum(len(r) for r in rows)
        at, labels, owner = self._targets(rows)
        return Out(self.model.head(features[at]), labels, owner)

    def teacher(self, rows: list[Row]) -> Tensor:
        """Logits [n, V] of the previous model at the same positions, without gradient."""
        with torch.no_grad():
            return self.model.head(torch.cat(self._kept(rows, self.taught, self._teach)))

    def _kept(self, rows: list[Row], store: dict[int, Tensor], compute: Callable[[list[Row]], Sequence[Tensor]]) -> list[Tensor]:
        """A value per row: kept ones as they are, missing ones computed with their whole group."""
        fresh: dict[int, Tensor] = {}
        for r in rows:
            if id(r) in store or id(r) in fresh:
                continue
            group = self.groups.get(id(r), [r])
            for member, value in zip(group, compute(group), strict=True):
                fresh[id(member)] = value
                self._keep(store, member, value)
        return [store[id(r)] if id(r) in store else fresh[id(r)] for r in rows]

    def _teach(self, rows: list[Row]) -> Sequence[Tensor]:
        with self.t.teacher():
            features = self._features(rows)
        at, _, owner = self._targets(rows)
        return features[at].split(torch.bincount(owner, minlength=len(rows)).tolist())

    def _features(self, rows: list[Row]) -> Tensor:
        lengths = [len(r) for r in rows]
        if not self.split:
            return self.model.features(self._ids(rows), lengths)
        with torch.no_grad():
            lower = torch.cat(self._kept(rows, self.lower, self._below))
        return self.model.run(lower, self.model.pack(lengths), first=self.split)

    def _below(self, rows: list[Row]) -> Sequence[Tensor]:
        lengths = [len(r) for r in rows]
        return self.model.run(self.model.embed(self._ids(rows)), self.model.pack(lengths), last=self.split).split(lengths)

    def _keep(self, store: dict[int, Tensor], row: Row, value: Tensor) -> None:
        size = value.numel() * value.element_size()
        if id(row) not in store and self.bytes + size <= CACHE_BYTES:
            store[id(row)] = value.clone()
            self.bytes += size

    def _ids(self, rows: list[Row]) -> Tensor:
        return torch.tensor([t for r in rows for t in r.ids], device=self.model.device)

    def _targets(self, rows: list[Row]) -> tuple[Tensor, Tensor, Tensor]:
        """Packed positions that predict a learned token, that token, and its row."""
        at, labels, owner, base = [], [], [], 0
        for i, r in enumerate(rows):
            for j in range(1, len(r)):
                if r.target[j]:
                    at.append(base + j - 1)
                    labels.append(r.ids[j])
                    owner.append(i)
            base += len(r)
        dev = self.model.device
        return torch.tensor(at, device=dev), torch.tensor(labels, device=dev), torch.tensor(owner, device=dev)


def cross_entropy(out: Out) -> Tensor:
    """Mean negative log-likelihood per learned token, nats."""
    return F.cross_entropy(out.logits.float(), out.labels)


def kl(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean KL(teacher || student) per token [n, V], nats, times T^2 as in Hinton et al. (arXiv 1503.02531)."""
    p = F.log_softmax(teacher.float() / temperature, -1)
    q = F.log_softmax(student.float() / temperature, -1)
    return F.kl_div(q, p, log_target=True, reduction="batchmean") * temperature**2


def in_batches(rows: list[Row], size: int, each: Callable[[list[Row]], None]) -> None:
    """Call `each` on slices of rows sorted by length."""
    ordered = sorted(rows, key=len)
    for i in range(0, len(ordered), size):
        each(ordered[i : i + size])
