"""The command line for people, on plain folders."""

import json

import pytest
from conftest import write_rows

from continual.__main__ import main


def test_train_evaluate_and_compare_work_on_plain_files(tmp_path, base, tiny_demo, capsys):
    data = write_rows(tmp_path / "facts.jsonl", tiny_demo.learn)
    out = tmp_path / "v1"
    small = ["--set", "train.max_steps=4", "--set", "train.lr=0.01"]
    assert main(["train", "--model", str(base), "--data", str(data), "--preset", "naive", *small, "--out", str(out)]) == 0
    assert json.loads((out / "model" / "manifest.json").read_text())["preset"] == "naive"
    rows = [{"id": f"q{i}", "input": p.question, "target": p.contains} for i, p in enumerate(tiny_demo.general[:12])]
    asked = str(write_rows(tmp_path / "asked.jsonl", rows))
    assert main(["evaluate", "--model", str(base), "--benchmark", asked, "--out", str(tmp_path / "e")]) == 0
    assert "asked: 1.000 over 12 items, 0 errors" in capsys.readouterr().out
    compared = tmp_path / "c"
    assert main(["compare", "--old", str(base), "--new", str(out / "model"), "--benchmark", asked, "--out", str(compared)]) == 0
    shown = capsys.readouterr().out
    assert "| asked | 12 | 1.000 |" in shown and (compared / "compare.md").read_text() in shown
    assert main(["evaluate", "--model", str(base), "--benchmark", "/nowhere", "--out", str(tmp_path / "e")]) == 2


@pytest.mark.parametrize(
    ("field", "says"), [("train.lr", "write FIELD=VALUE"), ("train.lr=-1", "train.lr: must be above 0"), ("x=1", "x: unknown key")]
)
def test_a_wrong_setting_is_refused_before_anything_is_written(field, says, tmp_path, base, capsys):
    assert main(["train", "--model", str(base), "--data", "x", "--set", field, "--out", str(tmp_path / "o")]) == 2
    assert says in capsys.readouterr().err and not (tmp_path / "o").exists()


@pytest.mark.parametrize("command", ["train", "evaluate", "serve", "compare"])
def test_help_teaches_by_example(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"python -m continual {command} --" in capsys.readouterr().out
