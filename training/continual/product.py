"""Products with a weight [out, in], by the library and in the form that is fastest on this processor.

torch gives float32 products to MKL, whose code for other makers' processors ends at AVX2 and reads a weight slowly for a few
rows; on those oneDNN, a part of torch too, makes its code for the processor that it finds. For a few rows the memory is the
limit: a product reads the weight with every thread only if it is cut into as many parts, and which side the weight stands on
decides how fast it is read (README, "Decisions").
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from continual import processor

FEW = 8  # rows up to which MKL's cut product never loses
SINGLE, NARROW = 2, 96  # likewise, rows up to which the weight stands left: MKL's cut product, and oneDNN's


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [n, in] times weight [out, in] transposed -> [n, out]."""
    if torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad):
        return Product.apply(x, weight) if fast(x, weight) else F.linear(x, weight)
    return times(x, weight)


class Product(torch.autograd.Function):
    """`linear`, both ways by `times`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x if weight.requires_grad else None, weight)
        return times(x, weight)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        dx = back(grad, weight) if ctx.needs_input_grad[0] else None
        return dx, times(grad.T, x.T) if ctx.needs_input_grad[1] else None


class Adapted(torch.autograd.Function):
    """x W^T + s (x A^T) B^T of x [n, in] with a frozen W [out, in], A [r, in], B [out, r]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
        low = onednn(x, a)
        ctx.save_for_backward(x, weight, a, b, low)
        ctx.scale = scale
        return times(x, weight).addmm_(low, b.T, alpha=scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None]:
        x, weight, a, b, low = ctx.saved_tensors
        up = onednn(grad, b.T.contiguous()).mul_(ctx.scale)  # [n, r]
        dx = back(grad, weight).addmm_(up, a) if ctx.needs_input_grad[0] else None
        return dx, None, onednn(up.T, x.T), onednn(low.T, grad.T).mul_(ctx.scale).T.contiguous(), None


def ease(weight: Tensor) -> None:
    """Let what flows back through a frozen weight be computed in bfloat16; results keep their float32. The weight must stay as
    it is for as long as gradients flow."""
    weight.eased = weight.detach().bfloat16()


def back(grad: Tensor, weight: Tensor) -> Tensor:
    """What reaches the input [n, in] of a product whose result has the gradient [n, out]."""
    half = getattr(weight, "eased", None)
    return onednn(grad, weight.T) if half is None else (grad.bfloat16() @ half).float()


def fast(*tensors: Tensor) -> bool:
    """Whether oneDNN computes with these: matrices of float32 on an AMD."""
    return all(t.dtype == torch.float32 and t.dim() == 2 and not t.is_cuda for t in tensors) and _amd()


def halves() -> bool:
    """Whether products of bfloat16 take half the time here: an AMD with AVX512-BF16 (README, "Decisions")."""
    return _amd() and processor.has("avx512_bf16")


def _amd() -> bool:
    return processor.has("AuthenticAMD")


def times(x: Tensor, weight: Tensor) -> Tensor:
    """`linear` without a gradient; strides may be any."""
    n, (out, width), parts = len(x), weight.shape, parts_of(weight)
    if fast(x, weight):
        if n > NARROW:
            return onednn(x, weight)
        if n > SINGLE or not weight.is_contiguous():
            return onednn(weight, x).T.contiguous()
        return torch.bmm(weight.view(parts, out // parts, width), x.T.expand(parts, width, n)).view(out, n).T.contiguous()
    if n > FEW or parts == 1 or x.is_cuda or not weight.is_contiguous():
        return F.linear(x, weight)
    y = torch.bmm(x.expand(parts, n, width), weight.view(parts, out // parts, width).transpose(1, 2))  # [parts, n, out / parts]
    return y.transpose(0, 1).reshape(n, out)


class Fixed:
    """A product of one row from one buffer into another: its views are made once, a call is one product."""

    def __init__(self, weight: Tensor, x: Tensor, y: Tensor):
        (out, width), parts, left = weight.shape, parts_of(weight), fast(weight)
        w, x = weight.view(parts, out // parts, width), x.view(1, width)
        self.sides = (w, x.T.expand(parts, width, 1)) if left else (x.expand(parts, 1, width), w.transpose(1, 2))
        self.y = y.view(parts, -1, 1) if left else y.view(parts, 1, -1)

    def __call__(self) -> None:
        torch.bmm(*self.sides, out=self.y)


def onednn(x: Tensor, weight: Tensor) -> Tensor:
    """x times weight transposed by oneDNN; torch's own operator, without its gradient."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, None, "none", [], "")


def parts_of(weight: Tensor) -> int:
    """Number of equal parts that a weight's rows are cut into, one a thread; 1 where they would not be equal. Even one thread
    of an AMD reads two parts faster than one: for a single matrix and row MKL takes a slower way."""
    n = max(2 if fast(weight) else 1, torch.get_num_threads())
    return n if len(weight) % n == 0 else 1
