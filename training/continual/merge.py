"""The slot after training: how much of the change is kept, and how adapters are combined (T1)."""

from typing import Any

from continual.params import Trainable, scale_update


def apply(cfg: Any, t: Trainable, trainer: Any, carried: Any) -> None:
    """Run the configured post step in place."""
    kind = cfg.post.kind
    if kind == "wise":
        wise(cfg, t, trainer)


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
