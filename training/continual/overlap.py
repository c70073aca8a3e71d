"""Scorers by overlap with a target (B1): token F1 as in SQuAD (arXiv 1606.05250), ROUGE-L (Lin 2004) and chrF (Popovic 2015,
character order 6, beta 2). The best target counts."""

import re
import string
from collections import Counter
from typing import Any

WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def token_f1(output: str, targets: list[str], params: dict[str, Any]) -> float:
    """Harmonic mean of precision and recall over SQuAD's words."""
    return max((_f1(squad_words(output), squad_words(t)) for t in targets), default=0.0)


def squad_words(text: str) -> list[str]:
    """Words as SQuAD's evaluation sees them: lower case, ASCII punctuation deleted (V-12 is one word), no articles."""
    return re.sub(r"\b(a|an|the)\b", " ", text.lower().translate(WITHOUT_PUNCTUATION)).split()


def _f1(a: list[str], b: list[str]) -> float:
    same = sum((Counter(a) & Counter(b)).values())
    return 2 * same / (len(a) + len(b)) if same else float(not a and not b)


def rouge_l(output: str, targets: list[str], params: dict[str, Any]) -> float:
    """F1 of the longest common subsequence of lower-case words (rouge-score without stemming)."""
    return max((_lcs_f1(_words(output), _words(t)) for t in targets), default=0.0)


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).split()


def _lcs_f1(a: list[str], b: list[str]) -> float:
    row = [0] * (len(b) + 1)
    for x in a:
        last = 0
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], last + 1 if x == y else max(row[j], row[j - 1])
    return 2 * row[-1] / (len(a) + len(b)) if row[-1] else 0.0


def chrf(output: str, targets: list[str], params: dict[str, Any]) -> float:
    """chrF2: mean over n = 1..6 of character n-gram precision and recall, F with beta 2, white space ignored."""
    return max((_chrf("".join(output.split()), "".join(t.split())) for t in targets), default=0.0)


def _chrf(output: str, target: str) -> float:
    """Sums over orders that both sides have, as sacrebleu does with effective order."""
    precision = recall = 0.0
    orders = 0
    for n in range(1, 7):
        a, b = (Counter(s[i : i + n] for i in range(len(s) - n + 1)) for s in (output, target))
        if not a or not b:
            continue
        same = sum((a & b).values())
        precision, recall, orders = precision + same / a.total(), recall + same / b.total(), orders + 1
    if not orders or precision + recall == 0:
        return 0.0
    p, r = precision / orders, recall / orders
    return 5 * p * r / (4 * p + r)
