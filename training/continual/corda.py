"""CorDA in knowledge-preserved mode (arXiv 2406.05223): adapters start in the directions old inputs use least.

With C = X^T X the covariance of a layer's inputs on old rows, SVD(W C) = U S V^T; the r smallest components give
B = U_r sqrt(S_r) and A = sqrt(S_r) V_r^T C^-1. Their product is subtracted as a frozen pair, so the run starts at the
previous model's function and "adapter off" stays the previous model.
"""

from typing import Any

import torch
from torch import Tensor, nn

from continual import lora
from continual.text import Row


@torch.no_grad()
def covariances(loaded: Any, rows: list[Row], cfg: Any) -> dict[str, Tensor]:
    """Module name -> X^T X / tokens [in, in] over the rows, for every targeted layer."""
    model = loaded.model
    names = lora.select(model, cfg.params.targets, int(cfg.params.first_layer * model.depth))
    found: dict[str, Tensor] = {}
    hooks = [model.get_submodule(n).register_forward_pre_hook(_adder(found, n)) for n in names]
    tokens = 0
    for start in range(0, len(rows), 16):
        batch = rows[start : start + 16]
        lengths = [len(r) for r in batch]
        model.features(torch.tensor([t for r in batch for t in r.ids], device=model.device), lengths)
        tokens += sum(lengths)
    for h in hooks:
        h.remove()
    return {n: c / tokens for n, c in found.items()}


def _adder(found: dict[str, Tensor], name: str) -> Any:
    def add(_: nn.Module, args: tuple[Tensor, ...]) -> None:
        x = args[0].reshape(-1, args[0].shape[-1]).float()
        found[name] = found.get(name, 0) + x.T @ x

    return add


@torch.no_grad()
def initialise(adapters: dict[str, lora.LoraLinear], found: dict[str, Tensor]) -> None:
    """Set A and B to the least used components and subtract their product."""
    for name, a in adapters.items():
        c = found[name]
        ridge = 1e-3 * c.diagonal().mean() * torch.eye(len(c), device=c.device)
        u, s, vt = torch.linalg.svd(a.base.weight.float() @ (c + ridge), full_matrices=False)
        root = s[-a.r :].sqrt() / a.scale**0.5
        a.lora_B.copy_(u[:, -a.r :] * root)
        a.lora_A.copy_(torch.linalg.solve(c + ridge, (root[:, None] * vt[-a.r :]).T).T)
        a.fixed.append((-a.lora_B.clone() * a.scale, a.lora_A.clone()))
