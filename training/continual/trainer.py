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
from continual.budget import Budget
from continual.contract import Root, Stop, progress
from continual.errors import Stopped, TrainError
from continual.forward import Forward, batches
from continual.gradient import Gradient
from continual.losses import Term
from continual.optim import AdamW, clip
from continual.params import Trainable
from continual.plan import Plan, learning_rate
from continual.predictions import cross_entropy
from continual.text import Row


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
        self.budget = Budget(cfg.stop)
        self.tokens = 0
        self.spent: list[float] = []  # seconds until each step of this process was done, without what was written between
        self.watch: Callable[[], float] | None = None  # largest fall of a protected suite so far

    def run(self) -> Result:
        """Train; returns the measurements. Raises Stopped after a checkpoint when SIGTERM came."""
        first = self._resume()
        if self.result.old_before is None:
            self.result.old_before, _ = self.old_loss()
        for step in range(first, self.work.steps):
            self._ready(step)
            self.step(step)
            if self._budget_broken(step):
                break
            self._save_if_due(step + 1)
        self.result.seconds += time.monotonic() - self.began
        self.result.tokens += self.tokens
        return self.result

    def _ready(self, step: int) -> None:
        """Rows that come later are taken in; a SIGTERM is answered with a checkpoint."""
        began = time.monotonic()
        try:
            self.work.join(self.forward, self.cfg.seed, step)
            if self.stop:
                raise Stopped(f"SIGTERM at step {step} of {self.work.steps}; checkpoint written, start the job again to go on")
        except Stopped:
            self._save(step)
            raise
        self.began += time.monotonic() - began  # what rows of its own took is no step's time

    def _resume(self) -> int:
        found = checkpoint.latest(self.root.checkpoints, self.fingerprint)
        if found is None:
            return 0
        meta, path = found
        checkpoint.restore(path, self.t.named, self.optimizer)
        self.result = Result(**meta["result"])
        self.budget = Budget(self.cfg.stop, meta["bad"], meta.get("good"))
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
        self.spent.append(time.monotonic() - self.began)
        line["tok_s"] = self.tokens / max(self.spent[-1], 1e-9)
        r.history.append(line)
        self._tell(line)

    def _tell(self, line: dict[str, Any]) -> None:
        """A metric line at most every half second, and always the first and last."""
        now, step, steps = time.monotonic(), line["step"], self.work.steps
        if step not in (1, steps) and now - self.told < 0.5 and "old_loss" not in line:
            return
        self.told = now
        progress(
            step=step,
            steps=steps,
            epoch=round(step / self.work.steps_per_epoch, 2),
            loss=line["loss_new"],
            kl=line.get("kl"),
            old_loss=line.get("old_loss"),
            lr=line["lr"],
            tok_s=round(line["tok_s"], 1),
            eta_s=round(self._each() * (steps - step), 1),
        )

    def _each(self) -> float:
        """Seconds a step, by the later half of them: the first ones also compute what is kept of their rows."""
        half = max(1, len(self.spent) // 2)
        before = self.spent[-half - 1] if len(self.spent) > half else 0.0
        return (self.spent[-1] - before) / half

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
        """Hold the run to its budget; a broken one takes it back to the last checkpoint within it."""
        if self.budget.check(self.result.history[-1], self.result.old_before):
            self._save(step + 1)
        if self.budget.broken:
            self._roll_back()
        return self.budget.broken

    def _roll_back(self) -> None:
        self.result.stopped_early = True
        good = self.budget.good
        found = checkpoint.latest(self.root.checkpoints, {**self.fingerprint, "step": good}) if good else None
        if found is None:
            raise TrainError(
                "stop: what the model knew broke the budget (old_loss_delta or suite_drop) before any good checkpoint; "
                "lower train.lr, raise replay.ratio or the budget"
            )
        checkpoint.restore(found[1], self.t.named, None)
        self.result.steps = good
        print(f"[perennial] forgetting budget broken; rolled back to step {good}", flush=True)

    def _save_if_due(self, step: int) -> None:
        if step < self.work.steps and time.monotonic() - self.saved >= 60 * self.cfg.train.save_minutes and not self.budget.bad:
            self._save(step)

    def _save(self, step: int) -> None:
        r = self.result
        spent = time.monotonic() - self.began
        state = {**r.__dict__, "seconds": r.seconds + spent, "tokens": r.tokens + self.tokens}
        meta = {**self.fingerprint, "result": state, "bad": self.budget.bad, "good": self.budget.good}
        checkpoint.save(self.root.checkpoints, step, self.t.named, self.optimizer, meta, self.budget.good)
        self.saved = time.monotonic()


def write_history(paths: list[Path], history: list[dict[str, Any]]) -> None:
    """The metric curve as JSON lines."""
    text = "".join(json.dumps(h) + "\n" for h in history)
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
