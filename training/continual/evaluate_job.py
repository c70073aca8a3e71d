"""The evaluation job: locked benchmarks in, one result line per item out (B4). `evaluate.py` is its entry point."""

import json
import math
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from continual import bench, config, judge, manifest, models
from continual.choices import loglikelihoods, pair, pick
from continual.contract import Root, Stop, progress, write_atomic, write_json
from continual.errors import JobError, Stopped
from continual.generate import Request, cut, generate
from continual.scorers import MEASURED, score, within


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
        self.suites = suites
        self.root, self.stop, self.cfg, self.loaded, self.benches, self.digest = root, stop, cfg, loaded, benches, digest
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
                for start in range(0, len(todo), self.cfg.batch):
                    self._check_stop()
                    self._batch(b, todo[start : start + self.cfg.batch], log)
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
        try:
            results = self._results(b, items)
        except (JobError, RuntimeError) as e:
            if isinstance(e, Stopped):
                raise
            results = self._one_by_one(b, items, e)
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

    def _results(self, b: bench.Benchmark, items: list[bench.Item]) -> list[dict[str, Any]]:
        if b.kind == "harness":
            return self.suites[b.lock].run(items)
        return self._choice(items) if b.kind == "choice" else self._generated(b, items)

    def _one_by_one(self, b: bench.Benchmark, items: list[bench.Item], why: Exception) -> list[dict[str, Any]]:
        """After a failed batch each item runs alone, so that one bad item costs no other."""
        if len(items) == 1:
            return [{"score": 0.0, "error": " ".join(str(why).split())[:500], "output": "", "tokens": 0}]
        out = []
        for item in items:
            try:
                out += self._results(b, [item])
            except (JobError, RuntimeError) as e:
                out += self._one_by_one(b, [item], e)
        return out

    def _head(self, item: bench.Item) -> dict[str, Any]:
        raw, b = item.raw, item.bench
        head = {"benchmark": b.name, "lock": b.lock, "capability": raw.get("capability") or "", "item": raw["id"]}
        if raw.get("cluster"):
            head["cluster"] = raw["cluster"]
        if "weight" in raw and raw["weight"] is not None:
            head["weight"] = raw["weight"]
        return {**head, "mustPass": bool(raw.get("mustPass"))}

    def _prompt(self, item: bench.Item) -> tuple[str, list[int]]:
        text = self.loaded.text
        if item.bench.prompt.get("chat") is not False or item.raw.get("messages"):
            shown = text.render(item.messages(), generate=True)
            return shown, text.encode(shown)
        shown = item.question()
        return shown, text.plain_ids(shown)

    def _generated(self, b: bench.Benchmark, items: list[bench.Item]) -> list[dict[str, Any]]:
        prompts = [self._prompt(i) for i in items]
        room = self.loaded.context - b.max_tokens
        requests = []
        for item, (_, ids) in zip(items, prompts, strict=True):
            if len(ids) > room:
                raise JobError(f"item {item.raw['id']}: prompt has {len(ids)} tokens; the model holds {room} beside the answer")
            r = Request(ids, b.max_tokens, b.temperature, 1.0, self._seed(item), frozenset(self.loaded.text.eos))
            if b.stop:
                r.on_token = self._stopper(r, b.stop)
            requests.append(r)
        generate(self.loaded.model, requests, self.cfg.batch)
        return [self._scored(b, i, p, r) for i, (p, _), r in zip(items, prompts, requests, strict=True)]

    def _stopper(self, r: Request, stops: list[str]) -> Callable[[int], None]:
        """Ends the answer as soon as its text holds a stop sequence."""

        def seen(_: int) -> None:
            text = self.loaded.text.decode(r.out)
            if any(s in text for s in stops):
                r.done = "stop"

        return seen

    def _seed(self, item: bench.Item) -> int:
        """A seed per item, so that batch composition does not change samples."""
        return ((self.cfg.seed + item.bench.seed) * 1000003 + sum(item.key.encode())) % 2**31

    def _scored(self, b: bench.Benchmark, item: bench.Item, prompt: str, r: Request) -> dict[str, Any]:
        output = cut(self.loaded.text.decode(r.out), b.stop).strip()
        result = {"output": output[: self.cfg.max_output_chars], "prompt": prompt, "tokens": len(r.prompt) + len(r.out)}
        if b.kind == "llm_judge":
            return {**self._judged(b, item, output), **result}
        value = 0.0 if b.kind in MEASURED else score(b.kind, output, item.targets, b.params)
        return {"score": round(value, 6), **result}

    def _judged(self, b: bench.Benchmark, item: bench.Item, output: str) -> dict[str, Any]:
        """Score by the benchmark's judge; a judge that fails costs this item its score and no other."""
        question = item.messages()[-1]["content"]
        try:
            value, replies = judge.score(judge.of(b.judge), question, output, next(iter(item.targets), ""), b.params.get("rubric") or judge.RUBRIC)
        except judge.JudgeError as e:
            return {"score": 0.0, "error": " ".join(str(e).split())[:500]}
        return {"score": value, "judge": replies}

    def _choice(self, items: list[bench.Item]) -> list[dict[str, Any]]:
        return [self._choice_one(i) for i in items]

    def _choice_one(self, item: bench.Item) -> dict[str, Any]:
        """Argmax of the choices' log-likelihoods after the prompt."""
        text, texts = self.loaded.text, item.raw["choices"]
        shown, _ = self._prompt(item)
        chat = item.bench.prompt.get("chat") is not False or bool(item.raw.get("messages"))
        bare = chat and text.template is not None  # after a chat template no space is put before a choice
        encode = text.encode if chat else text.plain_ids
        pairs = [pair(encode, shown, t if bare or t.startswith(" ") else " " + t) for t in texts]
        ids, encoded = pairs[0][0], [rest for _, rest in pairs]
        self._check_choices(item, ids, encoded)
        scores = loglikelihoods(self.loaded.model, ids, encoded)
        best = pick(scores, texts, item.bench.params.get("metric", "acc"))
        result = {"score": float(texts[best] in item.targets), "output": texts[best], "prompt": shown, "tokens": len(ids) + sum(map(len, encoded))}
        return {**result, "logprobs": [round(s, 5) for s in scores]} if self.cfg.logprobs else result

    def _check_choices(self, item: bench.Item, ids: list[int], encoded: list[list[int]]) -> None:
        longest = len(ids) + max(map(len, encoded))
        if not all(encoded):
            raise JobError(f"item {item.raw['id']}: a choice has no token of its own")
        if longest > self.loaded.context:
            raise JobError(f"item {item.raw['id']}: prompt and choice have {longest} tokens; the model holds {self.loaded.context}")

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
