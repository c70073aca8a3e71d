"""The words of a question, and which of them a model knows: one that it would hardly have written there, a name or a number,
is what new rows are about."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from continual.forward import BATCH, Forward, surprisal
from continual.params import Trainable
from continual.text import Row, Text

LONGEST = 512  # characters that are read of a question
NEW = 10.0  # nats: a word of less probability is taken for something that the model does not know


@dataclass(frozen=True)
class Question:
    """A question's first LONGEST characters in words, or in characters where they have no spaces; `ends` gives the number of
    tokens up to each word's end."""

    ids: list[int]
    words: list[str]
    ends: list[int]
    known: list[bool]


def opening(text: Text) -> list[int]:
    """Tokens that the chat template writes before a user's first word; where it writes none, the end of what came before."""
    return text.encode(text.render([{"role": "user", "content": "\x00"}], False).split("\x00")[0]) or list(text.eos)[:1]


@torch.no_grad()
def read(loaded: Any, asked: list[str]) -> dict[str, Question]:
    """Each distinct question of `asked`, read by the model as a user's first words."""
    before, asked = opening(loaded.text), list(dict.fromkeys(asked))
    parts = [loaded.text.encode(q[:LONGEST])[: loaded.context - len(before)] for q in asked]
    rows = [Row(before + ids, [False] * len(before) + [True] * len(ids)) for ids in parts]
    forward, start = Forward(loaded, Trainable("none", {})), len(before)

    def known(questions: list[tuple[str, Row]]) -> list[Question]:
        out = forward([r for _, r in questions])
        each_token = surprisal(out).split([len(r) - start for _, r in questions])
        return [_question(loaded.text, q[:LONGEST], r.ids[start:], s) for (q, r), s in zip(questions, each_token, strict=True)]

    pairs = list(zip(asked, rows, strict=True))
    found = forward.each(known, [pairs[i : i + BATCH] for i in range(0, len(pairs), BATCH)])
    return dict(zip(asked, (q for some in found for q in some), strict=True))


def _question(text: Text, question: str, ids: list[int], surprise: Tensor) -> Question:
    space = " " if " " in question else ""
    words = question.split(" ") if space else list(question)
    ends = [len(text.encode(space.join(words[: n + 1]))) for n in range(len(words))]
    known = [bool(surprise[a:b].sum() <= NEW) for a, b in zip([0, *ends], ends, strict=False)]
    return Question(ids, words, ends, known)
