"""Self-distillation fine-tuning (SDFT, arXiv 2601.19897): the previous model, shown the right answer, teaches the model
on answers that the model itself samples. Loss: reverse KL(model || shown previous model) per sampled token."""

from typing import Any

import torch
from torch import Tensor

from continual.errors import DataError
from continual.forward import Forward
from continual.generate import Request, generate
from continual.predictions import kl
from continual.text import Row, Text

SHOWN = "{question}\n\nAn example of a good answer:\n{answer}\n\nAnswer in your own words."


class SDFT:
    """The base loss of a step in place of cross-entropy."""

    def __init__(self, loaded: Any, forward: Forward, cfg: Any):
        self.loaded, self.forward, self.cfg = loaded, forward, cfg

    def __call__(self, rows: list[Row], step: int) -> Tensor:
        """Loss for the new rows of a step; samples are a function of (seed, step)."""
        text = self.loaded.text
        samples = self._sample(rows, step)
        own = [_join(r.ids[: r.target.index(True)], s) for r, s in zip(rows, samples, strict=True)]
        shown = [_join(text.chat_ids(question_with_answer(r, text)), s) for r, s in zip(rows, samples, strict=True)]
        with torch.no_grad(), self.forward.t.teacher():
            teacher = self.forward.passing(shown).logits
        return kl(self.forward.passing(own).logits, teacher)

    @torch.no_grad()
    def _sample(self, rows: list[Row], step: int) -> list[list[int]]:
        stops = frozenset(self.loaded.text.eos)
        requests = []
        for i, r in enumerate(rows):
            first = r.target.index(True)
            seed = (self.cfg.seed * 1000003 + step * 4099 + i) % 2**31
            requests.append(Request(r.ids[:first], len(r) - first + 8, 1.0, 1.0, seed, stops))
        generate(self.loaded.model, requests)
        end = self.loaded.text.eos[:1]
        return [q.out + (end if q.done == "stop" else []) for q in requests]


def _join(prompt: list[int], sample: list[int]) -> Row:
    return Row(prompt + sample, [False] * len(prompt) + [True] * len(sample))


def question_with_answer(row: Row, text: Text) -> list[dict[str, str]]:
    """The chat whose last question carries the row's answer as an example."""
    raw = row.raw
    if "messages" in raw and raw["messages"][-1]["role"] == "assistant" and len(raw["messages"]) > 1:
        *before, last, answer = raw["messages"]
        question, good = last["content"], answer["content"]
    elif "prompt" in raw:
        before, question, good = [], raw["prompt"], raw["completion"]
    else:
        raise DataError("train.trainer: sdft needs rows with a question and an answer (messages, or prompt and completion)")
    return [*before, {"role": "user", "content": SHOWN.format(question=question, answer=good)}]
