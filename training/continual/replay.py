"""The data slot: which old rows are repeated, and rows the previous model writes itself (T1).

Policies keep at most `capacity` rows: reservoir (Vitter's algorithm R: every row equally likely), stratified (equal
shares per meta.capability or meta.topic), surprise (rows the model finds hardest first; SuRe, arXiv 2511.22367).

Rows of the model's own are of two kinds. `self`: it samples a whole question. `near`: it is given the first words of a new
row and ends the question itself, so that what it knows is repeated in the very forms that the new rows use; this is where
an update forgets most, and it needs no old data.
"""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from continual import data
from continual.contract import write_atomic
from continual.errors import TrainError
from continual.generate import Request, generate
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


def self_generate(loaded: Any, count: int, cfg: Any, known: set[str], progress: Callable[[int], None]) -> list[Row]:
    """Rows written by the previous model itself (SSR, arXiv 2403.01244): it samples a question, then answers greedily.

    Rounds end when `count` distinct new rows exist, or after ROUNDS: a model whose questions are long ends few of them.
    """
    rows: list[Row] = []
    for round_ in range(ROUNDS):
        if len(rows) == count:
            break
        for raw in _sample(loaded, min(ROUND, 2 * (count - len(rows))), cfg, round_):
            key = data.key(raw)
            if key not in known and len(rows) < count:
                known.add(key)
                rows.append(loaded.text.row(raw, cfg.data.max_length, cfg.data.format != "plain"))
        progress(len(rows))
    return rows


def _sample(loaded: Any, n: int, cfg: Any, round_: int) -> list[dict[str, Any]]:
    text, r = loaded.text, cfg.replay
    before = _user_turn(text)
    seeds = torch.Generator().manual_seed(cfg.seed * 1000003 + round_)
    stops = frozenset(text.eos)
    asked = [
        Request(text.encode(before), r.max_tokens, r.temperature, 0.95, int(torch.randint(2**31, (1,), generator=seeds)), stops) for _ in range(n)
    ]
    for q in asked:
        q.on_token = lambda _, q=q: _end_question(text, q, "?")
    generate(loaded.model, asked, ROUND)
    prompts = list(dict.fromkeys(text.decode(q.out).strip() for q in asked if q.done == "stop" and len(q.out) >= 3))
    return _answer(loaded, prompts, r.max_tokens, "self")


def _user_turn(text: Text) -> str:
    """What the chat template writes before a user's first word."""
    return text.render([{"role": "user", "content": "\x00"}], False).split("\x00")[0]


def _answer(loaded: Any, prompts: list[str], tokens: int, source: str) -> list[dict[str, Any]]:
    """Rows with the model's greedy answers, their first `tokens`: a small model's questions end soon, its answers may not."""
    text, stops = loaded.text, frozenset(loaded.text.eos)
    answers = [Request(text.chat_ids([{"role": "user", "content": p}]), tokens, stop_ids=stops) for p in prompts]
    generate(loaded.model, answers, ROUND)
    done = [(p, text.decode(a.out).strip()) for p, a in zip(prompts, answers, strict=True)]
    return [{"prompt": p, "completion": c, "meta": {"source": source}} for p, c in done if p and c]


NEAR_MOST = 512  # near rows of one run, however many new rows there are
ROUND = 64  # questions or answers written at once
ROUNDS = 6  # of whole questions
NEAR_TOKENS = 16  # of a near row's answer: its beginning holds what is asked


def near(loaded: Any, new: list[Row], cfg: Any, known: set[str], progress: Callable[[int, int], None]) -> list[Row]:
    """replay.near rows per new row (together at most NEAR_MOST): questions that begin like the new ones and go on as the
    model itself continues them, with its own answers. None equals a question of `new`; rows without a question give none.
    `progress` gets what is written, and what is to be written: a question and an answer a row."""
    asked = [q for r in new if (q := data.question(r.raw))]
    want = min(NEAR_MOST, round(cfg.replay.near * len(new))) if asked else 0
    found = _questions(loaded, asked, want, cfg.seed, lambda n: progress(n, 2 * want))
    raws, tokens = [], min(NEAR_TOKENS, cfg.replay.max_tokens)
    for start in range(0, len(found), ROUND):
        raws += _answer(loaded, found[start : start + ROUND], tokens, "near")
        progress(len(found) + len(raws), 2 * len(found))
    return [loaded.text.row(raw, cfg.data.max_length, cfg.data.format != "plain") for raw in raws if data.key(raw) not in known]


def _questions(loaded: Any, asked: list[str], want: int, seed: int, progress: Callable[[int], None]) -> list[str]:
    """`want` distinct questions that are not asked, or fewer when three rounds in a row brought none."""
    found: dict[str, None] = {}
    taken = set(asked)
    idle = round_ = 0
    while len(found) < want and idle < 3:
        before = len(found)
        for q in _continued(loaded, asked, min(ROUND, want - len(found)), random.Random(f"{seed}:{round_}")):
            found |= {} if q in taken else {q: None}
        round_ += 1
        idle = idle + 1 if len(found) == before else 0
        progress(min(want, len(found)))
    return list(found)[:want]


@torch.no_grad()
def check_writes(loaded: Any) -> None:
    """TrainError for a model whose predictions are no numbers: nothing can be sampled from it."""
    ids = loaded.text.chat_ids([{"role": "user", "content": "Hi"}])
    features = loaded.model.features(torch.tensor(ids, device=loaded.model.device), [len(ids)])
    if not torch.isfinite(loaded.model.head(features[-1:])).all():
        raise TrainError("replay.near: the model's predictions are not numbers; check the weights in the channel `model`")


def is_near(row: Row) -> bool:
    """Whether the row was made for one run's new rows: the next run makes its own."""
    return row.meta.get("source") == "near"


def _continued(loaded: Any, asked: list[str], n: int, rng: random.Random) -> list[str]:
    """About n questions, each begun with up to six tenths of one of `asked` and ended by the model."""
    text, before = loaded.text, loaded.text.encode(_user_turn(loaded.text))
    begun: list[tuple[list[int], Request]] = []
    for _ in range(n + n // 6 + 2):
        ids = text.encode(rng.choice(asked))
        start = ids[: rng.randint(1, max(1, min(48, int(0.6 * len(ids)))))]
        r = Request(before + start, 24, 0.9, 1.0, rng.randrange(2**31), frozenset(text.eos))
        r.on_token = lambda _, r=r: _end_question(text, r, "?\n")
        begun.append((start, r))
    generate(loaded.model, [r for _, r in begun], 2 * ROUND)
    ended = [text.decode(start + r.out).strip() for start, r in begun if r.done == "stop" and len(start + r.out) >= 3]
    return [q.split("\n")[0] for q in ended if q]


def _end_question(text: Text, r: Request, marks: str) -> None:
    """A question ends with one of `marks`, where the model does not end it itself."""
    if set(marks) & set(text.decode(r.out).strip()):
        r.done = "stop"


def dump(path: Path, rows: list[Row]) -> None:
    """Write rows in their original form, all or none: a run that goes on reads them."""
    write_atomic(path, "".join(json.dumps(r.raw, ensure_ascii=False) + "\n" for r in rows))
