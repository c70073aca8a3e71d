"""Metric lines as a progress bar with time left, for people."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from continual import contract

FORMAT = "{desc} {bar} {n_fmt}/{total_fmt} [{elapsed}<{remaining}] {postfix}"


@contextmanager
def shown() -> Iterator[None]:
    """Inside, metric lines move a bar instead of being printed. A log, which is no terminal, gets the lines."""
    from tqdm import tqdm

    if not sys.stderr.isatty():
        yield
        return
    with tqdm(total=1, bar_format=FORMAT, leave=False) as line:
        contract.listen(Bar(line))
        try:
            yield
        finally:
            contract.listen(None)


class Bar:
    """Takes metric lines; a comparison's own line stands before those of its jobs and says how long all of them take."""

    def __init__(self, line: Any):
        self.line, self.whole = line, ""

    def __call__(self, fields: dict[str, Any]) -> None:
        """Take one metric line."""
        if fields.get("phase") == "protocol":
            return self._job(fields)
        at, total = (fields.get("step"), fields.get("steps")) if "step" in fields else (fields.get("item"), fields.get("items"))
        self.line.set_description_str(self.whole + str(fields.get("phase") or fields.get("benchmark") or "training"), refresh=False)
        if total:
            if total != self.line.total:
                self.line.reset(total=total)
            self.line.n = at
        shown = {k: contract.short(fields[k]) for k in ("loss", "old_loss", "kl", "mean", "tok_s") if fields.get(k) is not None}
        self.line.set_postfix(shown, refresh=True)
        return None

    def _job(self, fields: dict[str, Any]) -> None:
        """A finished job stays on a line of its own."""
        minutes, seconds = divmod(int(fields["eta_s"]), 60)
        self.line.write(f"job {fields['job']}: {fields['preset']}, seed {fields['seed']}: new {fields['new']:.1%}, old {fields['old']:.1%}")
        self.whole = f"job {fields['job']} done, {minutes}:{seconds:02d} left in all; "
