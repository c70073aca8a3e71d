"""The slot after training: how much of the change is kept, and how adapters are combined (T1)."""

from typing import Any

import torch
from torch import Tensor

from continual.lora import LoraLinear
from continual.params import Trainable, scale_update


def apply(cfg: Any, t: Trainable, trainer: Any, carried: Any) -> None:
    """Run the configured post step in place."""
    kind = cfg.post.kind
    if kind == "wise":
        wise(cfg, t, trainer)
    elif kind in ("ties", "dare"):
        combine(cfg, t, carried.adapters)
    elif kind == "intruder":
        for a in t.adapters.values():
            reduce_intruders(a, cfg.post.intruder_lambda)


def wise(cfg: Any, t: Trainable, trainer: Any) -> float:
    """WiSE-FT (arXiv 2109.01903): the largest share of the change whose old-data loss stays within the tolerance.

    Without held-out old rows nothing can be chosen and the whole change is kept.
    """
    before, at = trainer.result.old_before, 1.0
    if before is None:
        return at
    for alpha in sorted(cfg.post.alphas, reverse=True):
        scale_update(t, alpha / at)
        at = alpha
        if trainer.old_loss()[0] <= before + cfg.post.old_tolerance:
            break
    print(f"[perennial] wise: kept {at:g} of the change", flush=True)
    return at


@torch.no_grad()
def combine(cfg: Any, t: Trainable, earlier: list[dict[str, tuple[Tensor, Tensor]]]) -> None:
    """TIES over this run's and the earlier runs' changes, or DARE on this run's; the result replaces the plain sum."""
    generator = torch.Generator().manual_seed(cfg.seed)
    for name, a in t.adapters.items():
        new = a.delta()
        key = name.removeprefix("inner.")
        before = [b @ x for b, x in (e[key] for e in earlier if key in e)]
        if cfg.post.kind == "dare":
            t.combined[f"{name}.weight"] = dare(new, cfg.post.density, generator)
        else:
            t.combined[f"{name}.weight"] = ties([*before, new], cfg.post.density) - sum(before, torch.zeros_like(new))


def ties(changes: list[Tensor], density: float) -> Tensor:
    """TIES-merging (arXiv 2306.01708): trim each change to its largest entries, elect a sign per entry by total mass,
    average the entries that agree. One change alone is only trimmed."""
    kept = torch.stack([trim(c, density) for c in changes])
    sign = kept.sum(0).sign()
    agree = (kept.sign() == sign) & (kept != 0)
    return (kept * agree).sum(0) / agree.sum(0).clamp(min=1)


def trim(change: Tensor, density: float) -> Tensor:
    """Zero all but the share `density` of entries largest in magnitude."""
    k = max(1, round(density * change.numel()))
    limit = change.abs().flatten().kthvalue(change.numel() - k + 1).values
    return change * (change.abs() >= limit)


def dare(change: Tensor, density: float, generator: torch.Generator) -> Tensor:
    """DARE (arXiv 2311.03099): drop entries at random, rescale the rest by 1 / density."""
    mask = torch.rand(change.shape, generator=generator).to(change.device) < density
    return change * mask / density


@torch.no_grad()
def reduce_intruders(a: LoraLinear, share: float, top: int = 10, epsilon: float = 0.5) -> int:
    """Take away `share` of each intruder dimension (arXiv 2410.21228): a leading left singular vector of the new weight
    with cosine below `epsilon` to every one of the old weight. Returns how many there were."""
    old = a.base.weight.float()
    u0, _, _ = torch.linalg.svd(old, full_matrices=False)
    u, s, vt = torch.linalg.svd(old + a.delta(), full_matrices=False)
    likeness = (u0.T @ u[:, :top]).abs().max(0).values
    found = [i for i in range(min(top, len(s))) if likeness[i] < epsilon]
    for i in found:
        a.fixed.append(((-share * s[i] * u[:, i : i + 1]) / a.strength, vt[i : i + 1]))
    return len(found)
