"""The training job: channels in, next model version out (T1). `train.py` is its entry point."""

import hashlib
import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from continual import artifact, config, data, manifest, measured, models, replay, state, wording, words, written
from continual.contract import Root, Stop, progress
from continual.errors import DataError
from continual.forward import Forward
from continual.losses import build
from continual.plan import Plan, plan
from continual.text import Row
from continual.trainer import Result, Trainer, write_history


@dataclass
class Inputs:
    """The job's channels, read."""

    cfg: Any
    parent: models.Loaded
    new: list[Row]
    old: replay.Old
    carried: state.Carried
    parent_digest: str
    data_sha256: str


def train(root: Root, stop: Stop) -> None:
    """Run the job in this root."""
    began = time.monotonic()
    inputs = read(root)
    _threads(inputs.cfg)
    torch.manual_seed(inputs.cfg.seed)
    work = _plan(root, inputs, stop)
    trainable = state.trainable(inputs)
    forward = Forward(inputs.parent, trainable)
    work.register(forward, inputs.cfg.seed)
    forward.register(inputs.old.holdout)
    scores = measured.Measured(root, inputs, forward, stop)
    terms = build(inputs.cfg, trainable, inputs.carried.fisher, inputs.carried.adapters, bool(work.per_step_old))
    trainer = Trainer(
        root,
        stop,
        inputs.cfg,
        forward,
        trainable,
        terms,
        work,
        inputs.old.holdout,
        _fingerprint(inputs),
        state.projector(trainable),
        _objective(inputs, forward),
    )
    trainer.watch = scores.watch if scores.suites else None
    result = trainer.run()
    artifact.finish(root, inputs, trainable, trainer, scores)
    write_history([root.output / "data" / "metrics.jsonl", root.model / "metrics.jsonl"], result.history)
    artifact.seal(root, inputs, result, time.monotonic() - began)
    _done(result, work, began)


def _objective(inputs: Inputs, forward: Forward) -> Any:
    if inputs.cfg.train.trainer != "sdft":
        return None
    from continual.sdft import SDFT

    return SDFT(inputs.parent, forward, inputs.cfg)


def read(root: Root) -> Inputs:
    """Check and load everything before any work; the first thing wrong ends the job with its place."""
    cfg = config.load(root, "train")
    folder = root.channel("model")
    train_dir, cl_state, extra = root.channel("train"), root.channel("cl_state", False), root.channel("replay", False)
    digest = manifest.verify(folder)
    progress(phase="load", model=digest[:19])
    parent = models.load(folder, cfg.model.dtype)
    limit = cfg.data.max_length
    if limit > parent.context:
        cfg.data.max_length = parent.context
    new = data.read_rows(train_dir, parent.text, cfg.data, everything=cfg.train.trainer == "cpt")
    old = replay.gather(cl_state, extra, parent.text, cfg) if cfg.replay.mode in ("replay", "both") else replay.Old([], [])
    if cfg.replay.mode == "replay" and not old.buffer:
        raise DataError(
            "channel replay: replay.mode is replay but neither `replay` nor `cl_state` holds old rows; "
            "pass one, or set replay.mode to self_replay or both"
        )
    cut = sum(r.truncated > 0 for r in new)
    progress(phase="data", rows=len(new), tokens=sum(map(len, new)), old=len(old.buffer), holdout=len(old.holdout), truncated=cut or None)
    return Inputs(cfg, parent, new, old, state.read(cl_state), digest, data.sha256(train_dir))


def _threads(cfg: Any) -> None:
    if cfg.train.threads:
        torch.set_num_threads(cfg.train.threads)


def _plan(root: Root, inputs: Inputs, stop: Stop) -> Plan:
    """The run's steps: with old rows to repeat, and the new ones in broken words too."""
    cfg, old = inputs.cfg, inputs.old
    writes = cfg.replay.mode in ("self_replay", "both") and bool(cfg.replay.self_generate or cfg.replay.near)
    reads = (writes and cfg.replay.near > 0) or cfg.data.word_dropout > 0
    writer = models.writer(inputs.parent, cfg.model.dtype) if writes or reads else inputs.parent
    read = words.read(writer, [q for r in inputs.new if (q := data.question(r.raw))]) if reads else {}
    write = partial(written.rows, root, inputs, writer, read, stop)
    can_wait = old.holdout and len(old.buffer) >= max(1, cfg.replay.self_generate)
    work = plan(inputs.new, old.buffer + (write() if writes and not can_wait else []), cfg)
    work.later = write if writes and can_wait else None
    work.versions = wording.versions(inputs.parent.text, inputs.new, read, cfg, work.passes)
    if work.versions:
        changed = sum(a is not b for a, b in zip(work.versions[0], work.new, strict=True))
        progress(phase="word_dropout", rows=changed, versions=len(work.versions))
    return work


def _fingerprint(inputs: Inputs) -> dict[str, str]:
    """A checkpoint belongs to this very run: same configuration, parent, new and old rows."""
    old = hashlib.sha256("".join(data.key(r.raw) for r in inputs.old.buffer + inputs.old.holdout).encode()).hexdigest()
    return {"config": inputs.cfg.sha256, "parent": inputs.parent_digest, "data": inputs.data_sha256, "old": old}


def _done(result: Result, work: Plan, began: float) -> None:
    seconds = time.monotonic() - began
    progress(
        phase="done",
        step=result.steps,
        steps=work.steps,
        loss=result.loss,
        kl=result.kl,
        old_loss=result.old_after,
        old_loss_before=result.old_before,
        seconds=round(seconds, 1),
        tok_s=round(result.tokens / max(result.seconds, 1e-9), 1),
    )
    if math.isnan(result.loss):
        progress(phase="warning", message="no_step_was_run")


def code_folder() -> Path:
    """Folder of the entry points."""
    return Path(__file__).resolve().parent.parent
