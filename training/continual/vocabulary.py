"""The product with the vocabulary, the dearest layer of a small model, without keeping logits.

With L(x) = log sum_v exp(w_v . x) over a frozen head w [V, d], all that a step needs of the vocabulary is L and its gradient,
the mean m(x) of w under softmax(w x):
  cross-entropy of token y   L(x) - w_y . x
  KL(teacher || student)     L(s) - L(t) - m(t) . (s - t)      (s, t: the final states [d] of both; exact)
So a teacher is three small things a position, kept once and for all, and its logits are never made again.
"""

from typing import Any

import torch
from torch import Tensor

from continual.product import linear

COLUMNS = 2048  # of the vocabulary whose logits exist at the same time: with their weights they fit into a cache


class LogSum(torch.autograd.Function):
    """L(x) [n] of states x [n, d]; backwards costs nothing, for m is made in the same pass."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, head: Tensor) -> Tensor:
        value, mean = log_sum(x, head, ctx.needs_input_grad[0])
        ctx.save_for_backward(mean)
        return value

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (mean,) = ctx.saved_tensors
        return grad[:, None] * mean, None


def log_sum(x: Tensor, head: Tensor, with_mean: bool) -> tuple[Tensor, Tensor | None]:
    """L(x) [n] and, where wanted, m(x) [n, d]; sums are kept relative to the largest logit so far."""
    top, total = x.new_full((len(x), 1), -torch.inf), x.new_zeros(len(x), 1)
    mean = torch.zeros_like(x) if with_mean else None
    for start in range(0, len(head), COLUMNS):
        part = head[start : start + COLUMNS]
        z = linear(x, part)
        now = torch.maximum(top, z.amax(1, keepdim=True))
        shrink, top = (top - now).exp_(), now
        total.mul_(shrink).add_(z.sub_(top).exp_().sum(1, keepdim=True))
        if mean is not None:
            mean.mul_(shrink).add_(linear(z, part.T))
    return (top + total.log())[:, 0], None if mean is None else mean.div_(total)
