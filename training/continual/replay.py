"""The data slot: which old rows are repeated (T1).

Policies keep at most `capacity` rows: reservoir (Vitter's algorithm R: every row equally likely), stratified (equal
shares per meta.capability or meta.topic), surprise (rows the model finds hardest first; SuRe, arXiv 2511.22367).
"""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import data
from continual.contract import write_atomic
from continual.text import Row, Text


@dataclass
class Old:
    """Old rows of a run: those repeated in training and those only measured."""

    buffer: list[Row]
    holdout: list[Row]


def gather(cl_state: Path | None, replay: Path | None, text: Text, cfg: Any) -> Old:
    """Old rows from the carried state and the replay channel, without duplicates, holdout split off by hash."""
    kept = _read(cl_state, "buffer.jsonl", text, cfg)
    held = _read(cl_state, "holdout.jsonl", text, cfg)
    extra = data.read_rows(replay, text, cfg.data) if replay else []
    seen = {data.key(r.raw) for r in held}
    rows = [r for r in _unique(kept + extra) if data.key(r.raw) not in seen]
    want = 0 if held else min(cfg.replay.holdout, len(rows) // 4)  # a carried holdout stays, so stages compare
    ordered = sorted(rows, key=lambda r: data.key(r.raw))
    held = held + ordered[:want]
    out = {data.key(r.raw) for r in ordered[:want]}
    return Old([r for r in rows if data.key(r.raw) not in out], held)


def _read(folder: Path | None, name: str, text: Text, cfg: Any) -> list[Row]:
    path = folder / name if folder else None
    if path is None or not path.is_file():
        return []
    return data.rows_of(path, text, cfg.data)


def _unique(rows: list[Row]) -> list[Row]:
    return list({data.key(r.raw): r for r in rows}.values())


def stratum(row: Row) -> str:
    """The group of a row for the stratified policy."""
    return str(row.meta.get("capability") or row.meta.get("topic") or "")


def choose(rows: list[Row], capacity: int, policy: str, seed: int, surprise: Callable[[list[Row]], list[float]]) -> list[Row]:
    """At most `capacity` rows by policy, in their given order; `surprise` gives a loss per row."""
    if len(rows) <= capacity:
        return rows
    rng = random.Random(seed)
    if policy == "reservoir":
        picked = reservoir(len(rows), capacity, rng)
    elif policy == "surprise":
        losses = surprise(rows)
        picked = sorted(range(len(rows)), key=lambda i: (-losses[i], i))[:capacity]
    else:
        picked = stratified([stratum(r) for r in rows], capacity, rng)
    return [rows[i] for i in sorted(picked)]


def reservoir(n: int, capacity: int, rng: random.Random) -> list[int]:
    """Indices kept of a stream of n (Vitter 1985, algorithm R)."""
    kept = list(range(min(n, capacity)))
    for i in range(capacity, n):
        j = rng.randrange(i + 1)
        if j < capacity:
            kept[j] = i
    return kept


def stratified(groups: list[str], capacity: int, rng: random.Random) -> list[int]:
    """Indices with equal shares per group; what a small group leaves free goes to the others."""
    queues: dict[str, list[int]] = defaultdict(list)
    for i, g in enumerate(groups):
        queues[g].append(i)
    for q in queues.values():
        rng.shuffle(q)
    kept: list[int] = []
    while len(kept) < capacity:
        for g in sorted(queues):
            if queues[g] and len(kept) < capacity:
                kept.append(queues[g].pop())
    return kept


def draw(n: int, count: int, seed: int, step: int) -> list[int]:
    """Indices of the old rows of one step: a function of (seed, step) alone, so a resumed run draws the same.

    Steps walk through seeded permutations, so that every row comes equally often.
    """
    out = []
    for k in range(step * count, (step + 1) * count):
        out.append(permutation(n, seed, k // n)[k % n])
    return out


_cache: dict[tuple[int, int, int], list[int]] = {}


def permutation(n: int, seed: int, epoch: int) -> list[int]:
    """The order of n rows in one pass."""
    if (n, seed, epoch) not in _cache:
        order = list(range(n))
        mixed = hashlib.sha256(f"{seed}:{epoch}:{n}".encode()).digest()
        random.Random(mixed).shuffle(order)
        _cache[n, seed, epoch] = order
    return _cache[n, seed, epoch]


def is_near(row: Row) -> bool:
    """Whether the row was made for one run's new rows: the next run makes its own."""
    return row.meta.get("source") == "near"


def dump(path: Path, rows: list[Row]) -> None:
    """Write rows in their original form, all or none: a run that goes on reads them."""
    write_atomic(path, "".join(json.dumps(r.raw, ensure_ascii=False) + "\n" for r in rows))
