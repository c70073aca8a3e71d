"""The words of a question, and which of them a model knows: one that it would hardly have written there, a name or a number,
is what new rows are about."""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from continual.forward import BATCH, Forward
from continual.params import Trainable
from continual.predictions import surprisal
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
    short, room = [q[:LONGEST] for q in asked], loaded.context - len(before)
    parts = [loaded.text.tok.encode(q, add_special_tokens=False) for q in short]
    rows = [Row(before + p.ids[:room], [False] * len(before) + [True] * len(p.ids[:room])) for p in parts]
    forward, start = Forward(loaded, Trainable("none", {})), len(before)

    def known(questions: list[tuple[str, Any, Row]]) -> list[Question]:
        out = forward([r for *_, r in questions])
        each_token = surprisal(out).split([len(r) - start for *_, r in questions])
        return [_question(q, r.ids[start:], [a for a, _ in p.offsets], s) for (q, p, r), s in zip(questions, each_token, strict=True)]

    pairs = list(zip(short, parts, rows, strict=True))
    found = forward.each(known, [pairs[i : i + BATCH] for i in range(0, len(pairs), BATCH)])
    return dict(zip(asked, (q for some in found for q in some), strict=True))


def _question(question: str, ids: list[int], starts: list[int], surprise: Tensor) -> Question:
    """`starts`: the character with which each token begins."""
    space = " " if " " in question else ""
    words = question.split(" ") if space else list(question)
    ends = [bisect_left(starts[: len(ids)], end - len(space)) for end in accumulate(len(w + space) for w in words)]
    known = [bool(surprise[a:b].sum() <= NEW) for a, b in zip([0, *ends], ends, strict=False)]
    return Question(ids, words, ends, known)
