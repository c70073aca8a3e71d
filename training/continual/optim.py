"""AdamW (arXiv 1711.05101) by torch's fused operator: a tenth of the time of an operation after another on hundreds of small
tensors. torch's own class imports the compiler on first use, which costs a job four seconds of its start; a test holds this
one to it."""

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
        if not names:
            return
        params, m, v = ([of[n] for n in names] for of in (self.named, self.m, self.v))
        count = torch.tensor(float(self.t), device=params[0].device)
        b1, b2 = self.betas
        torch._fused_adamw_(
            params,
            [p.grad for p in params],
            m,
            v,
            [],
            [count] * len(params),
            lr=self.lr,
            beta1=b1,
            beta2=b2,
            weight_decay=self.decay,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )

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
