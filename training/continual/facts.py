"""Facts and probes as people write them: one JSON object a line, checked with file, line and what to change.

{"id", "capability", "train"?: [prompt…], "test": [prompt…], "answer", "completion"?, "choices"?}: `answer` is what a right
reply contains, alternatives with `|`; `completion` is what is trained on (the first answer when absent); `choices` makes
the model choose by likelihood instead of writing. Old probes have no `train`.
"""

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from continual import data, gpu, world
from continual.errors import ConfigError, DataError

HERE = Path(__file__).resolve().parent.parent / "protocol"
KEYS = ("id", "capability", "train", "test", "answer", "completion", "choices")


@dataclass(frozen=True)
class Probe:
    """One question: right when the reply contains one of `answers`, or when the likeliest of `choices` is one of them."""

    prompt: str
    answers: tuple[str, ...]
    choices: tuple[str, ...] = ()
    capability: str = ""


@dataclass
class Suite:
    """What one update teaches, what is asked about it, what is asked about before, and old rows for the buffer."""

    learn: list[dict[str, Any]]
    new: list[Probe]
    old: list[Probe]
    buffer: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 32


def read(path: Path, learned: bool) -> list[dict[str, Any]]:
    """The checked facts of a file; `learned` ones need `train`, old probes may not have it."""
    if not path.is_file():
        raise DataError(f"{path}: no such file; pass JSON lines such as " + json.dumps({"id": "1", "test": ["Who leads A?"], "answer": "Bo"}))
    found, seen = [], {}
    for line, given in data.objects(path):
        raw = {k: v for k, v in given.items() if v is not None and v != []}
        wrong = fault(raw, learned) or (f"id {raw['id']!r} is already on line {seen[raw['id']]}" if raw.get("id") in seen else None)
        if wrong:
            raise DataError(f"{path.name}:{line}: {wrong}")
        if "id" in raw:
            seen[raw["id"]] = line
        found.append(raw)
    if not found:
        raise DataError(f"{path.name}: holds no line; needs at least one {'fact' if learned else 'probe'}")
    return found


def fault(raw: dict[str, Any], learned: bool) -> str | None:
    """What is wrong with one object and how to mend it, or None."""
    for key in sorted(set(raw) - set(KEYS)):  # other keys are people's own notes
        meant = get_close_matches(key, KEYS, 1, 0.8)
        if meant and meant[0] not in raw:
            return f"unknown key {key!r}: did you mean `{meant[0]}`?"
    for key in ("id", "capability", "completion", "answer"):
        if key in raw and (not isinstance(raw[key], str) or not raw[key].strip()):
            return f"`{key}` must be text that is not empty"
    for key in ("train", "test", "choices"):
        if key in raw and not _texts(raw[key]):
            return f"`{key}` must be a list of texts that are not empty, with at least one"
    return _missing(raw, learned) or _choices(raw)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v.strip() for v in value)


def _missing(raw: dict[str, Any], learned: bool) -> str | None:
    for key, what in (("test", "prompts to ask"), ("answer", "what a right reply contains, alternatives with |")):
        if key not in raw:
            return f"needs `{key}`: {what}"
    if not any(a.strip() for a in raw["answer"].split("|")):
        return "`answer` holds only separators; write what a right reply contains"
    if learned and "train" not in raw:
        return "needs `train`: the prompts to learn from (a probe of what the model knows belongs into --old)"
    if not learned and "train" in raw:
        return "an old probe has no `train`; remove it, or move the line to --new"
    return None


def _choices(raw: dict[str, Any]) -> str | None:
    choices = raw.get("choices")
    if choices is None:
        return None
    if len(set(choices)) < 2 or len(set(choices)) != len(choices):
        return "`choices` needs at least two that differ, none twice"
    if not {a.strip() for a in raw["answer"].split("|")} & {c.strip() for c in choices}:
        return f"`answer` must be one of the choices {choices}"
    return None


def probes(rows: list[dict[str, Any]]) -> list[Probe]:
    """One probe per test prompt."""
    out = []
    for f in rows:
        answers = tuple(a.strip() for a in f["answer"].split("|") if a.strip())
        out += [Probe(q, answers, tuple(f.get("choices", ())), f.get("capability", "")) for q in f["test"]]
    return out


def lessons(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One chat row per train prompt."""
    return [world.chat(q, f.get("completion") or f["answer"].split("|")[0].strip()) for f in rows for q in f["train"]]


def suite(new: list[dict[str, Any]], old: list[dict[str, Any]], buffer: list[dict[str, Any]], tokens: int | None = None) -> Suite:
    """Rows and probes; replies may be as long as the longest lesson and no shorter than 32 tokens."""
    learn = lessons(new)
    longest = max(len(r["messages"][1]["content"]) for r in learn)
    return Suite(learn, probes(new), probes(old), buffer, tokens or max(32, min(256, longest // 2)))


def updates(model: str, new: Path | None, old: Path | None, buffer: Path | None, count: int) -> list[Suite]:
    """The updates of `tiny` or `smol`, with anyone's own facts and probes in place of ours. Old rows come with the first:
    later ones find them in the carried state."""
    if count < 1:
        raise ConfigError(f"--updates: must be at least 1, is {count}")
    files = [read(new, True)] if new else _ours(model, count)
    known = read(old, False) if old else _known(model)
    kept = rows(buffer) if buffer else general(model)
    parts = files if len(files) == count else _split([f for file in files for f in file], count)
    tokens = None if new or model == "smol" else 6
    return [suite(part, known, [] if k else kept, tokens) for k, part in enumerate(parts)]


def _split(learned: list[dict[str, Any]], count: int) -> list[list[dict[str, Any]]]:
    if count > len(learned):
        raise ConfigError(f"--updates: {count} updates need as many facts; there are {len(learned)}")
    sizes = [len(learned) * k // count for k in range(count + 1)]
    return [learned[a:b] for a, b in pairwise(sizes)]


def _ours(model: str, count: int) -> list[list[dict[str, Any]]]:
    """Our facts; SmolLM2's second file is its second update and serves only when there is one."""
    if model != "smol":
        return [gpu.new_facts() if model == "gpu" else gpu.new_facts(world.PEOPLE, world.COMPANY_PEOPLE)]
    names = ["new.jsonl"] if count == 1 else ["new.jsonl", "second.jsonl"]
    return [read(HERE / model / name, True) for name in names]


def _known(model: str) -> list[dict[str, Any]]:
    if model == "gpu":
        return gpu.known()
    if model == "tiny":
        base, _ = world.facts()
        return [{"test": [f.ask(i % 5)], "answer": f.value, "capability": f.attribute} for i, f in enumerate(base)]
    return read(HERE / model / "old.jsonl", False)


def general(model: str) -> list[dict[str, Any]]:
    """Our general old rows: everyday questions with the base's own answers, chosen without a look at any probe."""
    if model == "gpu":
        return gpu.general()
    if model == "tiny":
        from continual import demo

        return demo.tiny().old
    return rows(HERE / model / "buffer.jsonl")


def rows(path: Path) -> list[dict[str, Any]]:
    """The training rows of a file."""
    return [raw for _, raw in data.objects(path)]
