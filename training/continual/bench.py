"""Locked benchmarks as the evaluation job gets them: `<name>/lock.json` and `<name>/items.jsonl` (B3)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import data, schema
from continual.contract import read_json
from continual.errors import ConfigError, DataError
from continual.scorers import MEASURED, SCORERS

LOCK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["benchmark", "lock", "scorer"],
    "properties": {
        "benchmark": {"type": "string", "minLength": 1},
        "lock": {"type": "string", "minLength": 1},
        "scorer": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": ["choice", *SCORERS, *MEASURED, "llm_judge", "harness"]}, "params": {"type": ["object", "null"]}},
        },
        "judge": {
            "type": ["object", "null"],
            "required": ["model"],
            "properties": {"model": {"type": "string", "minLength": 1}, "promptDigest": {"type": ["string", "null"]}},
        },
        "prompt": {
            "type": ["object", "null"],
            "properties": {"template": {"type": ["string", "null"]}, "system": {"type": ["string", "null"]}, "chat": {"type": ["boolean", "null"]}},
        },
        "decoding": {
            "type": ["object", "null"],
            "properties": {
                "maxTokens": {"type": "integer", "minimum": 1, "maximum": 4096},
                "temperature": {"type": "number", "minimum": 0},
                "stop": {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}},
                "seed": {"type": ["integer", "null"]},
            },
        },
    },
}
ITEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "input": {"type": ["string", "null"]},
        "messages": {"type": ["array", "null"]},
        "choices": {"type": ["array", "null"], "items": {"type": "string"}},
        "target": {"type": ["string", "number", "null"]},
        "targets": {"type": ["array", "null"], "items": {"type": "string"}},
        "capability": {"type": ["string", "null"]},
    },
}


@dataclass
class Item:
    """One item and the benchmark it belongs to."""

    raw: dict[str, Any]
    bench: "Benchmark"

    @property
    def key(self) -> str:
        """Identity over all benchmarks of a job."""
        return f"{self.bench.name}\x1f{self.bench.lock}\x1f{self.raw['id']}"

    @property
    def targets(self) -> list[str]:
        """Right answers as text."""
        many = self.raw.get("targets")
        one = self.raw.get("target")
        return list(many) if many else ([] if one is None else [str(one)])

    def messages(self) -> list[dict[str, str]]:
        """The question as chat messages."""
        prompt = self.bench.prompt
        given = self.raw.get("messages") or [{"role": "user", "content": self.question()}]
        system = prompt.get("system")
        return ([{"role": "system", "content": system}] if system else []) + given

    def question(self) -> str:
        """The input, put into the template where there is one; braces in the input are plain text."""
        template = self.bench.prompt.get("template") or "{input}"
        return template.replace("{input}", self.raw.get("input") or "")


@dataclass
class Benchmark:
    """One locked benchmark."""

    name: str
    lock: str
    kind: str
    params: dict[str, Any]
    prompt: dict[str, Any]
    max_tokens: int
    temperature: float
    stop: list[str]
    seed: int
    judge: str
    items: list[Item]
    folder: Path = Path()


def read_all(folder: Path) -> list[Benchmark]:
    """Every benchmark of the channel, in name order."""
    found = [read(p.parent) for p in sorted(folder.glob("*/lock.json"))]
    if not found:
        raise DataError(f"channel benchmark: no <name>/lock.json in {folder}")
    return found


def read(folder: Path) -> Benchmark:
    """One benchmark; errors name the file, line and field."""
    lock = read_json(folder / "lock.json")
    wrong = list(schema.errors(lock, LOCK_SCHEMA))
    if wrong:
        raise ConfigError(f"{folder.name}/lock.json: {'; '.join(wrong[:3])}")
    decoding = lock.get("decoding") or {}
    bench = Benchmark(
        lock["benchmark"],
        lock["lock"],
        lock["scorer"]["kind"],
        lock["scorer"].get("params") or {},
        lock.get("prompt") or {},
        decoding.get("maxTokens", 64),
        decoding.get("temperature", 0.0),
        decoding.get("stop") or [],
        decoding.get("seed") or 0,
        (lock.get("judge") or {}).get("model", ""),
        [],
        folder,
    )
    _check_limit(folder.name, bench)
    if bench.kind == "harness":  # its items are the task's documents, known once the task is opened
        return bench
    path = folder / "items.jsonl"
    if not path.is_file():
        raise DataError(f"{folder.name}/items.jsonl: missing")
    bench.items = [Item(_checked(raw, f"{folder.name}/items.jsonl:{n}", bench), bench) for n, raw in data.objects(path)]
    if not bench.items:
        raise DataError(f"{folder.name}/items.jsonl: holds no item; an empty benchmark proves nothing")
    if len({i.key for i in bench.items}) != len(bench.items):
        raise DataError(f"{folder.name}/items.jsonl: two items share an id")
    return bench


def _check_limit(name: str, bench: Benchmark) -> None:
    """latency and cost need their limit, llm_judge its judge, harness its task."""
    task = bench.params.get("task")
    if bench.kind == "harness" and (not isinstance(task, str) or not task or "/" in task):
        raise ConfigError(f"{name}/lock.json: scorer.params.task: must name a task of lm-eval or a task file in this folder; is {task!r}")
    if bench.kind == "llm_judge" and not bench.judge:
        raise ConfigError(f"{name}/lock.json: judge.model: is required for llm_judge")
    _, limit = MEASURED.get(bench.kind, ("", ""))
    value = bench.params.get(limit)
    if limit and (not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0):
        raise ConfigError(f"{name}/lock.json: scorer.params.{limit}: must be a number above 0 for {bench.kind}; is {value!r}")


def _checked(raw: dict[str, Any], where: str, bench: Benchmark) -> dict[str, Any]:
    wrong = list(schema.errors(raw, ITEM_SCHEMA))
    if not raw.get("input") and not raw.get("messages"):
        wrong.append("input: is required (or messages)")
    if bench.kind == "choice":
        targets = [str(raw.get("target"))] if raw.get("target") is not None else raw.get("targets") or []
        if len(raw.get("choices") or []) < 2:
            wrong.append("choices: needs at least 2 for a choice item")
        elif not set(targets) & set(raw["choices"]):
            wrong.append("target: must be one of the choices")
    if wrong:
        raise DataError(f"{where}: {'; '.join(wrong[:3])}")
    return raw
