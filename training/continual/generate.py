"""Batched generation with a key-value cache: greedy or sampled, finished rows leave the batch at once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from continual.workers import each


@dataclass
class Request:
    """One prompt to continue; `out` and `done` are filled in."""

    prompt: list[int]
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop_ids: frozenset[int] = frozenset()
    out: list[int] = field(default_factory=list)
    done: str | None = None  # "stop" or "length"
    rng: torch.Generator | None = None
    on_token: Callable[[int], None] | None = None
    adapter: str | None = None  # served adapter that this row uses
    alternatives: int | None = None  # number of likeliest tokens to report with each; 0 reports the token alone
    scores: list[tuple[float, list[tuple[int, float]]]] = field(default_factory=list)  # log p of the token, and of the likeliest

    def take(self, token: int) -> None:
        """Accept the next token; end tokens finish the row and are not part of the answer."""
        if token in self.stop_ids:
            self.done = "stop"
            return
        self.out.append(token)
        if self.on_token:
            self.on_token(token)
        if len(self.out) >= self.max_tokens:
            self.done = "length"


class Batch:
    """Rows that decode together; requests join and leave between steps."""

    def __init__(self, model: Any):
        self.model = model
        self.rows: list[Request] = []
        self.cache: Any = None

    @torch.no_grad()
    def add(self, requests: list[Request]) -> None:
        """Prefill new requests and sample their first token."""
        cache = self.model.new_cache(len(requests), max(len(r.prompt) + min(r.max_tokens, 64) for r in requests))
        cache.adapters = [r.adapter for r in requests]
        self._sample(requests, self.model.head(self.model.prefill([r.prompt for r in requests], cache)))
        if self.cache is None:
            self.cache = cache
        else:
            self.cache.join(cache)
        self.rows += requests
        self._drop()

    @torch.no_grad()
    def step(self) -> None:
        """One token for every row."""
        ids = torch.tensor([r.out[-1] for r in self.rows], device=self.model.device)
        hidden = self.model.extend(ids, [1] * len(self.rows), self.cache)
        self._sample(self.rows, self.model.head(hidden))
        self._drop()

    def _sample(self, rows: list[Request], logits: Tensor) -> None:
        best = logits.float().argmax(-1).tolist() if any(r.temperature <= 0 for r in rows) else []  # slow in bfloat16
        for i, r in enumerate(rows):
            token = best[i] if r.temperature <= 0 else draw(logits[i], r)
            if r.alternatives is not None and token not in r.stop_ids:
                r.scores.append(score(logits[i], token, r.alternatives))
            r.take(token)

    def _drop(self) -> None:
        """Let finished rows go; the last rows move into the gaps, so that the others stay where they are."""
        alive = [i for i, r in enumerate(self.rows) if r.done is None]
        if len(alive) == len(self.rows):
            return
        gaps = [i for i in range(len(alive)) if self.rows[i].done is not None]
        for gap, last in zip(gaps, reversed(alive), strict=False):
            alive.remove(last)
            alive.insert(gap, last)
        self.rows = [self.rows[i] for i in alive]
        if self.rows:
            self.cache.keep(torch.tensor(alive, device=self.model.device))
        else:
            self.cache = None


def draw(logits: Tensor, r: Request) -> int:
    """Sample one token of logits [V] at the request's temperature from its nucleus, by one random number."""
    if r.rng is None:
        r.rng = torch.Generator().manual_seed(r.seed if r.seed is not None else torch.seed() % 2**63)
    probs, tokens = torch.softmax(logits.float().cpu() / r.temperature, -1).double(), None
    if r.top_p < 1:
        probs, tokens = nucleus(probs, r.top_p)
    sums = probs.cumsum(-1)
    at = int(torch.searchsorted(sums, torch.rand(1, generator=r.rng, dtype=sums.dtype) * sums[-1], right=True))
    return at if tokens is None else int(tokens[at])


HEAD = 1024  # likeliest tokens that are sorted first: nearly always they hold the nucleus


def nucleus(probs: Tensor, top_p: float) -> tuple[Tensor, Tensor]:
    """The fewest likeliest of probs [V] that sum to top_p (arXiv 1904.09751), in descending order, and their tokens."""
    ordered, tokens = probs.topk(min(HEAD, len(probs)))
    if ordered.sum() < top_p:
        ordered, tokens = probs.sort(descending=True)
    inside = ordered.cumsum(-1) - ordered < top_p
    return ordered[inside], tokens[inside]


def score(logits: Tensor, token: int, count: int) -> tuple[float, list[tuple[int, float]]]:
    """Log-probability of a token under logits [V], and the `count` likeliest tokens with theirs."""
    logp = torch.log_softmax(logits.float(), -1)
    best = logp.topk(count) if count else None
    return float(logp[token]), [] if best is None else list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


def generate(model: Any, requests: list[Request], batch: int = 32, tick: Callable[[], None] = lambda: None) -> None:
    """Complete all requests in place, in lanes of at most `batch` rows that decode side by side: those that wait, shortest
    first, take the places of those that are done. `tick` is called after each token of a lane."""
    order = sorted(range(len(requests)), key=lambda i: (len(requests[i].prompt), i))
    lanes = _lanes(len(order), model.device)

    def run(lane: int) -> None:
        waiting = deque(requests[i] for i in order[lane::lanes])
        running, size = Batch(model), min(batch, len(waiting))
        while running.rows or waiting:
            free = min(size - len(running.rows), len(waiting))
            if free and (free >= size // REFILL or not running.rows):
                running.add([waiting.popleft() for _ in range(free)])
            else:
                running.step()
            tick()

    each(run, range(lanes), model.device)


LEAST = 8  # rows of a lane: fewer and the weights are read too often
REFILL = 4  # of a lane's places are free before others are read: a few at a time read the weights too often, too


def _lanes(count: int, device: torch.device) -> int:
    """One a thread, and two where there is one thread: what two write does not depend on it."""
    return 1 if device.type != "cpu" else max(1, min(max(2, torch.get_num_threads()), -(-count // LEAST)))


def cut(text: str, stops: list[str]) -> str:
    """The text before its first stop sequence."""
    return text[: min((text.find(s) for s in stops if s in text), default=len(text))]
