"""The training loop: draws rows, sums the loss terms, steps, checkpoints, measures forgetting (T1, T2).

Every draw is a function of (seed, step), so a run that resumes at step k equals the run that never stopped.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from continual import checkpoint
from continual.contract import Root, Stop, progress
from continual.errors import Stopped, TrainError
from continual.forward import Forward, batches, cross_entropy
from continual.gradient import Gradient
from continual.losses import Term
from continual.optim import AdamW, clip
from continual.params import Trainable
from continual.replay import draw, permutation
from continual.text import Row


@dataclass
class Plan:
    """How many steps of which rows. `versions` of the new rows take turns with them, a pass each."""

    new: list[Row]
    old: list[Row]
    per_step_new: int
    per_step_old: int
    steps: int
    versions: list[list[Row]] = field(default_factory=list)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.new) / self.per_step_new)

    @property
    def passes(self) -> int:
        """Over the new rows; the last may end early."""
        return math.ceil(self.steps / self.steps_per_epoch)

    def rows(self, seed: int, step: int) -> tuple[list[Row], list[Row]]:
        """New and old rows of a step (0-based)."""
        epoch, k = divmod(step, self.steps_per_epoch)
        order, turns = permutation(len(self.new), seed, epoch), [self.new, *self.versions]
        rows = turns[epoch % len(turns)]
        new = [rows[i] for i in order[k * self.per_step_new : (k + 1) * self.per_step_new]]
        old = [self.old[i] for i in draw(len(self.old), self.per_step_old, seed + 1, step)] if self.per_step_old else []
        return new, old

    def over(self, step: int) -> list[Row]:
        """New rows that are not needed soon once `step` begins: the version that the pass before it saw."""
        epoch, k = divmod(step, self.steps_per_epoch)
        before = [self.new, *self.versions][(epoch - 1) % (len(self.versions) + 1)]
        return [] if k else [r for r, given in zip(before, self.new, strict=True) if r is not given]

    def register(self, forward: Forward, seed: int) -> None:
        """What is kept of rows is computed when a step first needs them, for that step's rows and no more than the next few's."""
        for rows, order in ((self.new, seed), (self.old, seed + 1)):
            forward.register([rows[i] for i in permutation(len(rows), order, 0)])
        for turn, rows in enumerate(self.versions, 1):
            forward.register([rows[i] for i in permutation(len(rows), seed, turn) if rows[i] is not self.new[i]])


def plan(new: list[Row], old: list[Row], cfg: Any) -> Plan:
    """Split a step's rows between new and old by replay.ratio; epochs count passes over the new rows, train.min_steps at least."""
    n_old = round(cfg.replay.ratio * cfg.train.batch_rows) if old and cfg.replay.mode != "none" else 0
    n_new = max(1, cfg.train.batch_rows - n_old)
    per_epoch = math.ceil(len(new) / n_new)
    steps = cfg.train.max_steps if cfg.train.max_steps > 0 else max(1, cfg.train.min_steps, round(cfg.train.epochs * per_epoch))
    return Plan(new, old, n_new, n_old, steps)


def learning_rate(cfg: Any, step: int, steps: int) -> float:
    """Linear warm-up, then linear, cosine or constant to min_lr_ratio (step is 0-based)."""
    t = cfg.train
    warm = max(1, round(t.warmup_ratio * steps))
    if step < warm and t.warmup_ratio > 0:
        return t.lr * (step + 1) / warm
    x = (step - warm) / max(1, steps - warm)
    shape = {"linear": 1 - x, "cosine": 0.5 * (1 + math.cos(math.pi * x)), "constant": 1.0}[t.schedule]
    return t.lr * (t.min_lr_ratio + (1 - t.min_lr_ratio) * shape)


@dataclass
class Result:
    """What a run measured."""

    loss: float = float("nan")
    kl: float | None = None
    old_before: float | None = None
    old_after: float | None = None
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stopped_early: bool = False
    history: list[dict[str, Any]] = field(default_factory=list)


class Trainer:
    """Runs a plan to its end, to SIGTERM or to a broken forgetting budget."""

    def __init__(
        self,
        root: Root,
        stop: Stop,
        cfg: Any,
        forward: Forward,
        t: Trainable,
        terms: list[Term],
        work: Plan,
        holdout: list[Row],
        fingerprint: dict[str, str],
        project: Callable[[], None] | None = None,
        objective: Callable[[list[Row], int], Tensor] | None = None,
    ):
        self.root, self.stop, self.cfg, self.forward, self.t = root, stop, cfg, forward, t
        self.work, self.holdout, self.fingerprint, self.project = work, holdout, fingerprint, project
        self.gradient = Gradient(forward, t, terms, objective)
        self.optimizer = AdamW(t.named, cfg.train.lr, cfg.train.weight_decay)
        self.result = Result()
        self.began = self.saved = self.told = time.monotonic()
        self.bad = self.tokens = 0
        self.best: tuple[float, int] | None = None
        self.watch: Callable[[], float] | None = None  # largest fall of a protected suite so far

    def run(self) -> Result:
        """Train; returns the measurements. Raises Stopped after a checkpoint when SIGTERM came."""
        first = self._resume()
        if self.result.old_before is None:
            self.result.old_before, _ = self.old_loss()
        for step in range(first, self.work.steps):
            if self.stop:
                self._save(step)
                raise Stopped(f"SIGTERM at step {step} of {self.work.steps}; checkpoint written, start the job again to go on")
            self.step(step)
            if self._budget_broken(step):
                break
            self._save_if_due(step + 1)
        self.result.seconds += time.monotonic() - self.began
        self.result.tokens += self.tokens
        return self.result

    def _resume(self) -> int:
        found = checkpoint.latest(self.root.checkpoints, self.fingerprint)
        if found is None:
            return 0
        meta, path = found
        checkpoint.restore(path, self.t.named, self.optimizer)
        self.result = Result(**meta["result"])
        self.bad, self.best = meta["bad"], tuple(meta["best"]) if meta["best"] else None
        print(f"[perennial] resumed at step {meta['step']} of {self.work.steps}", flush=True)
        return meta["step"]

    def step(self, step: int) -> None:
        """One optimizer step on the rows of `step` (0-based)."""
        self.optimizer.lr = learning_rate(self.cfg, step, self.work.steps)
        self.forward.release(self.work.over(step))
        new, old = self.work.rows(self.cfg.seed, step)
        values = self.gradient(new, old, step)
        if not math.isfinite(values["loss"]):
            raise TrainError(f"step {step + 1}: the loss is {values['loss']}; lower train.lr or check the rows (last checkpoint kept)")
        norm = clip(self.t.named.values(), self.cfg.train.grad_clip)
        self.optimizer.step()
        if self.project:
            self.project()
        self.tokens += sum(map(len, new + old))
        self._record(step, values, norm)

    def _record(self, step: int, values: dict[str, float], norm: float) -> None:
        r, every = self.result, self.cfg.train.eval_steps
        r.loss, r.steps = values["loss_new"], step + 1
        line = {"ts": time.time(), "step": step + 1, "phase": "train", **values}
        line |= {"lr": self.optimizer.lr, "grad_norm": norm, "tokens": self.tokens}
        if every and (step + 1) % every == 0 and self.holdout:
            line["old_loss"], line["old_kl"] = self.old_loss()
        if self.watch and every and (step + 1) % every == 0:
            line["suite_drop"] = self.watch()
        elapsed = time.monotonic() - self.began
        line["tok_s"] = self.tokens / max(elapsed, 1e-9)
        r.history.append(line)
        self._tell(line, elapsed)

    def _tell(self, line: dict[str, Any], elapsed: float) -> None:
        """A metric line at most every half second, and always the first and last."""
        now, step, steps = time.monotonic(), line["step"], self.work.steps
        if step not in (1, steps) and now - self.told < 0.5 and "old_loss" not in line:
            return
        self.told = now
        done = len([h for h in self.result.history if h["ts"] >= line["ts"] - elapsed]) or 1
        progress(
            step=step,
            steps=steps,
            epoch=round(step / self.work.steps_per_epoch, 2),
            loss=line["loss_new"],
            kl=line.get("kl"),
            old_loss=line.get("old_loss"),
            lr=line["lr"],
            tok_s=round(line["tok_s"], 1),
            eta_s=round(elapsed / done * (steps - step), 1),
        )

    @torch.no_grad()
    def old_loss(self) -> tuple[float | None, float | None]:
        """Loss and KL to the previous model on the held-out old rows (nats a token); None without such rows."""
        if not self.holdout:
            return None, None
        self.remember()

        def sums(rows: list[Row]) -> tuple[float, float, int]:
            out = self.forward(rows)
            n = len(out.labels)
            return n * cross_entropy(out).item(), n * self.forward.kl(rows, out).item(), n

        loss, kl, n = (sum(x) for x in zip(*self.forward.each(sums, batches(self.holdout)), strict=True))
        return loss / max(1, n), kl / max(1, n)

    def remember(self) -> None:
        """Keep the previous model's view of the held-out rows: once the change is merged it cannot be computed."""
        self.forward.remember(self.holdout)

    def _budget_broken(self, step: int) -> bool:
        """Stop when the old-data loss or a protected suite broke its budget `patience` checks in a row; roll back to the best."""
        line = self.result.history[-1]
        over = self._over_budget(line)
        if over is None:
            return False
        if not over:
            self.bad, self.best = 0, (line.get("old_loss", 0.0), step + 1)
            self._save(step + 1)
            return False
        self.bad += 1
        if self.bad < self.cfg.stop.patience:
            return False
        self._roll_back()
        return True

    def _over_budget(self, line: dict[str, Any]) -> bool | None:
        """Whether a budget is broken; None when nothing that has a budget was measured at this step."""
        stop, checks = self.cfg.stop, []
        if stop.old_loss_delta and "old_loss" in line and self.result.old_before is not None:
            checks.append(line["old_loss"] > self.result.old_before + stop.old_loss_delta)
        if stop.suite_drop and "suite_drop" in line:
            checks.append(line["suite_drop"] > stop.suite_drop)
        return any(checks) if checks else None

    def _roll_back(self) -> None:
        self.result.stopped_early = True
        found = checkpoint.latest(self.root.checkpoints, self.fingerprint) if self.best else None
        if found is None:
            raise TrainError(
                "stop: what the model knew broke the budget (old_loss_delta or suite_drop) before any good checkpoint; "
                "lower train.lr, raise replay.ratio or the budget"
            )
        meta, path = found
        checkpoint.restore(path, self.t.named, None)
        self.result.steps = meta["step"]
        print(f"[perennial] forgetting budget broken; rolled back to step {meta['step']}", flush=True)

    def _save_if_due(self, step: int) -> None:
        if step < self.work.steps and time.monotonic() - self.saved >= 60 * self.cfg.train.save_minutes and not self.bad:
            self._save(step)

    def _save(self, step: int) -> None:
        r = self.result
        spent = time.monotonic() - self.began
        state = {**r.__dict__, "seconds": r.seconds + spent, "tokens": r.tokens + self.tokens}
        checkpoint.save(
            self.root.checkpoints, step, self.t.named, self.optimizer, {**self.fingerprint, "result": state, "bad": self.bad, "best": self.best}
        )
        self.saved = time.monotonic()


def write_history(paths: list[Path], history: list[dict[str, Any]]) -> None:
    """The metric curve as JSON lines."""
    text = "".join(json.dumps(h) + "\n" for h in history)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
