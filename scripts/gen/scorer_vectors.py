"""Reference scores for the text scorers, from sacrebleu, rouge-score and plain formulas of SQuAD and lm-eval.

Writes training/benchmarks/testdata/scorers.json. Scores are 0…1. Usage, from the repository root, in a throw-away
environment:
    python -m venv /tmp/vectors && /tmp/vectors/bin/pip install sacrebleu==2.6.0 rouge-score==0.1.2
    /tmp/vectors/bin/python scripts/gen/scorer_vectors.py
"""

import collections
import json
import re
import string
from pathlib import Path

from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF

PAIRS = [
    ("the cat sat on the mat", "a cat sat on the mat"),
    ("The valve V-12 must be closed before the pump starts.", "Close valve V-12 before you start the pump."),
    ("Paris", "Paris"),
    ("Paris", "London"),
    ("The answer is 42.", "42"),
    ("police killed the gunman", "the gunman kill police"),
    ("Der Hund läuft schnell über die Straße.", "Der Hund rennt schnell über die Straße."),
    ("one two three four five six seven eight nine ten", "one two three five four six seven eight ten nine"),
    ("", "something"),
    ("a b c d e f g", "a b c d e f g h i j"),
    ("It's 3,000 euros, isn't it?", "It is 3000 euros."),
]


def squad_normalized(text):
    """SQuAD's own: lower case, no punctuation, no articles, single spaces."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def squad_f1(output, target):
    """SQuAD's token F1."""
    a, b = squad_normalized(output).split(), squad_normalized(target).split()
    same = sum((collections.Counter(a) & collections.Counter(b)).values())
    if not a or not b:
        return float(a == b)
    return 2 * same / (len(a) + len(b)) if same else 0.0


def lm_eval_exact(output, target, ignore_case=False, ignore_punctuation=False):
    """lm-eval's exact_match for one pair."""
    if ignore_case:
        output, target = output.lower(), target.lower()
    if ignore_punctuation:
        table = str.maketrans("", "", string.punctuation)
        output, target = output.translate(table), target.translate(table)
    return float(output == target)


def main():
    """Write the file."""
    rouge = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    chrf, bleu = CHRF(), BLEU(effective_order=True)
    rows = []
    for output, target in PAIRS:
        rows.append(
            {
                "output": output,
                "target": target,
                "rougeL": rouge.score(target, output)["rougeL"].fmeasure,
                "chrf": chrf.sentence_score(output, [target]).score / 100,
                "bleu": bleu.sentence_score(output, [target]).score / 100,
                "tokenF1": squad_f1(output, target),
                "exactMatch": lm_eval_exact(output, target),
                "exactMatchIgnoring": lm_eval_exact(output, target, True, True),
            }
        )
    path = Path("training/benchmarks/testdata/scorers.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = {"chrf": str(chrf.get_signature()), "bleu": str(bleu.get_signature()), "rougeL": "rouge-score 0.1.2, no stemmer, F"}
    path.write_text(json.dumps({"made": notes, "cases": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
