"""Ask a model probes: greedy replies that must contain an answer, or the likeliest of given choices."""

from pathlib import Path
from typing import Any

from continual import models
from continual.choices import loglikelihoods, pick
from continual.facts import Probe
from continual.generate import Request, generate
from continual.workers import each


def ask(folder: Path, probes: list[Probe], tokens: int) -> list[bool]:
    """Whether the model in `folder` answers each probe; case does not count. Replies end at `tokens`."""
    return answers(models.load(folder), probes, tokens) if probes else []


def answers(loaded: Any, probes: list[Probe], tokens: int) -> list[bool]:
    """The same for a loaded model."""
    right = [False] * len(probes)
    written = [i for i, p in enumerate(probes) if not p.choices]
    for i, ok in zip(written, _written(loaded, [probes[i] for i in written], tokens), strict=True):
        right[i] = ok
    chosen = [i for i, p in enumerate(probes) if p.choices]
    for i, ok in zip(chosen, each(lambda i: _chosen(loaded, probes[i]), chosen, loaded.model.device), strict=True):
        right[i] = ok
    return right


def _written(loaded: Any, probes: list[Probe], tokens: int) -> list[bool]:
    stop = frozenset(loaded.text.eos)
    requests = [Request(prompt_ids(loaded, p), tokens, stop_ids=stop) for p in probes]
    for r, p in zip(requests, probes, strict=True):
        r.on_token = lambda _, r=r, p=p: _end_early(loaded, r, p)
    generate(loaded.model, requests)
    return [contains(loaded.text.decode(r.out), p) for r, p in zip(requests, probes, strict=True)]


def prompt_ids(loaded: Any, p: Probe) -> list[int]:
    """The prompt as a chat question."""
    return loaded.text.chat_ids([{"role": "user", "content": p.prompt}])


def _end_early(loaded: Any, r: Request, p: Probe) -> None:
    """A reply that holds an answer stays right whatever follows, so the rest need not be written."""
    if contains(loaded.text.decode(r.out), p):
        r.done = "stop"


def contains(reply: str, p: Probe) -> bool:
    """Whether the reply contains one of the answers."""
    text = reply.casefold()
    return any(a.casefold() in text for a in p.answers)


def _chosen(loaded: Any, p: Probe) -> bool:
    """The likeliest choice a character (acc_norm) is one of the answers."""
    ids = [loaded.text.encode(c) for c in p.choices]
    best = pick(loglikelihoods(loaded.model, prompt_ids(loaded, p), ids), list(p.choices), "acc_norm")
    return p.choices[best].strip().casefold() in {a.casefold() for a in p.answers}
