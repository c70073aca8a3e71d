"""One training job of a comparison: laid out like /opt/ml, run, asked, and kept with what made it.

A finished job is taken from disk, one that was cut goes on from its checkpoint.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from continual import config, contract, data, facts, manifest, train_job
from continual.errors import JobError


@dataclass(frozen=True)
class Setup:
    """What tells one job of a comparison from another: the preset, the seed, and sections that lie over the preset."""

    preset: str
    seed: int
    sections: dict[str, Any]

    def config(self) -> dict[str, Any]:
        """Its run.json."""
        return {**self.sections, "schema": 1, "job": "train", "preset": self.preset, "seed": self.seed}


def job(update: facts.Suite, base: Path, setup: Setup, root: Path, carried: bool, scored: Callable[[Path], dict[str, Any]]) -> dict:
    """One training job and its answers; taken from disk when the very same one is there already."""
    kept, mark = root / "result.json", fingerprint(update, base, setup)
    if kept.is_file() and (found := json.loads(kept.read_text()))["fingerprint"] == mark:
        return found
    begun = root / "fingerprint"  # of a job that was cut: it goes on from its checkpoint
    if not begun.is_file() or begun.read_text() != mark:
        prepare(update, base, setup, root, carried)
        contract.write_atomic(begun, mark)
    _train(root, f"{setup.preset}, seed {setup.seed}")
    m = manifest.read_manifest(root / "model")["metrics"]
    cost = {"seconds": m["seconds"], "tokens_per_second": m["tokens"] / max(m["seconds"], 1e-9), "steps": m["steps"], "kl": m["kl"]}
    done = {"fingerprint": mark, "cost": cost, **scored(root / "model")}
    contract.write_json(kept, done)
    return done


def _train(root: Path, name: str) -> None:
    """Run the job unless its artifact is whole; JobError with its failure, or where to go on."""
    if (root / "model" / "manifest.json").is_file():
        return
    code = contract.run_job(train_job.train, contract.Root(root))
    failure = root / "output" / "failure"
    if code:
        raise JobError(f"{name}: " + (failure.read_text().strip() if failure.is_file() else "stopped; the same command goes on from here"))


def fingerprint(update: facts.Suite, base: Path, setup: Setup) -> str:
    """Digest of all that shapes a job: rows, probes, configuration, parent and code."""
    cfg = config.parse(setup.config(), "train")
    state = base / "cl_state" / "buffer.jsonl"
    parts = [asdict(update), cfg.raw, manifest.read_manifest(base)["digest"], manifest.code_sha256(), state.read_text() if state.is_file() else ""]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def prepare(update: facts.Suite, base: Path, setup: Setup, root: Path, carried: bool) -> None:
    """Lay out the job's folder like /opt/ml."""
    shutil.rmtree(root, ignore_errors=True)
    channels = root / "input" / "data"
    for name in ("config", "train"):
        (channels / name).mkdir(parents=True)
    (channels / "model").symlink_to(base.resolve())
    if carried:
        (channels / "cl_state").symlink_to((base / "cl_state").resolve())
    contract.write_json(channels / "config" / "run.json", setup.config())
    _lines(channels / "train" / "new.jsonl", update.learn)
    if update.buffer:
        _lines(channels / "replay" / "old.jsonl", update.buffer)


def buffered(root: Path, update: facts.Suite) -> set[str]:
    """Prompts of the old rows that the job had: those it was given and those it carries on."""
    kept = root / "model" / "cl_state"
    raws = update.buffer + [raw for name in ("buffer", "holdout") if (p := kept / f"{name}.jsonl").is_file() for _, raw in data.objects(p)]
    return {data.normal(data.question(r) or r.get("text", "")) for r in raws}


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
