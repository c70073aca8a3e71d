"""What goes from run to run beside the weights: buffer, Fisher diagonal, adapters, task matrix (`cl_state`)."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from continual import lora, lora_file, params
from continual.errors import DataError
from continual.forward import Forward
from continual.predictions import cross_entropy
from continual.replay import choose, dump, is_near
from continual.text import Row


@dataclass
class Carried:
    """State of the previous run; empty for a first update."""

    folder: Path | None = None
    fisher: dict[str, Tensor] = field(default_factory=dict)
    adapters: list[dict[str, tuple[Tensor, Tensor]]] = field(default_factory=list)  # earlier runs' (B, A) by module
    stages: list[dict[str, Any]] = field(default_factory=list)


def read(folder: Path | None) -> Carried:
    """Read the channel cl_state (None: nothing was carried)."""
    if folder is None:
        return Carried()
    from safetensors.torch import load_file

    fisher, matrix = folder / "fisher.safetensors", folder / "task_matrix.json"
    adapters = sorted(p.parent for p in folder.glob("adapters/*/adapter_config.json"))
    return Carried(
        folder,
        _whole(fisher, load_file) if fisher.is_file() else {},
        [_whole(a, lora_file.load) for a in adapters],
        _whole(matrix, lambda p: json.loads(p.read_text())["stages"]) if matrix.is_file() else [],
    )


def _whole(path: Path, read_: Callable[[Path], Any]) -> Any:
    """What `read_` makes of a carried file; DataError names one that is cut or no such file."""
    from safetensors import SafetensorError

    try:
        return read_(path)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as e:
        raise DataError(f"{path.name}: the carried state cannot be read: {e}; pass the cl_state of a whole model folder") from None


def trainable(inputs: Any) -> params.Trainable:
    """Choose what learns; measure the Fisher diagonal (ewc) or input covariances (corda) first where needed."""
    cfg, carried = inputs.cfg, inputs.carried
    old = inputs.old.buffer or inputs.new
    covariances = None
    if cfg.params.kind == "lora_corda":
        from continual import corda

        covariances = corda.covariances(inputs.parent, old[:256], cfg)
    if cfg.loss.ewc and (inputs.old.buffer or not carried.fisher):
        carried.fisher = fisher(inputs.parent, old, cfg, carried.fisher)
    t = params.setup(inputs.parent.model, cfg, covariances)
    if t.start or t.adapters:
        carried.fisher = {n: f.to(inputs.parent.model.device) for n, f in carried.fisher.items()}
    return t


def fisher(loaded: Any, rows: list[Row], cfg: Any, previous: dict[str, Tensor]) -> dict[str, Tensor]:
    """Diagonal Fisher of the weights that will move: mean squared gradient of the log-likelihood over old rows,
    scaled to mean 1; online EWC (arXiv 1805.06370): gamma * previous + new."""
    model = loaded.model
    if cfg.params.kind.startswith("lora"):
        names = [f"{n}.weight" for n in lora.select(model, cfg.params.targets, int(cfg.params.first_layer * model.depth))]
    else:
        names = [n for n, _ in model.named_parameters()]
    weights = {n: model.get_parameter(n).requires_grad_(True) for n in names}
    forward = Forward(loaded, params.Trainable("full", {}))
    total = {n: torch.zeros_like(w) for n, w in weights.items()}
    sample = rows[: cfg.loss.ewc_samples]
    for row in sample:
        grads = torch.autograd.grad(cross_entropy(forward([row])), list(weights.values()), allow_unused=True)
        for n, g in zip(names, grads, strict=True):
            if g is not None:
                total[n] += g.float() ** 2
    for w in weights.values():
        w.requires_grad_(False)
    mean = sum(f.sum() for f in total.values()) / sum(f.numel() for f in total.values())
    fresh = {n: f / mean.clamp(min=1e-12) for n, f in total.items()}
    return {n: f + cfg.loss.ewc_gamma * previous[n] if n in previous else f for n, f in fresh.items()}


def projector(t: params.Trainable) -> Callable[[], None] | None:
    """OSF's projection, to be called after each optimizer step; None for other kinds."""
    if t.constraint is None:
        return None
    return lambda: t.constraint.project(t.named, t.start)


def write(folder: Path, inputs: Any, old: list[Row], forward: Forward, stage: dict[str, Any]) -> None:
    """Write model/cl_state for the next run: the buffer takes this run's rows in by the policy."""
    from safetensors.torch import save_file

    cfg = inputs.cfg
    folder.mkdir(parents=True, exist_ok=True)
    lasting = [r for r in old if not is_near(r)]
    rows = choose([*lasting, *inputs.new], cfg.replay.capacity, cfg.replay.policy, cfg.seed, lambda r: losses(forward, r))
    dump(folder / "buffer.jsonl", rows)
    dump(folder / "holdout.jsonl", inputs.old.holdout)
    if inputs.carried.fisher:
        save_file({n: f.contiguous().cpu() for n, f in inputs.carried.fisher.items()}, folder / "fisher.safetensors")
    stages = [*inputs.carried.stages, stage]
    (folder / "task_matrix.json").write_text(json.dumps({"schema": 1, "stages": stages}, indent=1) + "\n")
    if inputs.carried.folder and (inputs.carried.folder / "adapters").is_dir():
        shutil.copytree(inputs.carried.folder / "adapters", folder / "adapters", dirs_exist_ok=True)


@torch.no_grad()
def losses(forward: Forward, rows: list[Row]) -> list[float]:
    """Mean loss of each row under the model as it stands."""
    return forward.each(lambda r: cross_entropy(forward([r])).item(), rows)
