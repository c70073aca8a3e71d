"""The parameter slot: which weights learn (all, LoRA, CorDA, OSF) and how they return into plain weights (T1)."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from continual import lora, models, product
from continual.errors import TrainError
from continual.layers import Linear


@dataclass
class Trainable:
    """What learns in this run."""

    kind: str
    named: dict[str, nn.Parameter]
    adapters: dict[str, lora.LoraLinear] = field(default_factory=dict)
    first: int = 0  # first decoder layer that can change; everything below is constant
    start: dict[str, Tensor] = field(default_factory=dict)  # weights before the run (full, osf)
    combined: dict[str, Tensor] = field(default_factory=dict)  # weight name -> change to write instead (ties, dare)
    constraint: Any = None  # osf.Subspace that the change must stay in

    @contextmanager
    def teacher(self) -> Iterator[None]:
        """Inside, the model computes what it computed before this run."""
        with lora.disabled(), self._swapped() if self.start else nullcontext():
            yield

    @contextmanager
    def _swapped(self) -> Iterator[None]:
        now = {n: p.data for n, p in self.named.items()}
        for n, p in self.named.items():
            p.data = self.start[n]
        try:
            yield
        finally:
            for n, p in self.named.items():
                p.data = now[n]

    def deltas(self) -> dict[str, Tensor]:
        """Module or parameter name -> change of the weight in this run, float32."""
        if self.adapters:
            return {f"{n}.weight": a.delta().detach().float() for n, a in self.adapters.items()}
        return {n: (p.detach() - self.start[n]).float() for n, p in self.named.items()}


def setup(model: Any, cfg: Any, covariances: dict[str, Tensor] | None = None) -> Trainable:
    """Make the configured weights learn. `covariances` [in, in] per linear layer are needed for lora_corda."""
    p = cfg.params
    if p.kind in ("lora", "lora_corda"):
        made = _adapters(model, p, covariances)
        if models.eases(cfg.model.dtype):
            _ease(model, made.first)
        return made
    names = {n: q for n, q in model.named_parameters() if q.is_floating_point()}
    start = {n: q.detach().clone() for n, q in names.items()}
    constraint = None
    if p.kind == "osf":
        from continual import osf

        constraint = osf.Subspace({n: w for n, w in start.items() if osf.fits(n, w)}, p.osf_keep)
        names = {n: names[n] for n in constraint.high}
        start = {n: start[n] for n in names}
    for q in names.values():
        q.requires_grad_(True)
    return Trainable(p.kind, names, start=start, constraint=constraint)


def _adapters(model: Any, p: Any, covariances: dict[str, Tensor] | None) -> Trainable:
    first = math.floor(p.first_layer * model.depth)
    names = lora.select(model, p.targets, first)
    adapters = lora.attach(model, names, p.r, p.alpha)
    if p.kind == "lora_corda":
        from continual import corda

        corda.initialise(adapters, covariances or {})
    named = {}
    for n, a in adapters.items():
        named[f"{n}.lora_A"], named[f"{n}.lora_B"] = a.lora_A, a.lora_B
    if not named:
        raise TrainError("no trainable weight")
    return Trainable(p.kind, named, adapters, first)


def _ease(model: Any, first: int) -> None:
    """Gradients pass the frozen layers from `first` on in bfloat16."""
    for name, m in model.named_modules():
        if isinstance(m, Linear) and lora.layer_of(name) >= first and not name.endswith(lora.HEADS):
            product.ease(m.weight)


def scale_update(t: Trainable, alpha: float) -> None:
    """WiSE-FT (arXiv 2109.01903): keep the share `alpha` of this run's change, theta0 + alpha (theta - theta0)."""
    with torch.no_grad():
        for a in t.adapters.values():
            a.strength *= alpha
        for n, old in t.start.items():
            t.named[n].data = old + alpha * (t.named[n].data - old)
