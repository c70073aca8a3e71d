"""The comparison of presets and its measures."""

import json

import pytest
from conftest import Job, write_rows
from conftest import ask as ask_share

from continual import __main__, ask, data, facts, metrics, models, presets, protocol, protocol_job
from continual.errors import ConfigError, DataError


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


NEW = {"id": "1", "train": ["Who is A?"], "test": ["A is who?"], "answer": "Bo|Boo", "completion": "It is Bo."}
OLD = {"id": "2", "test": ["B?"], "answer": "x"}


def test_tiny_order_naive_loses_most_and_a_rerun_trains_nothing(tmp_path, base, monkeypatch):
    updates = facts.updates("tiny", None, None, None, 1)
    report = protocol.run(updates, base, ["naive", "safe"], 1, tmp_path, sections=presets.TINY)
    naive, safe = report["runs"]
    assert naive["fr"] == 1.0 and safe["fr"] < 0.5 and safe["gr"] > 0.9
    assert json.loads((tmp_path / "protocol.json").read_text())["runs"][1]["preset"] == "safe"
    assert "| safe |" in (tmp_path / "protocol.md").read_text() and ">safe</text>" in (tmp_path / "protocol.svg").read_text()
    monkeypatch.setattr(protocol_job.train_job, "train", None)
    assert protocol.run(updates, base, ["safe"], 1, tmp_path, sections=presets.TINY)["runs"] == report["runs"]


def test_tiny_order_over_three_seeds_with_margins(tmp_path, base):
    """The ordering of the reference's protocol in a small form: what is held less is lost more."""
    names = ["naive", "lora", "replay", "safe"]
    runs = protocol.run(facts.updates("tiny", None, None, None, 1), base, names, 3, tmp_path, sections=presets.TINY)["runs"]
    mean = {(n, k): sum(r[k] for r in runs if r["preset"] == n) / 3 for n in names for k in ("old_acc_after", "new_acc")}
    lost = {n: 1 - mean[n, "old_acc_after"] for n in names}
    assert min(mean[n, "new_acc"] for n in lost) > 0.85
    assert lost["naive"] > 2 * lost["replay"] and lost["lora"] > 2 * lost["replay"], lost
    assert lost["replay"] > 2 * lost["safe"], lost
    drift = {n: sum(r["kl"] for r in runs if r["preset"] == n) for n in ("replay", "safe")}
    assert drift["replay"] > 2 * drift["safe"], drift
    assert all(r["fr"] < 0.25 and r["gr"] > 0.9 for r in runs if r["preset"] == "safe")


def test_ewc_holds_what_is_known_and_blocks_what_is_new_the_more_it_weighs(tmp_path, base, tiny_demo):
    kept, learned = [], []
    for weight in (0.0, 0.1, 100.0):
        sections = {"preset": "naive", "loss": {"ewc": weight}, "replay": {"mode": "replay", "ratio": 0.05, "ce_weight": 1e-6}}
        job = Job(tmp_path / str(weight), base).config(**sections).rows("train", tiny_demo.learn).rows("replay", tiny_demo.old)
        assert job.run() == 0, job.failure
        kept.append(ask_share(job.root / "model", tiny_demo.general))
        learned.append(ask_share(job.root / "model", tiny_demo.company))
    assert kept[0] < kept[1] < kept[2] and learned[0] > 0.85 > 0.2 > learned[2], (kept, learned)


def test_a_comparison_that_was_cut_goes_on_with_what_it_has(tmp_path, base, monkeypatch):
    updates, asked = facts.updates("tiny", None, None, None, 1), []

    def cut(model, *rest):
        asked.append(model)
        if model != base:
            raise KeyboardInterrupt
        return ask.ask(model, *rest)

    with pytest.raises(KeyboardInterrupt):
        protocol.run(updates, base, ["naive"], 1, tmp_path, cut)
    trained = asked[-1] / "manifest.json"
    before = trained.read_text()
    monkeypatch.setattr(protocol_job.train_job, "train", None)  # it was trained; only the answers are missing
    (row,) = protocol.run(updates, base, ["naive"], 1, tmp_path)["runs"]
    assert row["new_acc"] > 0.5 and trained.read_text() == before


def test_fr_outside_counts_only_probes_that_the_buffer_does_not_ask():
    sides = {"new_before": 0.0, "new_after": 1.0, "old_before": 1.0, "old_after": 0.5}
    naive = protocol.Outcome(sides, [True, True, False, False], [0, 1, 2, 3])
    mine = protocol.Outcome({**sides, "old_after": 0.75}, [True, True, True, False], [2, 3])
    assert protocol.against(mine, naive, [True] * 4) == {"fr": 0.5, "gr": 1.0, "fr_outside": 0.5}
    assert protocol.against(protocol.Outcome(sides, [True] * 4, []), naive, [True] * 4)["fr_outside"] is None


def test_every_update_has_a_table_with_fr_and_gr(tmp_path, base):
    names = ["naive", "lora", "replay"]
    done = protocol.run(facts.updates("tiny", None, None, None, 2), base, names, 2, tmp_path)
    assert [[x["preset"] for x in s] for s in (done["summary"], done["updates_summary"][0]["summary"])] == [names, names]
    for lines in (done["summary"], done["updates_summary"][0]["summary"]):
        assert all(x[k]["half_width"] is not None for x in lines for k in ("fr", "gr", "outside_buffer_after", "fr_outside"))
    text = (tmp_path / "protocol.md").read_text()
    assert text.count("| lora |") == 2 and "After update 2" in text


def test_later_updates_start_from_the_carried_state_and_report_the_matrix(tmp_path, base):
    report = protocol.run(facts.updates("tiny", None, None, None, 3), base, ["safe"], 1, tmp_path)
    last = [r for r in report["updates"] if r["preset"] == "safe"][-1]
    assert last["update"] == 3 and len(last["r"]) == 3 and last["bwt"] is not None and len(last["forgetting"]) == 2
    assert len(report["runs"]) == 2 and "After update 2" in (tmp_path / "protocol.md").read_text()
    matrix = tmp_path / "jobs" / "safe-1" / "update-3" / "model" / "cl_state" / "task_matrix.json"
    assert len(json.loads(matrix.read_text())["stages"]) == 3


def test_own_files_are_read(tmp_path):
    new, old = write_rows(tmp_path / "new.jsonl", [NEW]), write_rows(tmp_path / "old.jsonl", [OLD])
    (suite,) = facts.updates("smol", new, old, None, 1)
    assert suite.learn[0]["messages"][1]["content"] == "It is Bo." and suite.new == [facts.Probe("A is who?", ("Bo", "Boo"))]
    assert suite.old == [facts.Probe("B?", ("x",))] and len(suite.buffer) > 200
    assert not {data.normal(p.prompt) for p in facts.updates("smol", None, None, None, 1)[0].old} & {
        data.normal(r["prompt"]) for r in facts.general("smol")
    }


def test_the_second_update_of_smollm2_has_a_file_of_its_own():
    assert [len(u.learn) // 3 for u in facts.updates("smol", None, None, None, 2)] == [50, 25]
    assert [len(u.learn) // 3 for u in facts.updates("smol", None, None, None, 3)] == [25, 25, 25]


@pytest.mark.parametrize(
    ("learned", "row", "message"),
    [
        (True, OLD, "bad.jsonl:1: needs `train`"),
        (False, NEW, "bad.jsonl:1: an old probe has no `train`"),
        (False, {"id": "3", "answer": "x"}, "bad.jsonl:1: needs `test`"),
        (False, {"test": ["a"]}, "bad.jsonl:1: needs `answer`"),
        (False, {**OLD, "test": "B?"}, "bad.jsonl:1: `test` must be a list"),
        (False, {"test": ["B?"], "answr": "x"}, "bad.jsonl:1: unknown key 'answr': did you mean `answer`?"),
        (False, {**OLD, "choices": ["y", "z"]}, "bad.jsonl:1: `answer` must be one of the choices"),
        (False, {**OLD, "answer": "|"}, "bad.jsonl:1: `answer` holds only separators"),
    ],
)
def test_a_faulty_line_is_refused_with_its_place_and_the_mend(tmp_path, learned, row, message):
    with pytest.raises(DataError) as e:
        facts.read(write_rows(tmp_path / "bad.jsonl", [row]), learned)
    assert str(e.value).startswith(message)


def test_a_repeated_id_an_empty_and_a_missing_file_are_refused(tmp_path):
    for rows, message in (([OLD, OLD], "old.jsonl:2: id '2' is already on line 1"), ([], "holds no line")):
        with pytest.raises(DataError, match=message):
            facts.read(write_rows(tmp_path / "old.jsonl", rows), False)
    with pytest.raises(DataError, match="no such file"):
        facts.read(tmp_path / "none.jsonl", False)


def test_choices_are_answered_by_likelihood(base, tiny_demo):
    p = tiny_demo.general[0]
    wrong = next(q.contains for q in tiny_demo.general if q.capability == p.capability and q.contains != p.contains)
    right = facts.Probe(p.question, (p.contains,), (wrong, p.contains))
    assert ask.answers(models.load(base), [right, facts.Probe(p.question, (wrong,), (wrong, p.contains))], 6) == [True, False]


def test_wrong_arguments_are_refused_before_any_work(tmp_path, capsys):
    for extra, message in ((["--seeds", "0"], "--seeds"), (["--new", "x"], "--new and --old go together"), (["--presets", "best"], "preset")):
        assert __main__.main(["protocol", "tiny", "--out", str(tmp_path / "o"), *extra]) == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
    with pytest.raises(ConfigError, match="--updates"):
        facts.updates("smol", None, None, None, 0)
