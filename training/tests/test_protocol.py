"""The comparison of presets and its measures."""

import json

import pytest
from conftest import write_rows

from continual import metrics, protocol
from continual.errors import DataError


def test_stream_measures_follow_their_definitions():
    r = [[0.9, 0.2, 0.1], [0.7, 0.8, 0.3], [0.6, 0.9, 1.0]]
    got = metrics.stream(r, [0.0, 0.1, 0.1])
    assert got["acc"] == pytest.approx(2.5 / 3) and got["bwt"] == pytest.approx((-0.3 + 0.1) / 2)
    assert got["fwt"] == pytest.approx((0.1 + 0.2) / 2) and got["forgetting"] == pytest.approx([0.3, -0.1])
    assert metrics.stream([[0.5]], [0.1]) == {"acc": 0.5, "bwt": None, "fwt": None, "forgetting": []}


def test_ratios_are_relative_to_naive():
    naive = {"new_before": 0.0, "new_after": 0.8, "old_before": 1.0, "old_after": 0.5}
    mild = {"new_before": 0.0, "new_after": 0.6, "old_before": 1.0, "old_after": 0.95}
    assert metrics.ratios(mild, naive) == {"fr": pytest.approx(0.1), "gr": pytest.approx(0.75)}
    assert metrics.ratios(mild, {**naive, "old_after": 1.0})["fr"] is None


def test_interval_over_three_seeds():
    assert metrics.interval([1.0, 2.0, 3.0]) == (2.0, pytest.approx(4.303 / 3**0.5))


def test_tiny_order_naive_loses_most_safe_little(tmp_path, base):
    report = protocol.run(protocol.from_demo("tiny"), base, ["naive", "safe"], 1, tmp_path)
    naive, safe = report["runs"]
    assert naive["fr"] == 1.0 and safe["fr"] < 0.5 and safe["gr"] > 0.9
    assert json.loads((tmp_path / "protocol.json").read_text())["runs"][1]["preset"] == "safe"
    assert "| safe |" in (tmp_path / "protocol.md").read_text()


def test_own_files_are_read_and_their_faults_named(tmp_path):
    new = write_rows(
        tmp_path / "new.jsonl", [{"id": "1", "train": ["Who is A?"], "test": ["A is who?"], "answer": "Bo|Boo", "completion": "It is Bo."}]
    )
    old = write_rows(tmp_path / "old.jsonl", [{"id": "2", "test": ["B?"], "answer": "x"}])
    suite = protocol.from_files(new, old)
    assert suite.learn[0]["messages"][1]["content"] == "It is Bo." and suite.new == [("A is who?", "Bo|Boo")] and suite.old == [("B?", "x")]
    with pytest.raises(DataError, match=r"old\.jsonl: no fact has `train`"):
        protocol.from_files(old, old)
    bad = write_rows(tmp_path / "bad.jsonl", [{"id": "3", "answer": "x"}])
    with pytest.raises(DataError, match=r"bad\.jsonl:1: needs `test`"):
        protocol.from_files(new, bad)
