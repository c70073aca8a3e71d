"""Compare presets on one stream of facts: train each with several seeds, ask new and old questions, table the result.

A facts file has one JSON object a line: {"id", "capability", "train"?: [prompt], "test": [prompt], "answer" (what a right
reply contains, alternatives with |), "completion"?: what is trained on}. Old probes have no `train`.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import config, contract, data, metrics, models, train_job, world
from continual.errors import DataError, JobError
from continual.generate import Request, generate


@dataclass
class Suite:
    """Rows to train, probes of both kinds, and old rows for the buffer."""

    learn: list[dict[str, Any]]
    new: list[tuple[str, str]]  # (prompt, answer alternatives)
    old: list[tuple[str, str]]
    buffer: list[dict[str, Any]]
    tokens: int


def from_demo(name: str) -> Suite:
    """The demo's own facts: `tiny` or `smol`."""
    from continual import demo

    d = {"tiny": demo.tiny, "smol": demo.smol}[name]()
    probes = [[(p.question, p.contains) for p in ps] for ps in (d.company, d.general)]
    return Suite(d.learn, probes[0], probes[1], d.old, 6 if name == "tiny" else 24)


def from_files(new: Path, old: Path) -> Suite:
    """Anyone's facts and probes; the buffer is what the base itself answers, so none is given."""
    facts, probes = ([raw for _, raw in data.objects(p)] for p in (new, old))
    for path, rows in ((new, facts), (old, probes)):
        for i, f in enumerate(rows, 1):
            if not f.get("test") or not f.get("answer"):
                raise DataError(f"{path.name}:{i}: needs `test` (prompts) and `answer`")
    learn = [world.chat(q, f.get("completion") or f["answer"].split("|")[0]) for f in facts for q in f.get("train", [])]
    if not learn:
        raise DataError(f"{new.name}: no fact has `train` prompts")
    asked = [[(q, f["answer"]) for f in rows for q in f["test"]] for rows in (facts, probes)]
    return Suite(learn, asked[0], asked[1], [], 32)


def run(suite: Suite, base: Path, presets: list[str], seeds: int, out: Path) -> dict[str, Any]:
    """Train and score every preset and seed; writes protocol.json and protocol.md, and returns the former.

    `naive` always runs: FR and GR are relative to it.
    """
    for name in presets:
        config.parse({"schema": 1, "job": "train", "preset": name}, "train")
    before = {"new": accuracy(base, suite.new, suite.tokens), "old": accuracy(base, suite.old, suite.tokens)}
    rows: list[dict[str, Any]] = []
    for seed in range(1, seeds + 1):
        reference: dict[str, float] = {}
        for name in ["naive", *(p for p in presets if p != "naive")]:
            row, sides = one(suite, base, name, seed, out, before)
            reference = reference or sides
            rows.append({**row, **metrics.ratios(sides, reference)})
            contract.progress(phase="protocol", preset=name, seed=seed, new=row["new_acc"], old=row["old_acc_after"], fr=rows[-1]["fr"])
    report = {"schema": 1, "new_probes": len(suite.new), "old_probes": len(suite.old), "runs": rows, "summary": summary(rows)}
    contract.write_json(out / "protocol.json", report)
    contract.write_atomic(out / "protocol.md", table(report["summary"]))
    return report


def one(suite: Suite, base: Path, preset: str, seed: int, out: Path, before: dict[str, float]) -> tuple[dict[str, Any], dict[str, float]]:
    """One training run and its scores."""
    root = out / "jobs" / f"{preset}-{seed}"
    shutil.rmtree(root, ignore_errors=True)
    channels = root / "input" / "data"
    for name in ("config", "train"):
        (channels / name).mkdir(parents=True)
    (channels / "model").symlink_to(base.resolve())
    contract.write_json(channels / "config" / "run.json", {"schema": 1, "job": "train", "preset": preset, "seed": seed})
    _rows(channels / "train" / "new.jsonl", suite.learn)
    if suite.buffer:
        _rows(channels / "replay" / "old.jsonl", suite.buffer)
    if contract.run_job(train_job.train, contract.Root(root)) != 0:
        raise JobError(f"{preset}, seed {seed}: {(root / 'output' / 'failure').read_text().strip()}")
    model = root / "model"
    m = json.loads((model / "manifest.json").read_text())["metrics"]
    new, old = accuracy(model, suite.new, suite.tokens), accuracy(model, suite.old, suite.tokens)
    outside = [p for p in suite.old if p[0] not in buffered(model)]
    sides = {"new_before": before["new"], "new_after": new, "old_before": before["old"], "old_after": old}
    row = {
        "preset": preset,
        "seed": seed,
        "new_acc": new,
        "old_acc_before": before["old"],
        "old_acc_after": old,
        "outside_buffer_after": accuracy(model, outside, suite.tokens) if len(outside) != len(suite.old) else old,
        "seconds": m["seconds"],
        "tokens_per_second": m["tokens"] / max(m["seconds"], 1e-9),
    }
    return row, sides


def buffered(model: Path) -> set[str]:
    """Prompts of the rows in the carried buffer."""
    found = set()
    for _, raw in data.objects(model / "cl_state" / "buffer.jsonl"):
        found.add(raw["prompt"] if "prompt" in raw else raw["messages"][0]["content"] if "messages" in raw else raw["text"])
    return found


def accuracy(folder: Path, probes: list[tuple[str, str]], tokens: int) -> float:
    """Share of probes whose greedy answer contains one of the alternatives, case ignored; nan without probes."""
    if not probes:
        return float("nan")
    loaded = models.load(folder)
    stop = frozenset(loaded.text.eos)
    requests = [Request(loaded.text.chat_ids([{"role": "user", "content": q}]), tokens, stop_ids=stop) for q, _ in probes]
    generate(loaded.model, requests)
    answers = [loaded.text.decode(r.out).casefold() for r in requests]
    return sum(any(a.casefold() in text for a in want.split("|")) for text, (_, want) in zip(answers, probes, strict=True)) / len(probes)


KEYS = ("new_acc", "old_acc_after", "outside_buffer_after", "fr", "gr", "seconds")


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and 95 % half width over seeds per preset."""
    out = []
    for name in dict.fromkeys(r["preset"] for r in rows):
        mine = [r for r in rows if r["preset"] == name]
        line: dict[str, Any] = {"preset": name, "seeds": len(mine)}
        for k in KEYS:
            values = [r[k] for r in mine if r[k] is not None]
            line[k] = metrics.interval(values) if values else None
        out.append(line)
    return out


def table(lines: list[dict[str, Any]]) -> str:
    """The summary as Markdown."""
    head = "| preset | " + " | ".join(k.replace("_", " ") for k in KEYS) + " |\n|" + "---|" * (len(KEYS) + 1) + "\n"
    return head + "".join(f"| {x['preset']} | " + " | ".join(_cell(x[k]) for k in KEYS) + " |\n" for x in lines)


def _cell(value: tuple[float, float] | None) -> str:
    if value is None:
        return "–"
    return f"{value[0]:.3f}" + (f" ± {value[1]:.3f}" if value[1] else "")


def _rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
