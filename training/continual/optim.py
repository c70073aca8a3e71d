"""AdamW (arXiv 1711.05101) on lists of tensors. torch's own class imports the compiler on first use, which costs a job
four seconds of its start; a test holds this one to torch's to the last bit of tolerance."""

from collections.abc import Iterable

import torch
from torch import Tensor


class AdamW:
    """State per weight: first moment m, second moment v; `t` counts steps."""

    def __init__(self, named: dict[str, Tensor], lr: float, weight_decay: float = 0.0, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8):
        self.named, self.lr, self.decay, self.betas, self.eps = named, lr, weight_decay, betas, eps
        self.t = 0
        self.m = {n: torch.zeros_like(p) for n, p in named.items()}
        self.v = {n: torch.zeros_like(p) for n, p in named.items()}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.named.values():
            p.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One update of every weight that has a gradient."""
        self.t += 1
        names = [n for n, p in self.named.items() if p.grad is not None]
        params, grads = [self.named[n] for n in names], [self.named[n].grad for n in names]
        m, v = [self.m[n] for n in names], [self.v[n] for n in names]
        b1, b2 = self.betas
        if self.decay:
            torch._foreach_mul_(params, 1 - self.lr * self.decay)
        torch._foreach_lerp_(m, grads, 1 - b1)
        torch._foreach_mul_(v, b2)
        torch._foreach_addcmul_(v, grads, grads, 1 - b2)
        root = torch._foreach_sqrt(v)
        torch._foreach_div_(root, (1 - b2**self.t) ** 0.5)
        torch._foreach_add_(root, self.eps)
        torch._foreach_addcdiv_(params, m, root, -self.lr / (1 - b1**self.t))

    def state(self) -> dict[str, Tensor]:
        """Tensors that a checkpoint needs."""
        out = {f"m/{n}": t for n, t in self.m.items()} | {f"v/{n}": t for n, t in self.v.items()}
        return {**out, "t": torch.tensor(self.t)}

    def load(self, state: dict[str, Tensor]) -> None:
        """Put saved tensors back in place."""
        self.t = int(state["t"])
        for kind, own in (("m", self.m), ("v", self.v)):
            for n, t in own.items():
                t.copy_(state[f"{kind}/{n}"])


@torch.no_grad()
def clip(params: Iterable[Tensor], limit: float) -> float:
    """Scale gradients to a joint norm of at most `limit` (0: only measure); returns the norm before."""
    grads = [p.grad for p in params if p.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in grads])).item()
    if limit and norm > limit:
        torch._foreach_mul_(grads, limit / (norm + 1e-6))
    return norm
