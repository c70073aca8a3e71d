"""The evaluation job: locked benchmarks in, one result line per item out (B4). `evaluate.py` is its entry point."""

import json
import math
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from continual import bench, config, manifest, models
from continual.contract import Root, Stop, progress, write_atomic, write_json
from continual.errors import Stopped
from continual.items import Answers
from continual.scorers import MEASURED, within


def evaluate(root: Root, stop: Stop) -> None:
    """Run the job in this root; finished items are kept in checkpoints/results.jsonl."""
    cfg = config.load(root, "evaluate")
    folder = root.channel("model")
    benches = bench.read_all(root.channel("benchmark"))
    if cfg.threads:
        torch.set_num_threads(cfg.threads)
    digest = manifest.verify(folder)
    loaded = models.load(folder, cfg.dtype)
    torch.manual_seed(cfg.seed)
    suites = _suites(benches, loaded, cfg)
    Run(root, stop, cfg, loaded, benches, digest, suites).run()


def _suites(benches: list[bench.Benchmark], loaded: models.Loaded, cfg: Any) -> dict[str, Any]:
    """The benchmarks that lm-evaluation-harness runs, by lock; opening one gives the benchmark its items."""
    if not any(b.kind == "harness" for b in benches):
        return {}
    from continual.harness import Suite

    return {b.lock: Suite(b, b.folder, loaded, cfg) for b in benches if b.kind == "harness"}


class Run:
    """One evaluation."""

    def __init__(self, root: Root, stop: Stop, cfg: Any, loaded: models.Loaded, benches: list[bench.Benchmark], digest: str, suites: dict[str, Any]):
        self.answers = Answers(loaded, cfg, suites)
        self.root, self.stop, self.cfg, self.benches, self.digest = root, stop, cfg, benches, digest
        self.kept = root.checkpoints / "results.jsonl"
        self.done: dict[str, dict[str, Any]] = {}
        self.total = sum(len(b.items) for b in benches)
        self.began = time.monotonic()
        self.resumed = 0

    def run(self) -> None:
        """Every item that has no result yet, then the results and the summary."""
        self.done = self._resume()
        self.resumed = len(self.done)
        self.kept.parent.mkdir(parents=True, exist_ok=True)
        with self.kept.open("a", encoding="utf-8") as log:
            for b in self.benches:
                todo = [i for i in b.items if i.key not in self.done]
                size = 2 * self.cfg.batch  # two batches side by side
                for start in range(0, len(todo), size):
                    self._check_stop()
                    self._batch(b, todo[start : start + size], log)
        self._write()

    def _resume(self) -> dict[str, dict[str, Any]]:
        """Results of an interrupted run of the same model and seed; a line cut by the kill is dropped."""
        found: dict[str, dict[str, Any]] = {}
        lines = self.kept.read_text(encoding="utf-8").splitlines() if self.kept.is_file() else []
        for line in lines:
            try:
                kept = json.loads(line)
            except json.JSONDecodeError:
                continue
            if kept["model"] == self.digest and kept["seed"] == self.cfg.seed:
                found[kept["key"]] = kept["result"]
        if lines:
            write_atomic(self.kept, "".join(self._line(k, r) for k, r in found.items()))
        return found

    def _line(self, key: str, result: dict[str, Any]) -> str:
        return json.dumps({"key": key, "model": self.digest, "seed": self.cfg.seed, "result": result}, ensure_ascii=False) + "\n"

    def _check_stop(self) -> None:
        if self.stop:
            raise Stopped(f"SIGTERM after {len(self.done)} of {self.total} items; start the job again to go on")

    def _batch(self, b: bench.Benchmark, items: list[bench.Item], log: Any) -> None:
        began = time.monotonic()
        results = self.answers.results(b, items)
        per_item = 1000 * (time.monotonic() - began) / len(items)
        for item, result in zip(items, results, strict=True):
            full = {**self._head(item), **result, "latencyMs": round(per_item, 2)}
            if b.kind in MEASURED and "error" not in full:
                full["score"] = within(b.kind, full, b.params)
            self.done[item.key] = full
            log.write(self._line(item.key, full))
        log.flush()
        spent = time.monotonic() - self.began
        fresh = len(self.done) - self.resumed
        progress(item=len(self.done), items=self.total, benchmark=b.name, eta_s=round(spent / fresh * (self.total - len(self.done)), 1))

    def _head(self, item: bench.Item) -> dict[str, Any]:
        raw, b = item.raw, item.bench
        head = {"benchmark": b.name, "lock": b.lock, "capability": raw.get("capability") or "", "item": raw["id"]}
        if raw.get("cluster"):
            head["cluster"] = raw["cluster"]
        if "weight" in raw and raw["weight"] is not None:
            head["weight"] = raw["weight"]
        return {**head, "mustPass": bool(raw.get("mustPass"))}

    def _write(self) -> None:
        """results.jsonl in the order of the items, summary.json last."""
        ordered = [self.done[i.key] for b in self.benches for i in b.items]
        write_atomic(self.root.model / "results.jsonl", "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in ordered))
        groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for r in ordered:
            groups[r["benchmark"], r["lock"]].append(r)
        rows = [
            {"benchmark": n, "lock": k, "n": len(rs), "mean": math.fsum(r["score"] for r in rs) / len(rs), "errors": sum("error" in r for r in rs)}
            for (n, k), rs in groups.items()
        ]
        summary = {
            "schema": 1,
            "modelDigest": self.digest,
            "seed": self.cfg.seed,
            "benchmarks": rows,
            "seconds": round(time.monotonic() - self.began, 2),
        }
        write_json(self.root.model / "summary.json", summary)
        for r in rows:
            progress(phase="done", benchmark=r["benchmark"], n=r["n"], mean=r["mean"], errors=r["errors"])


def results_of(path: Path) -> list[dict[str, Any]]:
    """Read a results.jsonl."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
