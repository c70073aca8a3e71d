"""Configurations: the fixtures that Go reads too."""

import json

import pytest

from continual import config, contract, plan, presets
from continual.errors import ConfigError

FOLDER = config.CONTRACT


def fixtures(kind: str, verdict: str) -> list:
    return sorted((FOLDER / kind / verdict).glob("*.json"))


def test_fixtures_are_seen():
    assert len(fixtures("run", "good")) == 9
    assert len(fixtures("run", "bad")) == 20
    assert len(fixtures("eval", "good")) == 2
    assert len(fixtures("eval", "bad")) == 3


@pytest.mark.parametrize("path", fixtures("run", "good") + fixtures("eval", "good"), ids=lambda p: p.stem)
def test_parse_accepts_good(path):
    doc = json.loads(path.read_text())
    assert config.parse(doc, doc["job"]).seed >= 0


@pytest.mark.parametrize("path", fixtures("run", "bad") + fixtures("eval", "bad"), ids=lambda p: p.stem)
def test_parse_refuses_bad_with_the_path(path):
    case = json.loads(path.read_text())
    job = "evaluate" if path.parent.parent.name == "eval" else "train"
    with pytest.raises(ConfigError) as e:
        config.parse(case["document"], job)
    assert str(e.value).startswith(case["expect"])


@pytest.mark.parametrize("name", sorted(presets.PRESETS))
def test_every_preset_is_legal(name):
    assert config.parse({"schema": 1, "job": "train", "preset": name}, "train").preset == name


def test_schema_and_presets_name_the_same_presets():
    assert set(config.schema_of("train")["properties"]["preset"]["enum"]) == set(presets.PRESETS)


def test_sections_override_the_preset_and_hyperparameters_override_both():
    raw = {"schema": 1, "job": "train", "preset": "naive", "train": {"lr": 0.5}}
    assert config.parse(raw, "train").train.lr == 0.5
    over = config.override(raw, {"train.lr": "0.25", "preset": "skill", "sagemaker_region": "x"})
    got = config.parse(over, "train")
    assert (got.train.lr, got.preset, got.replay.mode) == (0.25, "skill", "replay")


def test_digest_depends_on_the_expanded_content_only():
    a = config.parse({"schema": 1, "job": "train"}, "train")
    b = config.parse({"job": "train", "preset": "safe", "schema": 1, "seed": 17}, "train")
    c = config.parse({"schema": 1, "job": "train", "seed": 18}, "train")
    assert a.sha256 == b.sha256 != c.sha256


def test_whole_weights_drop_the_presets_adapter_settings_unless_the_run_sets_them():
    lora = config.parse({"schema": 1, "job": "train"}, "train")
    whole = config.parse({"schema": 1, "job": "train", "params": {"kind": "full"}}, "train")
    assert (whole.params.first_layer, whole.train.lr) == (0.0, lora.train.lr / 20)
    assert lora.train.weight_decay > whole.train.weight_decay == 0  # whole weights would decay to nothing
    assert config.parse({"schema": 1, "job": "train", "params": {"kind": "full"}, "train": {"lr": 0.01}}, "train").train.lr == 0.01


METRICS = json.loads((FOLDER / "metrics.json").read_text())["lines"]


def test_a_few_rows_get_the_presets_least_steps_unless_the_run_says_how_many_epochs():
    def steps(**train):
        return plan.plan(list(range(6)), [], config.parse({"schema": 1, "job": "train", "preset": "naive", "train": train}, "train")).steps

    assert steps() == 100
    assert steps(epochs=2) == 2
    assert steps(epochs=2, min_steps=5) == 5
    assert steps(max_steps=3) == 3


@pytest.mark.parametrize("case", METRICS, ids=[c["line"][12:40] for c in METRICS])
def test_metric_lines_are_those_that_the_platform_reads(case, capsys):
    contract.progress(**case["fields"])
    assert capsys.readouterr().out == case["line"] + "\n"
