"""Compare presets on one stream of facts: train each with several seeds, ask new and old questions, table the result.

A finished job is kept with what made it, so that a rerun of the same command goes on where it stopped.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from continual import ask, config, contract, data, facts, manifest, metrics, report, train_job
from continual.errors import ConfigError, JobError

Score = Callable[[Path, list[facts.Probe], int], list[bool]]


@dataclass
class Side:
    """A model before or after an update, and which probes it answers."""

    model: Path
    new: list[list[bool]]  # per update's facts
    old: list[bool]


def check(presets: list[str], seeds: int) -> list[str]:
    """Presets to run, `naive` first and none twice; ConfigError before any work."""
    if seeds < 1:
        raise ConfigError(f"--seeds: must be at least 1, is {seeds}")
    for name in presets:
        config.parse({"schema": 1, "job": "train", "preset": name}, "train")
    return list(dict.fromkeys(["naive", *presets]))


def run(updates: list[facts.Suite], base: Path, presets: list[str], seeds: int, out: Path, score: Score = ask.ask) -> dict[str, Any]:
    """Train and score every preset and seed over one or more updates; writes protocol.json, .md and .svg after every job.

    `naive` always runs: FR and GR are relative to it, seed by seed.
    """
    names = check(presets, seeds)
    before = Side(base, [score(base, u.new, u.tokens) for u in updates], score(base, updates[0].old, updates[0].tokens))
    rows: list[dict[str, Any]] = []
    clock = Clock(len(names) * seeds * len(updates))
    for seed in range(1, seeds + 1):
        reference: list[dict[str, float]] = []
        for name in names:
            got = stream(updates, before, name, seed, out / "jobs", score, clock)
            reference = reference or [sides for _, sides in got]
            rows += [{**row, **metrics.ratios(s, r)} for (row, s), r in zip(got, reference, strict=True)]
            done = save(updates, before, rows, out)
    return done


def stream(
    updates: list[facts.Suite], before: Side, preset: str, seed: int, jobs: Path, score: Score, clock: "Clock"
) -> list[tuple[dict[str, Any], dict[str, float]]]:
    """One preset and seed through all updates; each starts from the model and the carried state of the one before."""
    side, out, matrix = before, [], []
    for k, update in enumerate(updates):
        root = jobs / f"{preset}-{seed}" / f"update-{k + 1}"
        found = job(update, side.model, preset, seed, root, k > 0, lambda m: _side(updates, m, score))
        after = Side(root / "model", found["new"], found["old"])
        matrix.append([_mean(x) for x in after.new])
        row, sides = line(updates, before, side, after, k, buffered(root, update))
        row = {"preset": preset, "seed": seed, **row, **found["cost"]}
        if len(updates) > 1:
            row |= {"update": k + 1, "r": matrix[-1], **_stream_measures(matrix, before)}
        out.append((row, sides))
        side = after
        clock.tell(row)
    return out


def _stream_measures(matrix: list[list[float]], before: Side) -> dict[str, Any]:
    n = len(matrix)
    return metrics.stream([r[:n] for r in matrix], [_mean(b) for b in before.new[:n]])


def line(updates: list[facts.Suite], start: Side, parent: Side, after: Side, k: int, inside: set[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """A row of the report and the four accuracies that FR and GR come from: new facts of update k+1, old probes since the base."""
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
    return row, sides


def _side(updates: list[facts.Suite], model: Path, score: Score) -> dict[str, Any]:
    return {"new": [score(model, u.new, u.tokens) for u in updates], "old": score(model, updates[0].old, updates[0].tokens)}


def job(update: facts.Suite, base: Path, preset: str, seed: int, root: Path, carried: bool, scored: Callable[[Path], dict[str, Any]]) -> dict:
    """One training job and its answers; taken from disk when the very same one is there already."""
    kept, mark = root / "result.json", fingerprint(update, base, preset, seed)
    if kept.is_file() and (found := json.loads(kept.read_text()))["fingerprint"] == mark:
        return found
    prepare(update, base, preset, seed, root, carried)
    if contract.run_job(train_job.train, contract.Root(root)) != 0:
        raise JobError(f"{preset}, seed {seed}: {(root / 'output' / 'failure').read_text().strip()}")
    m = manifest.read_manifest(root / "model")["metrics"]
    cost = {"seconds": m["seconds"], "tokens_per_second": m["tokens"] / max(m["seconds"], 1e-9), "steps": m["steps"]}
    done = {"fingerprint": mark, "cost": cost, **scored(root / "model")}
    contract.write_json(kept, done)
    return done


def fingerprint(update: facts.Suite, base: Path, preset: str, seed: int) -> str:
    """Digest of all that shapes a job: rows, probes, configuration, parent and code."""
    cfg = config.parse({"schema": 1, "job": "train", "preset": preset, "seed": seed}, "train")
    state = base / "cl_state" / "buffer.jsonl"
    parts = [asdict(update), cfg.raw, manifest.read_manifest(base)["digest"], manifest.code_sha256(), state.read_text() if state.is_file() else ""]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(update: facts.Suite, base: Path, preset: str, seed: int, root: Path, carried: bool) -> None:
    """Lay out the job's folder like /opt/ml."""
    shutil.rmtree(root, ignore_errors=True)
    channels = root / "input" / "data"
    for name in ("config", "train"):
        (channels / name).mkdir(parents=True)
    (channels / "model").symlink_to(base.resolve())
    if carried:
        (channels / "cl_state").symlink_to((base / "cl_state").resolve())
    contract.write_json(channels / "config" / "run.json", {"schema": 1, "job": "train", "preset": preset, "seed": seed})
    _lines(channels / "train" / "new.jsonl", update.learn)
    if update.buffer:
        _lines(channels / "replay" / "old.jsonl", update.buffer)


def buffered(root: Path, update: facts.Suite) -> set[str]:
    """Prompts of the old rows that the job had: those it was given and those it carries on."""
    kept = root / "model" / "cl_state"
    raws = update.buffer + [raw for name in ("buffer", "holdout") if (p := kept / f"{name}.jsonl").is_file() for _, raw in data.objects(p)]
    return {data.normal(data.question(r) or r.get("text", "")) for r in raws}


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
        last = max(r["update"] for r in later)
        done |= {"updates": later, "updates_summary": report.summary([r for r in later if r["update"] == last])}
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


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
