"""Compare presets on one stream of facts: train each with several seeds, ask new and old questions, table the result.

A finished job is kept with what made it, so that a rerun of the same command goes on where it stopped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import ask, config, contract, data, facts, metrics, protocol_job, report
from continual.errors import ConfigError

Score = Callable[[Path, list[facts.Probe], int], list[bool]]


@dataclass
class Side:
    """A model before or after an update, and which probes it answers."""

    model: Path
    new: list[list[bool]]  # per update's facts
    old: list[bool]


@dataclass
class Outcome:
    """What FR and GR of one update come from: accuracies, each old probe's answer, and the places of those outside the buffer."""

    sides: dict[str, float]
    old: list[bool]
    outside: list[int]


def check(presets: list[str], seeds: int, sections: dict[str, Any]) -> list[str]:
    """Presets to run, `naive` first and none twice; ConfigError before any work."""
    if seeds < 1:
        raise ConfigError(f"--seeds: must be at least 1, is {seeds}")
    for name in presets:
        config.parse(protocol_job.Setup(name, 1, sections).config(), "train")
    return list(dict.fromkeys(["naive", *presets]))


def run(
    updates: list[facts.Suite],
    base: Path,
    presets: list[str],
    seeds: int,
    out: Path,
    score: Score = ask.ask,
    sections: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Train and score every preset and seed over one or more updates; writes protocol.json, .md and .svg after every job.

    `naive` always runs: FR and GR are relative to it, seed by seed. `sections` lie over every preset.
    """
    names = check(presets, seeds, sections or {})
    before = Side(base, [score(base, u.new, u.tokens) for u in updates], score(base, updates[0].old, updates[0].tokens))
    rows: list[dict[str, Any]] = []
    clock = Clock(len(names) * seeds * len(updates))
    for seed in range(1, seeds + 1):
        reference: list[Outcome] = []
        for name in names:
            got = stream(updates, before, protocol_job.Setup(name, seed, sections or {}), out / "jobs", score, clock)
            reference = reference or [outcome for _, outcome in got]
            rows += [{**row, **against(o, r, before.old)} for (row, o), r in zip(got, reference, strict=True)]
            done = save(updates, before, rows, out)
    return done


def against(mine: Outcome, naive: Outcome, start: list[bool]) -> dict[str, float | None]:
    """FR and GR, and FR over the old probes that this run's buffer does not ask: the same ones of naive."""
    at = mine.outside
    mean = {k: _mean([v[i] for i in at]) for k, v in (("start", start), ("mine", mine.old), ("naive", naive.old))}
    outside = metrics.share(mean["start"] - mean["mine"], mean["start"] - mean["naive"])
    return {**metrics.ratios(mine.sides, naive.sides), "fr_outside": outside}


def stream(
    updates: list[facts.Suite], before: Side, setup: protocol_job.Setup, jobs: Path, score: Score, clock: "Clock"
) -> list[tuple[dict[str, Any], Outcome]]:
    """One preset and seed through all updates; each starts from the model and the carried state of the one before."""
    side, out, matrix = before, [], []
    for k, update in enumerate(updates):
        root = jobs / f"{setup.preset}-{setup.seed}" / f"update-{k + 1}"
        found = protocol_job.job(update, side.model, setup, root, k > 0, lambda m: _side(updates, m, score))
        after = Side(root / "model", found["new"], found["old"])
        matrix.append([_mean(x) for x in after.new])
        row, outcome = line(updates, before, side, after, k, protocol_job.buffered(root, update))
        row = {"preset": setup.preset, "seed": setup.seed, **row, **found["cost"]}
        if len(updates) > 1:
            row |= {"update": k + 1, "r": matrix[-1], **_stream_measures(matrix, before)}
        out.append((row, outcome))
        side = after
        clock.tell(row)
    return out


def _stream_measures(matrix: list[list[float]], before: Side) -> dict[str, Any]:
    n = len(matrix)
    return metrics.stream([r[:n] for r in matrix], [_mean(b) for b in before.new[:n]])


def line(updates: list[facts.Suite], start: Side, parent: Side, after: Side, k: int, inside: set[str]) -> tuple[dict[str, Any], Outcome]:
    """A row of the report and what FR and GR come from: new facts of update k+1, old probes since the base."""
    old = updates[0].old
    outside = [i for i, p in enumerate(old) if data.normal(p.prompt) not in inside]
    known = [i for i, right in enumerate(start.old) if right]
    row = {
        "new_acc": _mean(after.new[k]),
        "old_acc_before": _mean(start.old),
        "old_acc_after": _mean(after.old),
        "outside_buffer_before": _mean([start.old[i] for i in outside]),
        "outside_buffer_after": _mean([after.old[i] for i in outside]),
        "outside_buffer_probes": len(outside),
        "kept": _mean([after.old[i] for i in known]),
    }
    sides = {
        "new_before": _mean(parent.new[k]),
        "new_after": row["new_acc"],
        "old_before": row["old_acc_before"],
        "old_after": row["old_acc_after"],
    }
    return row, Outcome(sides, after.old, outside)


def _side(updates: list[facts.Suite], model: Path, score: Score) -> dict[str, Any]:
    return {"new": [score(model, u.new, u.tokens) for u in updates], "old": score(model, updates[0].old, updates[0].tokens)}


def save(updates: list[facts.Suite], before: Side, rows: list[dict[str, Any]], out: Path) -> dict[str, Any]:
    """Write what is known so far. `runs` holds the first update, `updates` the later ones."""
    first = [r for r in rows if r.get("update", 1) == 1]
    done = {
        "schema": 1,
        "new_probes": sum(len(u.new) for u in updates),
        "old_probes": len(updates[0].old),
        "old_probes_answered_before": sum(before.old),
        "new_acc_before": [_mean(x) for x in before.new],
        "runs": first,
        "summary": report.summary(first),
    }
    later = [r for r in rows if r.get("update", 1) > 1]
    if later:
        of = {k: [r for r in later if r["update"] == k] for k in sorted({r["update"] for r in later})}
        done |= {"updates": later, "updates_summary": [{"update": k, "summary": report.summary(mine)} for k, mine in of.items()]}
    contract.write_json(out / "protocol.json", done)
    contract.write_atomic(out / "protocol.md", report.markdown(done))
    contract.write_atomic(out / "protocol.svg", report.svg(done))
    return done


class Clock:
    """Tells how far the comparison is and how long the rest will take."""

    def __init__(self, jobs: int):
        self.jobs, self.done, self.began = jobs, 0, time.monotonic()

    def tell(self, row: dict[str, Any]) -> None:
        """Count one finished job."""
        self.done += 1
        spent = time.monotonic() - self.began
        contract.progress(
            phase="protocol",
            job=f"{self.done}/{self.jobs}",
            preset=row["preset"],
            seed=row["seed"],
            new=row["new_acc"],
            old=row["old_acc_after"],
            eta_s=round(spent / self.done * (self.jobs - self.done)),
        )


def _mean(values: list[bool]) -> float:
    return sum(values) / len(values) if values else 0.0
