"""What a layer does to each token by itself, with few passes over the rows both ways: rotary positions (arXiv 2104.09864) and
RMSNorm (1910.07467)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from continual.pack import Pack


class Rotate(torch.autograd.Function):
    """Rotary embedding of [N, h, D] in the half-split convention of the Llama checkpoints; back it turns the other way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return turn(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return turn(grad, cos, -sin), None, None


def turn(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """(a, b) -> (a cos - b sin, b cos + a sin) of the halves of [N, h, D]; `sin` carries the sign."""
    return (x * cos).addcmul_(x.roll(x.shape[-1] // 2, -1), sin)


def rotate(x: Tensor, p: Pack) -> Tensor:
    """Turn queries or keys [N, h, D] by their positions."""
    return Rotate.apply(x, p.cos, p.sin) if x.requires_grad else turn(x, p.cos, p.sin)


class RMSNorm(nn.Module):
    """x / rms(x) * weight, in float32."""

    def __init__(self, c: Any):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(c.hidden_size))
        self.eps = c.rms_norm_eps

    def forward(self, x: Tensor) -> Tensor:
        if x.requires_grad or self.weight.requires_grad or x.dtype != torch.float32:
            return Normed.apply(x, self.weight, self.eps)
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)  # a third of the time for a single token


class Normed(torch.autograd.Function):
    """RMSNorm of [N, d], with few passes over the rows both ways."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float()
        inverse = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, weight, inverse)
        return (wide * inverse).to(x.dtype).mul_(weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight, inverse = ctx.saved_tensors
        unit = x.float() * inverse
        dx = dw = None
        if ctx.needs_input_grad[0]:
            wide = grad.float() * weight
            mean = (wide * unit).mean(-1, keepdim=True)
            dx = wide.addcmul_(unit, mean, value=-1).mul_(inverse).to(x.dtype)
        if ctx.needs_input_grad[1]:
            dw = (grad * unit).sum(0).to(weight.dtype)
        return dx, dw, None
