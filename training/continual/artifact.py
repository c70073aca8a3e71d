"""The next model version on disk: merged weights, adapter, carried state, card, and the manifest last (M1)."""

import shutil
import time
from pathlib import Path
from typing import Any

import torch

from continual import card, llama, lora, lora_file, manifest, merge, state, weights
from continual.contract import Root
from continual.manifest import is_served
from continual.measured import Measured, report, write_report
from continual.params import Trainable
from continual.trainer import Result, Trainer


def finish(root: Root, inputs: Any, t: Trainable, trainer: Trainer, scores: Measured) -> None:
    """Apply the post step, write all files but the manifest, and measure the merged weights."""
    cfg, out, result = inputs.cfg, root.model, trainer.result
    out.mkdir(parents=True, exist_ok=True)
    trainer.remember()
    merge.apply(cfg, t, trainer, inputs.carried)
    trained = out / "cl_state" / "adapters" / f"stage-{len(inputs.carried.stages) + 1:03d}"
    if t.adapters:
        plain = {n.removeprefix("inner."): a for n, a in t.adapters.items()}
        lora_file.save(trained, plain)
        if cfg.output.save_adapter and not t.combined:  # a combined change has no low rank
            lora_file.save(out / "adapter", plain)
    fold(inputs.parent, t)
    result.old_after, result.kl = trainer.old_loss()
    copy_served(inputs.parent.folder, out)
    save_weights(inputs.parent, t, out)
    found = scores.finish()
    stage = {
        **found["stage"],
        "parent": inputs.parent_digest,
        "data_sha256": inputs.data_sha256,
        "old_loss_before": result.old_before,
        "old_loss_after": result.old_after,
        "kl": result.kl,
        "ts": time.time(),
    }
    state.write(out / "cl_state", inputs, trainer.work.old, trainer.forward, stage)
    scores.write(out / "cl_state")
    write_report(root, report(result, found))


@torch.no_grad()
def fold(parent: Any, t: Trainable) -> None:
    """Add the deltas to the weights, rounded to the dtype on disk: from here on the model is what will be served."""
    for name, a in t.adapters.items():
        w = a.base.weight
        change = t.combined.get(f"{name}.weight", None)
        w.data = (w.float() + (a.delta() if change is None else change)).to(parent.stored).to(w.dtype)
        a.clear()
    if not t.adapters:
        for p in t.named.values():
            p.data = p.data.to(parent.stored).to(p.dtype)


def copy_served(source: Path, out: Path) -> None:
    """Copy configuration, tokenizer and template; weights are written anew."""
    for path in source.iterdir():
        if path.is_file() and is_served(path.name) and not path.name.endswith((".safetensors", ".index.json")):
            shutil.copyfile(path, out / path.name)


def save_weights(parent: Any, t: Trainable, out: Path) -> None:
    """Write model.safetensors in the parent's dtype; tensors that did not change keep their bytes."""
    from safetensors.torch import save_file

    if not isinstance(parent.model, llama.Llama):
        lora.detach(parent.model, t.adapters)
        parent.model.inner.to(parent.stored).save_pretrained(out)
        return
    tensors = weights.read_tensors(parent.folder)
    changed = {f"{n}.weight": a.base.weight for n, a in t.adapters.items()} or t.named
    for name, value in changed.items():
        tensors[name] = value.detach().to(parent.stored).cpu().contiguous()
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def seal(root: Root, inputs: Any, result: Result, seconds: float) -> dict[str, Any]:
    """Write the card, then the manifest: a folder with a manifest is complete."""
    parent, cfg = inputs.parent, inputs.cfg
    metrics = {
        "loss": result.loss,
        "old_loss_before": result.old_before,
        "old_loss_after": result.old_after,
        "kl": result.kl,
        "tokens": result.tokens,
        "seconds": round(seconds, 2),
        "steps": result.steps,
        "stopped_early": result.stopped_early,
        "truncated_rows": sum(r.truncated > 0 for r in inputs.new),
    }
    facts = {
        "parent": inputs.parent_digest,
        "seed": cfg.seed,
        "preset": cfg.preset,
        "config_sha256": cfg.sha256,
        "code_sha256": manifest.code_sha256(),
        "data_sha256": inputs.data_sha256,
        "metrics": metrics,
    }
    (root.model / "README.md").write_text(card.text(facts, parent.config, cfg.raw))
    return manifest.write_manifest(root.model, **facts)
