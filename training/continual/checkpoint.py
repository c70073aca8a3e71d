"""Checkpoints: learned weights and optimizer state as safetensors, written atomically (T3)."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from continual.contract import write_json
from continual.manifest import sha256_file
from continual.optim import AdamW


def save(folder: Path, step: int, weights: dict[str, Tensor], optimizer: AdamW, extra: dict[str, Any], keep: int | None = None) -> Path:
    """Write checkpoints/step-<n>; the metadata with the file's digest comes last, by rename of the folder. The last two are
    kept, and that of step `keep`."""
    from safetensors.torch import save_file

    tensors = {f"w/{n}": p.detach().contiguous() for n, p in weights.items()}
    tensors |= {f"o/{n}": t for n, t in optimizer.state().items()}
    tmp, final = folder / f".step-{step:08d}", folder / f"step-{step:08d}"
    shutil.rmtree(tmp, ignore_errors=True)
    tmp.mkdir(parents=True)
    save_file(tensors, tmp / "state.safetensors")
    write_json(tmp / "state.json", {"step": step, "sha256": sha256_file(tmp / "state.safetensors"), **extra})
    shutil.rmtree(final, ignore_errors=True)
    tmp.rename(final)
    for old in sorted(folder.glob("step-*"))[:-2]:
        if int(old.name.removeprefix("step-")) != keep:
            shutil.rmtree(old, ignore_errors=True)
    return final


def latest(folder: Path, fits: dict[str, Any]) -> tuple[dict[str, Any], Path] | None:
    """Metadata and folder of the newest whole checkpoint of this very run (`fits`: keys that must agree)."""
    for path in sorted(folder.glob("step-*"), reverse=True):
        meta = _read(path)
        if meta and all(meta.get(k) == v for k, v in fits.items()):
            return meta, path
    return None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        meta = json.loads((path / "state.json").read_text())
        whole = sha256_file(path / "state.safetensors") == meta["sha256"]
    except (OSError, ValueError, KeyError):
        whole = False
    if not whole:
        print(f"[perennial] checkpoint {path.name} is incomplete; using an older one", flush=True)
        return None
    return meta


def restore(path: Path, weights: dict[str, Tensor], optimizer: AdamW | None) -> None:
    """Put weights and optimizer state back in place."""
    from safetensors.torch import load_file

    tensors = load_file(path / "state.safetensors")
    with torch.no_grad():
        for n, p in weights.items():
            p.copy_(tensors[f"w/{n}"])
    if optimizer is not None:
        optimizer.load({k[2:]: t for k, t in tensors.items() if k.startswith("o/")})
