"""Sentence BLEU as sacrebleu 2.6 computes it: 13a tokens, exponential smoothing, effective order (Papineni et al. 2002;
Post 2018, arXiv 1804.08771). sacrebleu itself would bring six packages into every job; a test holds us to its values."""

import math
import re
from collections import Counter

_SPLITS = [
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    (re.compile(r"([^0-9])([\.,])"), r"\1 \2 "),
    (re.compile(r"([\.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
]


def tokens(text: str) -> list[str]:
    """Words by mteval-v13a."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, sign in (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")):
        text = text.replace(entity, sign)
    text = f" {text} "
    for pattern, replacement in _SPLITS:
        text = pattern.sub(replacement, text)
    return text.split()


def sentence(output: str, target: str) -> float:
    """BLEU-4 of one output against one target, 0 to 1."""
    a, b = tokens(output), tokens(target)
    logs: list[float] = []
    smooth, any_right = 1.0, False
    for n in range(1, 5):
        total = len(a) - n + 1
        if total <= 0:
            break
        same = sum((_grams(a, n) & _grams(b, n)).values())
        any_right = any_right or same > 0
        if same == 0:
            smooth *= 2
        logs.append(math.log(same / total if same else 1 / (smooth * total)))
    if not any_right:
        return 0.0
    brevity = min(1.0, math.exp(1 - len(b) / len(a)))
    return min(1.0, brevity * math.exp(math.fsum(logs) / len(logs)))


def _grams(words: list[str], n: int) -> Counter:
    return Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
