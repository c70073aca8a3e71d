"""Benchmark items answered and scored by a loaded model: what the evaluation job and training's own suites share (B4)."""

from collections.abc import Callable
from typing import Any

from continual import bench, judge
from continual.choices import loglikelihoods, pair, pick
from continual.errors import JobError, Stopped
from continual.generate import Request, cut, generate
from continual.scorers import MEASURED, score
from continual.workers import each


class Answers:
    """A model that answers items. `cfg`: seed, batch, max_output_chars, logprobs; `suites`: harness tasks by lock."""

    def __init__(self, loaded: Any, cfg: Any, suites: dict[str, Any] | None = None):
        self.loaded, self.cfg, self.suites = loaded, cfg, suites or {}

    def results(self, b: bench.Benchmark, items: list[bench.Item]) -> list[dict[str, Any]]:
        """A result per item: score, output, prompt, tokens and what its scorer adds. One bad item costs no other."""
        try:
            return self._results(b, items)
        except (JobError, RuntimeError) as e:
            if isinstance(e, Stopped):
                raise
            return self._one_by_one(b, items, e)

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
        return each(self._choice_one, items, self.loaded.model.device)

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
