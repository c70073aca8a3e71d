"""The suites that a training job asks before, during and after (T2): files of the channel `suites`.

`<name>.jsonl` holds probes in the form of `facts` ({"id", "test": [prompt], "answer", "choices"?}); `<name>/lock.json` and
`items.jsonl` are a locked benchmark, scored as the evaluation job scores it, on at most ITEMS of its items. A name that begins
with `new` is what is learned, any other is protected.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from continual import ask, bench, data, facts
from continual.contract import progress
from continual.errors import DataError
from continual.items import Answers
from continual.scorers import MEASURED
from continual.text import Row

ITEMS = 24  # of a benchmark; the evaluation job asks all of them afterwards
TOKENS = 32  # longest reply to a probe
BATCH = 24
# A judge and a harness need the network that a training container lacks; latency and cost are no knowledge.
ELSEWHERE = ("llm_judge", "harness", *MEASURED)


@dataclass
class Suite:
    """One set of probes; `ask` scores some of them, `outside` holds the places of those that no row of the buffer asks."""

    name: str
    kind: str  # "new" or "protected"
    probes: list[Any]
    ask: Callable[[Any, list[Any]], list[float]]
    outside: list[int]
    before: list[float] = field(default_factory=list)


def read(folder: Path | None, buffer: list[Row], seed: int) -> list[Suite]:
    """The suites of a channel, in name order."""
    if folder is None:
        return []
    asked = {data.normal(data.question(r.raw) or r.raw.get("text", "")) for r in buffer}
    found = [_probes(p, asked) for p in sorted(folder.glob("*.jsonl"))]
    given = [bench.read(p.parent) for p in sorted(folder.glob("*/lock.json"))]
    if not found and not given:
        raise DataError(f"channel suites: neither a *.jsonl file nor a <name>/lock.json in {folder}")
    for b in given:
        if b.kind in ELSEWHERE:
            progress(phase="suite_left_out", suite=b.name, scorer=b.kind)
    return sorted(found + [_benchmark(b, asked, seed) for b in given if b.kind not in ELSEWHERE], key=lambda s: s.name)


def _kind(name: str) -> str:
    return "new" if name.startswith("new") else "protected"


def _outside(prompts: list[str], asked: set[str]) -> list[int]:
    return [i for i, p in enumerate(prompts) if data.normal(p) not in asked]


def _probes(path: Path, asked: set[str]) -> Suite:
    _, first = next(data.objects(path), (0, {}))
    probes = facts.probes(facts.read(path, learned="train" in first))
    return Suite(path.stem, _kind(path.stem), probes, _answered, _outside([p.prompt for p in probes], asked))


def _answered(loaded: Any, probes: list[facts.Probe]) -> list[float]:
    return [float(right) for right in ask.answers(loaded, probes, TOKENS)]


def _benchmark(b: bench.Benchmark, asked: set[str], seed: int) -> Suite:
    chosen = sorted(b.items, key=lambda i: hashlib.sha256(i.key.encode()).digest())[:ITEMS]
    cfg = SimpleNamespace(seed=seed, batch=BATCH, max_output_chars=0, logprobs=False)

    def score(loaded: Any, items: list[bench.Item]) -> list[float]:
        return [float(r["score"]) for r in Answers(loaded, cfg).results(b, items)]

    return Suite(b.name, _kind(b.name), chosen, score, _outside([i.messages()[-1]["content"] for i in chosen], asked))
