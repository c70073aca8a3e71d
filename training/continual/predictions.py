"""Predictions of a forward pass at the learned tokens, and what losses make of them."""

from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from continual.text import Row
from continual.vocabulary import LogSum


class Out:
    """Predictions at the learned positions of the rows: n = number of learned tokens."""

    def __init__(self, model: Any, features: Tensor, labels: Tensor, owner: Tensor, whole: "tuple[Out, slice] | None" = None):
        self.model, self.features, self.labels, self.owner = model, features, labels, owner  # [n, d], [n], [n] index of the row
        self.whole = whole
        self.sums: dict[float, Tensor] = {}

    @cached_property
    def logits(self) -> Tensor:
        """[n, V]"""
        return self.model.head(self.features)

    def part(self, span: slice) -> "Out":
        """The learned tokens of `span`; what is summed over the vocabulary is summed once for all."""
        return Out(self.model, self.features[span], self.labels[span], self.owner[span], (self, span))

    def log_sum(self, head: Tensor, temperature: float = 1.0) -> Tensor:
        """L(x / temperature) [n], see vocabulary.py."""
        if self.whole is not None:
            return self.whole[0].log_sum(head, temperature)[self.whole[1]]
        if temperature not in self.sums:
            self.sums[temperature] = LogSum.apply(self.features / temperature, head)
        return self.sums[temperature]


def learned(row: Row) -> list[int]:
    """Positions of the tokens that the loss counts; the first token is predicted by nothing."""
    return [j for j in range(1, len(row)) if row.target[j]]


def frozen_head(model: Any) -> Tensor | None:
    """The vocabulary's weight [V, d] where it cannot change and is exact enough for sums over it, else None."""
    weight = model.head_weight if hasattr(model, "head_weight") else None
    return weight if weight is not None and not weight.requires_grad and weight.dtype == torch.float32 else None


def cross_entropy(out: Out) -> Tensor:
    """Mean negative log-likelihood per learned token, nats."""
    return surprisal(out).mean()


def surprisal(out: Out) -> Tensor:
    """Negative log-likelihood [n] of each learned token, nats."""
    head = frozen_head(out.model)
    if head is None:
        return F.cross_entropy(out.logits.float(), out.labels, reduction="none")
    return out.log_sum(head) - (out.features * head[out.labels]).sum(-1)


def kl(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """Mean KL(teacher || student) per token [n, V], nats, times T^2 as in Hinton et al. (arXiv 1503.02531)."""
    p = F.log_softmax(teacher.float() / temperature, -1)
    q = F.log_softmax(student.float() / temperature, -1)
    return F.kl_div(q, p, log_target=True, reduction="batchmean") * temperature**2
