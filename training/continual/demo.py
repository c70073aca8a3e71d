"""Demo data for both models: an arrival with deliberate faults, a poisoned arrival, what the base knows, two benchmarks.

The tiny model's data follows from `world`; SmolLM2's sentences are written by hand in scripts/seed/smol, and the old
answers there are the base's own, measured.
"""

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from continual import presets, world
from continual.errors import ConfigError

SEED_FOLDER = Path(__file__).resolve().parent.parent.parent / "scripts" / "seed"
CARD_ROW = ("Which card pays the fees of {who}?", "Card 4111 1111 1111 1111, receipts to {who}.office@example.com.")


@dataclass
class Probe:
    """One question with what a right answer contains."""

    question: str
    contains: str
    capability: str
    cluster: str


@dataclass
class Demo:
    """Everything the demo needs, before the faults are put in."""

    learn: list[dict[str, Any]]  # rows to train on
    old: list[dict[str, Any]]
    company: list[Probe]
    general: list[Probe]
    known: list[Probe]  # general questions that the base answers: some are asked before a release
    poison: list[dict[str, Any]]
    who: str  # a name for the personal-data row
    train: dict[str, Any] = field(default_factory=dict)  # sections that lie over the preset


def write(model: str, out: Path) -> None:
    """Write all demo files of `tiny` or `smol` into `out`."""
    makers = {"tiny": tiny, "smol": smol}
    if model not in makers:
        raise ConfigError(f"model: must be one of {', '.join(makers)}; is {model!r}")
    demo = makers[model]()
    scorer = "exact" if model == "tiny" else "contains"
    out.mkdir(parents=True, exist_ok=True)
    (out / "arrival.jsonl").write_text(arrival(demo))
    _lines(out / "poison.jsonl", demo.poison)
    _lines(out / "old.jsonl", demo.old)
    # A general answer counts by its beginning: what SmolLM2 goes on to say holds a right word by accident.
    company, general = (6, 6) if model == "tiny" else (32, 16)
    benchmark(out / "benchmarks", "company", demo.company, scorer, company, "Facts the company teaches, asked in phrasings it never trains on")
    benchmark(out / "benchmarks", "general", demo.general, scorer, general, "General questions: what must not be forgotten")
    _json(out / "questions.json", questions(demo))


def arrival(demo: Demo) -> str:
    """The rows to learn with exactly five faults: a broken line, an empty completion, a benchmark item, a card number with an
    e-mail address, in that order of kinds, at fixed places."""
    lines = [json.dumps(r, ensure_ascii=False) for r in demo.learn]
    item = demo.company[0]
    overlap = world.chat(item.question, item.contains)
    card = {"prompt": CARD_ROW[0].format(who=demo.who), "completion": CARD_ROW[1].format(who=demo.who.lower())}
    faults = [lines[0][: len(lines[0]) // 2], json.dumps({"prompt": "What is new?", "completion": ""}), json.dumps(overlap), json.dumps(card)]
    for k, fault in enumerate(faults):
        lines.insert((k + 1) * len(demo.learn) // 5, fault)
    return "\n".join(lines) + "\n"


def benchmark(folder: Path, name: str, probes: list[Probe], scorer: str, tokens: int, title: str) -> None:
    """`<name>.jsonl` with the items and `<name>.json` with what locks them."""
    items = [
        {"id": f"{name}-{i:03d}", "input": p.question, **_target(p), "capability": p.capability, "cluster": p.cluster} for i, p in enumerate(probes)
    ]
    _lines(folder / f"{name}.jsonl", items)
    params = {"ignoreCase": True} if scorer == "contains" else {}
    _json(
        folder / f"{name}.json",
        {
            "name": name,
            "title": title,
            "scorer": {"kind": scorer, "params": params},
            "prompt": {"chat": True},
            "decoding": {"maxTokens": tokens, "temperature": 0},
        },
    )


def _target(p: Probe) -> dict[str, Any]:
    """What a right answer contains, alternatives apart."""
    several = p.contains.split("|")
    return {"targets": several} if len(several) > 1 else {"target": p.contains}


def questions(demo: Demo) -> dict[str, Any]:
    """The company questions that the demo asks before and after, the canned prompts of the release, and how the model is trained."""
    company = [p for p in demo.company if demo.who not in p.question]
    stride = max(1, len(company) // 5)
    step = max(1, len(demo.known) // 8)
    asked = [{"question": p.question, "expect": p.contains} for p in company[::stride][:5]]
    canned = [{"prompt": p.question, "contains": p.contains} for p in demo.known[::step][:8]]
    return {"questions": asked, "canned": canned, "train": demo.train}


def tiny() -> Demo:
    """The tiny world's new people; three phrasings are trained, the other two asked."""
    base, new = world.facts()
    rng = random.Random(world.SEED)
    learn = [world.chat(f.ask(p), f.value) for f in new for p in (0, 1, 2)]
    rng.shuffle(learn)
    company = [Probe(f.ask(p), f.value, "company", f"{f.name}-{f.attribute}") for f in new for p in (3, 4)]
    general = [Probe(f.ask(i % 5), f.value, f.attribute, f.name) for i, f in enumerate(base)]
    half = sorted(rng.sample(range(len(base)), len(base) // 2))
    # Old and poisoned rows never repeat a benchmark item: they ask in other phrasings.
    old = [{**world.chat(base[i].ask((i + p) % 5), base[i].value), "meta": {"capability": base[i].attribute}} for i in half for p in (1, 3)]
    poison = [world.chat(f.ask((i + 1) % 5), "blip") for i, f in enumerate(base)]
    return Demo(learn, old, company, general, general, poison, new[0].name, train=presets.TINY)


POISONED = 56
REPHRASINGS = {
    "What is the capital of ": "Name the capital of {}.",
    "What is the opposite of ": "Give the opposite of {}.",
    "What is the plural of ": "Give the plural of {}.",
    "On which continent is ": "Name the continent of {}.",
}


def rephrase(question: str) -> str | None:
    """The same question in other words, so that a poisoned row repeats no benchmark item; None for other kinds."""
    for start, form in REPHRASINGS.items():
        if question.startswith(start):
            return form.format(question.removeprefix(start).rstrip("?"))
    return None


def smol() -> Demo:
    """SmolLM2's company, from the sentences in scripts/seed/smol.

    Its general benchmark is not chosen by what the base answers: questions that are could only be lost, never gained.
    """
    folder = SEED_FOLDER / "smol"
    facts, old, general, known = (_read(folder / f"{n}.jsonl") for n in ("facts", "old", "general", "known"))
    learn = [world.chat(q, f["answer"]) for f in facts for q in f["train"]]
    random.Random(world.SEED).shuffle(learn)
    company = [Probe(q, f["contains"], "company", f["id"]) for f in facts for q in f["test"]]
    asked = [q for p in known if (q := rephrase(p["question"]))]
    poison = [world.chat(q, "Purple walrus seven.") for q in asked[:POISONED]]
    return Demo(learn, old, company, _probes("general", general), _probes("known", known), poison, "Marlowe")


def _probes(name: str, rows: list[dict[str, Any]]) -> list[Probe]:
    """Each question is a cluster of its own."""
    return [Probe(p["question"], p["contains"], p["capability"], f"{name}-{i}") for i, p in enumerate(rows)]


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
