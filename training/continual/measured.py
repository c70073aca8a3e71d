"""What a training job itself measures of forgetting: its tasks and the suites given to it, before, during and after (T2).

*Tasks* are this update's and the earlier updates' own rows: a sample of each is carried in `cl_state/tasks`. A row counts when
greedy decoding would write its answer exactly: with the right tokens before it, each learned token is the likeliest one.
*Suites* come with the channel `suites` (see there). The channel `reference` may hold the eval_report.json of a naive run of the
same rows: FR and GR are relative to it.
"""

import math
from pathlib import Path
from typing import Any

import torch

from continual import data, metrics, stream, suites
from continual.contract import Root, Stop, progress, read_json, write_json
from continual.errors import Stopped
from continual.forward import Forward, batches
from continual.replay import dump
from continual.text import Row

TASK_ROWS = 64  # rows of a task that are carried and asked again after each update
WATCHED = 64  # probes of a protected suite that are asked at a check during training


class Measured:
    """The measurements of one run."""

    def __init__(self, root: Root, inputs: Any, forward: Forward, stop: Stop):
        self.inputs, self.forward, self.stop = inputs, forward, stop
        self.stage = len(inputs.carried.stages) + 1
        self.tasks = {**_carried_tasks(inputs), task_name(self.stage): sorted(inputs.new, key=lambda r: data.key(r.raw))[:TASK_ROWS]}
        for rows in self.tasks.values():
            forward.register(rows)
        self.suites = suites.read(root.channel("suites", False), inputs.old.buffer, inputs.cfg.seed)
        folder = root.channel("reference", False)
        self.reference = read_json(folder / "eval_report.json") if folder else None
        self.before = self._exact()
        for s in self.suites:
            s.before = self._ask(s, s.probes)
            progress(phase="before", suite=s.name, kind=s.kind, n=len(s.probes), mean=mean(s.before))

    def _ask(self, s: suites.Suite, probes: list[Any]) -> list[float]:
        """Scores of the model as it stands. Suites take minutes: a SIGTERM is answered between two of them."""
        if self.stop:
            raise Stopped(f"SIGTERM while the suite {s.name} was to be asked; start the job again to go on from its last checkpoint")
        return s.ask(self.inputs.parent, probes)

    def _exact(self) -> dict[str, float]:
        """Share of each task's rows whose answer the model as it stands would write exactly."""
        return {name: exact_share(self.forward, rows) for name, rows in self.tasks.items()}

    def watch(self) -> float:
        """The largest fall of a protected suite so far, on its first probes; 0 without suites."""
        falls = [0.0]
        for s in self.suites:
            if s.kind == "protected":
                falls.append(mean(s.before[:WATCHED]) - mean(self._ask(s, s.probes[:WATCHED])))
        return max(falls)

    def finish(self) -> dict[str, Any]:
        """The report's part that scores make: tasks, suites, R and what follows from it."""
        scores = self._exact()
        rows = [_row(s, self._ask(s, s.probes)) for s in self.suites]
        for row in rows:
            progress(phase="after", suite=row["name"], kind=row["kind"], n=row["n"], mean=row["after"], before=row["before"])
        stage = {"tasks": {n: {"before": self.before[n], "after": scores[n]} for n in self.tasks}}
        stage["suites"] = {r["name"]: {"before": r["before"], "after": r["after"]} for r in rows}
        stages = [*self.inputs.carried.stages, stage]
        return {
            "stage": stage,
            "suites": rows,
            "learned": stage["tasks"][task_name(self.stage)],
            **stream.matrix(stages, "tasks"),
            "over_suites": stream.matrix(stages, "suites"),
            "retention": stream.retention(stages),
            **self._ratios(rows, stage["tasks"][task_name(self.stage)]),
        }

    def _ratios(self, rows: list[dict[str, Any]], learned: dict[str, float]) -> dict[str, Any]:
        """FR and GR against the naive run's report, where one was given and both asked protected suites."""
        mine = sides(rows, learned)
        naive = sides(self.reference["suites"], self.reference["learned"]) if self.reference else None
        if mine is None or naive is None:
            return {"fr": None, "gr": None}
        return metrics.ratios(mine, naive)

    def write(self, folder: Path) -> None:
        """Carry the tasks' rows to the next run."""
        for name, rows in self.tasks.items():
            dump(folder / "tasks" / f"{name}.jsonl", rows)


def task_name(stage: int) -> str:
    """Name of the task that a stage learns."""
    return f"stage-{stage:03d}"


def _carried_tasks(inputs: Any) -> dict[str, list[Row]]:
    folder, cfg = inputs.carried.folder, inputs.cfg
    files = sorted((folder / "tasks").glob("stage-*.jsonl")) if folder else []
    return {p.stem: data.rows_of(p, inputs.parent.text, cfg.data) for p in files}


def mean(values: list[float]) -> float:
    """0 for none."""
    return sum(values) / len(values) if values else 0.0


@torch.no_grad()
def exact_share(forward: Forward, rows: list[Row]) -> float:
    """Share of rows [n] whose learned tokens are all the likeliest ones."""

    def right(part: list[Row]) -> int:
        out = forward(part)
        return len(part) - len(set(out.owner[out.logits.argmax(-1) != out.labels].tolist()))

    return sum(forward.each(right, batches(rows))) / len(rows) if rows else 0.0


def _row(s: suites.Suite, after: list[float]) -> dict[str, Any]:
    """One suite's line: scores, the difference with its 95% interval over items, and the items outside the buffer apart."""
    low, high = paired_interval(s.before, after)
    return {
        "name": s.name,
        "kind": s.kind,
        "n": len(after),
        "before": mean(s.before),
        "after": mean(after),
        "delta": mean(after) - mean(s.before),
        "ci95": [low, high],
        "outside_buffer": {
            "n": len(s.outside),
            "before": mean([s.before[i] for i in s.outside]),
            "after": mean([after[i] for i in s.outside]),
        },
    }


def paired_interval(before: list[float], after: list[float]) -> tuple[float, float]:
    """Normal 95% interval of the mean paired difference."""
    n = len(after)
    differences = [a - b for a, b in zip(after, before, strict=True)]
    middle = sum(differences) / n
    spread = math.sqrt(sum((d - middle) ** 2 for d in differences) / max(1, n - 1) / n)
    return middle - 1.96 * spread, middle + 1.96 * spread


def sides(rows: list[dict[str, Any]], learned: dict[str, float]) -> dict[str, float] | None:
    """Old and new scores before and after, each the mean over its suites; without new suites, the run's own rows stand for
    them. None without protected ones."""
    old, new = ([r for r in rows if r["kind"] == k] for k in ("protected", "new"))
    if not old:
        return None
    out = {}
    for when in ("before", "after"):
        out[f"old_{when}"] = _average(old, when)
        out[f"new_{when}"] = _average(new, when) if new else learned[when]
    return out


def _average(rows: list[dict[str, Any]], when: str) -> float:
    return sum(r[when] for r in rows) / len(rows)


def report(result: Any, scores: dict[str, Any]) -> dict[str, Any]:
    """eval_report.json: scores and the old-data loss and KL, before and after."""
    shown = {k: v for k, v in scores.items() if k != "stage"}
    old = {"before": result.old_before, "after": result.old_after, "kl": result.kl}
    during = [{k: h[k] for k in ("step", "old_loss", "old_kl", "suite_drop") if k in h} for h in result.history if "old_loss" in h]
    return {"schema": 1, **shown, "old_loss": old, "during": during, "stopped_early": result.stopped_early, "steps": result.steps}


def write_report(root: Root, done: dict[str, Any]) -> None:
    """Beside the metrics and inside the artifact."""
    for path in (root.output / "data" / "eval_report.json", root.model / "eval_report.json"):
        write_json(path, done)
