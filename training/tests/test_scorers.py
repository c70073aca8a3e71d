"""Scorers against reference vectors (chrF and ROUGE-L values as computed by sacrebleu and rouge-score)."""

import json

import pytest

from continual.config import CONTRACT
from continual.errors import ConfigError
from continual.scorers import SCORERS, normalized, score

VECTORS = json.loads((CONTRACT.parent / "benchmarks" / "testdata" / "scorers.json").read_text())["cases"]

CASES = [
    ("exact", " Paris ", ["Paris"], {}, 1),
    ("exact", "paris", ["Paris"], {}, 0),
    ("normalized_exact", "The  Café, please!", ["café please"], {}, 1),
    ("normalized_exact", "ｆｕｌｌ width", ["Full width"], {}, 1),
    ("normalized_exact", "another", ["an other"], {}, 0),
    ("contains", "It is in Porto.", ["Porto"], {}, 1),
    ("contains", "It is in porto.", ["Porto"], {}, 0),
    ("contains", "It is in porto.", ["Porto"], {"ignoreCase": True}, 1),
    ("contains", "red and blue", ["red", "green"], {}, 1),
    ("contains", "red and blue", ["red", "green"], {"all": True}, 0),
    ("not_contains", "I like tea", ["coffee", "milk"], {}, 1),
    ("not_contains", "I like milk", ["coffee", "milk"], {}, 0),
    ("regex", "Order 4711 shipped", [], {"pattern": r"Order (\d+)"}, 1),
    ("regex", "Order 4711 shipped", ["4711"], {"pattern": r"Order (\d+)"}, 1),
    ("regex", "Order 4712 shipped", ["4711"], {"pattern": r"Order (\d+)"}, 0),
    ("regex", "abc", ["^a.c$"], {}, 1),
    ("regex", "xabc", ["^a.c$"], {}, 0),
    ("numeric", "That makes 1,234.5 dollars", ["1234.5"], {}, 1),
    ("numeric", "about 101", ["100"], {"rel": 0.02}, 1),
    ("numeric", "about 103", ["100"], {"rel": 0.02}, 0),
    ("numeric", "first 5 then 7", ["5"], {}, 0),
    ("numeric", "first 5 then 7", ["5"], {"which": "first"}, 1),
    ("numeric", "first 5 then 7", ["5"], {"which": "any"}, 1),
    ("numeric", "-3.0e2", ["-300"], {}, 1),
    ("numeric", "12 km", ["12"], {"unit": "km"}, 1),
    ("numeric", "12 miles", ["12"], {"unit": "km"}, 0),
    ("numeric", "no number", ["1"], {"abs": 100}, 0),
    ("token_f1", "the cat sat on the mat", ["a cat on a mat"], {}, 6 / 7),
    ("token_f1", "dog", ["cat"], {}, 0),
    ("token_f1", "x", ["cat", "x"], {}, 1),
    ("rouge_l", "police kill the gunman", ["police killed the gunman"], {}, 0.75),
    ("rouge_l", "the gunman kill police", ["police killed the gunman"], {}, 0.5),
    ("rouge_l", "", ["a"], {}, 0),
    ("chrf", "abc", ["abc"], {}, 1),
    ("chrf", "xyz", ["abc"], {}, 0),
    ("exact", "the Answer, 42!", ["The answer"], {"ignoreCase": True, "ignorePunctuation": True, "ignoreNumbers": True}, 1),
    ("bleu", "one two three four five", ["one two three four five"], {}, 1),
    ("bleu", "Paris", ["London"], {}, 0),
    ("json_schema", '{"a": 1}', [], {"schema": {"type": "object", "required": ["a"]}}, 1),
    ("json_schema", 'Here:\n```json\n{"a": 1}\n```', [], {"schema": {"type": "object"}, "fields": {"a": 1}}, 1),
    ("json_schema", '{"a": 2}', [], {"fields": {"a": 1}}, 0),
    ("json_schema", "{a: 1}", [], {}, 0),
    ("json_schema", "[1, 2]", [], {"schema": {"type": "array", "items": {"type": "integer"}, "maxItems": 1}}, 0),
    ("refusal", "I’m sorry, but I can’t help with that.", [], {}, 1),
    ("refusal", "Sure, here it is.", [], {}, 0),
    ("refusal", "Sure, here it is.", [], {"expected": False}, 1),
]


@pytest.mark.parametrize(("kind", "output", "targets", "params", "want"), CASES)
def test_score(kind, output, targets, params, want):
    assert score(kind, output, targets, params) == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("case", VECTORS, ids=[c["output"][:20] for c in VECTORS])
def test_scores_equal_sacrebleu_rouge_score_squad_and_lm_eval_to_1e_9(case):
    ignoring = {"ignoreCase": True, "ignorePunctuation": True}
    for kind, params, name in (
        ("rouge_l", {}, "rougeL"),
        ("chrf", {}, "chrf"),
        ("bleu", {}, "bleu"),
        ("token_f1", {}, "tokenF1"),
        ("exact", {}, "exactMatch"),
        ("exact", ignoring, "exactMatchIgnoring"),
    ):
        assert score(kind, case["output"], [case["target"]], params) == pytest.approx(case[name], abs=1e-9), kind


def test_every_scorer_has_a_case_for_right_and_wrong():
    for kind in SCORERS:
        values = [w for k, *_, w in CASES if k == kind]
        assert max(values) == 1 and min(values) < 1 if kind != "rouge_l" else values, kind


def test_normalized_drops_articles_case_and_punctuation():
    assert normalized("An  Apple — the FRUIT.") == "apple fruit"


def test_a_runaway_pattern_is_refused_in_time():
    with pytest.raises(ConfigError, match="ran longer than 1 s"):
        score("regex", "a" * 40 + "!", [], {"pattern": r"(a|a)*(a|aa)+$"})


def test_unknown_scorer_and_bad_pattern_are_named():
    with pytest.raises(ConfigError, match=r"scorer\.kind: must be one of"):
        score("llm", "x", ["x"], {})
    with pytest.raises(ConfigError, match="is no regular expression"):
        score("regex", "x", [], {"pattern": "("})
