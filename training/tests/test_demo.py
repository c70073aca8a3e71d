"""Demo data: the faults are exactly those promised, and nothing else repeats a benchmark item."""

import json
import re

import pytest

from continual import demo
from continual.errors import ConfigError

EMAIL, CARD = re.compile(r"\S+@\S+\.\w+"), re.compile(r"\b(?:\d[ -]?){13,16}\b")


def luhn(digits: str) -> bool:
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (1 + i % 2)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


def read(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def targets(item: dict) -> list[str]:
    return item["targets"] if "targets" in item else [item["target"]]


def prompt(row: dict) -> str:
    return row["messages"][0]["content"] if "messages" in row else row["prompt"]


@pytest.fixture(scope="module", params=["tiny", "smol"])
def folder(request, tmp_path_factory):
    out = tmp_path_factory.mktemp(request.param)
    demo.write(request.param, out)
    return out


def test_arrival_has_exactly_the_promised_faults(folder):
    broken, empty, private, rows = 0, 0, 0, []
    for line in (folder / "arrival.jsonl").read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            broken += 1
    items = {(i["input"], t) for b in ("company", "general") for i in read(folder / "benchmarks" / f"{b}.jsonl") for t in targets(i)}
    for r in rows:
        empty += r.get("completion") == ""
        cards = CARD.findall(json.dumps(r))
        private += bool(cards) and luhn(re.sub(r"\D", "", cards[0])) and bool(EMAIL.search(json.dumps(r)))
    repeated = sum((prompt(r), r["messages"][-1]["content"]) in items for r in rows if "messages" in r)
    assert (broken, empty, repeated, private) == (1, 1, 1, 1)


def test_no_other_row_asks_a_benchmark_question(folder):
    asked = {i["input"] for b in ("company", "general") for i in read(folder / "benchmarks" / f"{b}.jsonl")}
    for name in ("old", "poison"):
        assert not asked & {prompt(r) for r in read(folder / f"{name}.jsonl")}


def test_general_questions_of_smollm2_are_not_those_chosen_by_what_it_answers():
    d = demo.smol()
    assert not {p.question for p in d.general} & {p.question for p in d.known}
    assert all(a.casefold() not in p.question.casefold() for p in d.general for a in p.contains.split("|"))


def test_three_phrasings_train_and_two_others_test_each_fact(folder):
    company, tested = read(folder / "benchmarks" / "company.jsonl"), {}
    for item in company:
        tested.setdefault(item["cluster"], set()).add(item["input"])
    assert all(len(v) == 2 for v in tested.values()) and len(tested) >= 12
    lines = (folder / "arrival.jsonl").read_text().splitlines()
    assert len(lines) == 3 * len(tested) + 4


def test_sizes_scorers_and_questions(folder):
    general = read(folder / "benchmarks" / "general.jsonl")
    assert len(general) >= 200 and not any("|" in t for i in general for t in targets(i)), "alternatives stand apart"
    lock = json.loads((folder / "benchmarks" / "general.json").read_text())
    assert lock["scorer"]["kind"] in ("exact", "contains") and lock["decoding"]["temperature"] == 0
    q = json.loads((folder / "questions.json").read_text())
    assert len(q["canned"]) >= 5 and {"prompt", "contains"} == set(q["canned"][0])
    asked = {i["input"]: i["target"] for i in read(folder / "benchmarks" / "company.jsonl")}
    assert q["questions"] and all(asked[x["question"]] == x["expect"] for x in q["questions"])


def test_same_seed_same_files(folder, tmp_path):
    demo.write("tiny" if "tiny" in folder.name else "smol", tmp_path)
    for path in folder.rglob("*.json*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes()


def test_unknown_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="must be one of tiny, smol"):
        demo.write("big", tmp_path)
