"""Word dropout: questions that the new rows ask in several ways are asked in broken ones too, so that the answer hangs on what
they are about and not on how they were put (word dropout on inputs: Iyyer et al., ACL 2015).

Whether wording matters only the rows can say. It does not where another row gives the same answer to another question about
the same new thing; every other row (a text to translate, to sort, to sum up) stays as it is. New words are never left out.
"""

import random
import re
from collections import defaultdict
from typing import Any

from continual import data
from continual.text import Row, Text
from continual.words import LONGEST, Question

MOST = 11  # versions of the rows beside the given ones; more passes begin anew
ROWS = 1 << 16  # rows of all versions together


def versions(text: Text, rows: list[Row], read: dict[str, Question], cfg: Any, passes: int) -> list[list[Row]]:
    """What `passes` over the rows see beside the rows themselves: words of their questions are left out, each at the rate
    data.word_dropout. Rows whose wording may matter are the given objects; empty when there is nothing to leave out."""
    free = _free(rows, read) if cfg.data.word_dropout else set()
    count = min(passes - 1, MOST, max(1, ROWS // len(free))) if free else 0
    return [[_broken(text, r, read, cfg, f"{cfg.seed}:{v}:{i}") if i in free else r for i, r in enumerate(rows)] for v in range(count)]


def _free(rows: list[Row], read: dict[str, Question]) -> set[int]:
    """Rows that share their answer and a new word of their question with a row that asks otherwise. A long text is no question, and
    a script without spaces has no words to leave out."""
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    short = {i: q for i, r in enumerate(rows) if " " in (q := data.question(r.raw)) and len(q) <= LONGEST}
    about = {i: [(data.answer(rows[i].raw), w) for w in _new(read[q])] for i, q in short.items()}
    for i, keys in about.items():
        for key in keys:
            asked[key].add(data.question(rows[i].raw))
    return {i for i, keys in about.items() if any(len(asked[k]) > 1 for k in keys)}


def _new(q: Question) -> set[str]:
    """Its new words, without what follows them: a mark, an ending."""
    return {m[0].casefold() for w, known in zip(q.words, q.known, strict=True) if not known and (m := re.match(r"\w+", w))}


def _broken(text: Text, row: Row, read: dict[str, Question], cfg: Any, seed: str) -> Row:
    """The row with at least one known word less; as it is when no try leaves one out and something over."""
    question, rng = data.question(row.raw), random.Random(seed)
    q = read[question]
    for _ in range(20):
        left = [w for w, known in zip(q.words, q.known, strict=True) if not known or rng.random() >= cfg.data.word_dropout]
        if 0 < len(left) < len(q.words):
            return text.row(data.asking(row.raw, " ".join(left)), cfg.data.max_length, cfg.data.format != "plain")
    return row
