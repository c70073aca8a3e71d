"""What a run does in which step: its rows and its rate of learning, both functions of (seed, step) alone."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from continual.forward import Forward
from continual.replay import draw, permutation
from continual.text import Row


@dataclass
class Plan:
    """How many steps of which rows. `versions` of the new rows take turns with them, a pass each; `later` writes old rows that
    join the others after the first step."""

    new: list[Row]
    old: list[Row]
    per_step_new: int
    per_step_old: int
    steps: int
    versions: list[list[Row]] = field(default_factory=list)
    later: Callable[[], list[Row]] | None = None

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

    def join(self, forward: Forward, seed: int, step: int) -> None:
        """Take in the rows that come later. The first step shows whether rows, weights and settings work, and needs none: the
        model still is the previous one, and nothing that is held pulls."""
        if self.later is None or step == 0:
            return
        rows, self.later = self.later(), None
        known = len(self.old)
        self.old += rows
        forward.register([self.old[i] for i in permutation(len(self.old), seed + 1, 0) if i >= known])


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
