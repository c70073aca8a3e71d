"""Rows that the previous model writes itself: old knowledge to repeat without old data (T1).

`self`: it samples a whole question. `near`: it is given the first words of a new row and ends the question itself, so that what
it knows is repeated in the very forms that the new rows use; this is where an update forgets most. A question about what the
new rows teach must not be among them: its answer by the previous model is what they change. So the words given end before
the first that the model would hardly have written: a name, a number.
"""

import random
from collections.abc import Callable
from itertools import takewhile
from typing import Any

import torch

from continual import data, words
from continual.errors import TrainError
from continual.generate import Request, generate
from continual.text import Row, Text

ROUND, ROUNDS = 128, 6  # whole questions of a round, and rounds
WIDE = 64  # rows of a lane: more are no faster
NEAR_MOST = 512  # near rows of one run, however many new rows there are
NEAR_TOKENS = 16  # of a near row's answer: its beginning holds what is asked


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
    before = words.opening(text)
    seeds = torch.Generator().manual_seed(cfg.seed * 1000003 + round_)
    stops = frozenset(text.eos)
    asked = [Request(before, r.max_tokens, r.temperature, 0.95, int(torch.randint(2**31, (1,), generator=seeds)), stops) for _ in range(n)]
    for q in asked:
        q.on_token = lambda _, q=q: _end_question(text, q, "?")
    generate(loaded.model, asked, WIDE)
    prompts = list(dict.fromkeys(text.decode(q.out).strip() for q in asked if q.done == "stop" and len(q.out) >= 3))
    return _answer(loaded, prompts, r.max_tokens, "self", lambda _: None)


def _answer(loaded: Any, prompts: list[str], tokens: int, source: str, progress: Callable[[int], None]) -> list[dict[str, Any]]:
    """Rows with the model's greedy answers, their first `tokens`: a small model's questions end soon, its answers may not."""
    text, stops = loaded.text, frozenset(loaded.text.eos)
    answers = [Request(text.chat_ids([{"role": "user", "content": p}]), tokens, stop_ids=stops) for p in prompts]
    generate(loaded.model, answers, WIDE, _eighths(answers, progress))
    done = [(p, text.decode(a.out).strip()) for p, a in zip(prompts, answers, strict=True)]
    return [{"prompt": p, "completion": c, "meta": {"source": source}} for p, c in done if p and c]


def _eighths(requests: list[Request], progress: Callable[[int], None]) -> Callable[[], None]:
    """Tells how many requests are done whenever another eighth of them is."""
    told, step = [0], max(1, len(requests) // 8)

    def tick() -> None:
        done = sum(r.done is not None for r in requests)
        if done >= told[0] + step:
            told[0] = done
            progress(done)

    return tick


def near(loaded: Any, new: list[Row], read: dict[str, words.Question], cfg: Any, known: set[str], progress: Callable[[int, int], None]) -> list[Row]:
    """replay.near rows per new row (together at most NEAR_MOST): questions that begin like the new ones, which are `read`, and
    go on as the model itself continues them, with its own answers. None equals a question of `new`; rows without a question
    give none. `progress` gets what is written, and what is to be written: a question and an answer a row."""
    want = min(NEAR_MOST, round(cfg.replay.near * len(new)))
    begun = {q: beginning(r) for q, r in read.items()} if want else {}
    found = _questions(loaded, begun, want, cfg.seed, lambda n: progress(min(n, want), 2 * want))
    tokens = min(NEAR_TOKENS, cfg.replay.max_tokens)
    raws = _answer(loaded, found, tokens, "near", lambda n: progress(len(found) + n, 2 * len(found)))
    return [loaded.text.row(raw, cfg.data.max_length, cfg.data.format != "plain") for raw in raws if data.key(raw) not in known]


def beginning(q: words.Question) -> list[int]:
    """The tokens of a question's first words, at most six tenths of it: those before a word that is new to the model."""
    known = len(list(takewhile(bool, q.known[:-1])))
    return q.ids[: min(q.ends[known - 1] if known else 0, 48, int(0.6 * len(q.ids)))]


def _questions(loaded: Any, begun: dict[str, list[int]], want: int, seed: int, progress: Callable[[int], None]) -> list[str]:
    """`want` distinct questions that are not asked, or fewer when three rounds in a row brought none."""
    found: dict[str, None] = {}
    known = [ids for ids in begun.values() if ids]
    idle = round_ = 0
    while known and len(found) < want and idle < 3:
        before = len(found)
        rng = random.Random(f"{seed}:{round_}")
        made = _continued(loaded, known, want - before, rng, lambda n, before=before: progress(before + n))
        found |= dict.fromkeys(q for q in made if q not in begun)
        round_, idle = round_ + 1, idle + 1 if len(found) == before else 0
    return list(found)[:want]


@torch.no_grad()
def check_writes(loaded: Any) -> None:
    """TrainError for a model whose predictions are no numbers: nothing can be sampled from it."""
    ids = loaded.text.chat_ids([{"role": "user", "content": "Hi"}])
    features = loaded.model.features(torch.tensor(ids, device=loaded.model.device), [len(ids)])
    if not torch.isfinite(loaded.model.head(features[-1:])).all():
        raise TrainError("replay.near: the model's predictions are not numbers; check the weights in the channel `model`")


def _continued(loaded: Any, known: list[list[int]], n: int, rng: random.Random, progress: Callable[[int], None]) -> list[str]:
    """About n questions, each begun with one or more of the tokens of one of `known` and ended by the model: one in five is
    not ended, or was there before."""
    text, before = loaded.text, words.opening(loaded.text)
    begun: list[tuple[list[int], Request]] = []
    for _ in range(n + n // 4 + 8):
        ids = rng.choice(known)
        start = ids[: rng.randint(1, len(ids))]
        r = Request(before + start, 24, 0.9, 1.0, rng.randrange(2**31), frozenset(text.eos))
        r.on_token = lambda _, r=r: _end_question(text, r, "?\n")
        begun.append((start, r))
    requests = [r for _, r in begun]
    generate(loaded.model, requests, WIDE, _eighths(requests, progress))
    ended = [text.decode(start + r.out).strip() for start, r in begun if r.done == "stop" and len(start + r.out) >= 3]
    return [q.split("\n")[0] for q in ended if q]


def _end_question(text: Text, r: Request, marks: str) -> None:
    """A question ends with one of `marks`, where the model does not end it itself."""
    if set(marks) & set(text.decode(r.out).strip()):
        r.done = "stop"
