"""What a run may forget (config.stop), held to at each measurement (T2)."""

from dataclasses import dataclass
from typing import Any


@dataclass
class Budget:
    """`bad`: measurements in a row over the budget; `good`: number of steps at the last one within it."""

    stop: Any
    bad: int = 0
    good: int | None = None

    def check(self, line: dict[str, Any], before: float | None) -> bool:
        """Take in what a metric line measured, where it measured anything; `before`: the old-data loss that the run began with.
        Whether it lies within the budget."""
        over = self._over(line, before)
        if over:
            self.bad += 1
        elif over is not None:
            self.bad, self.good = 0, line["step"]
        return over is False

    @property
    def broken(self) -> bool:
        """For stop.patience measurements in a row."""
        return self.bad >= self.stop.patience

    def _over(self, line: dict[str, Any], before: float | None) -> bool | None:
        checks = []
        if self.stop.old_loss_delta and "old_loss" in line and before is not None:
            checks.append(line["old_loss"] > before + self.stop.old_loss_delta)
        if self.stop.suite_drop and "suite_drop" in line:
            checks.append(line["suite_drop"] > self.stop.suite_drop)
        return any(checks) if checks else None
