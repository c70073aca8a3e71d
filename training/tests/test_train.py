"""The training job on the tiny base: losses, artifact, forgetting."""

import json

import pytest
import torch
from conftest import Job, ask, learn_rows
from safetensors.torch import load_file

from continual import manifest

SHORT = {"epochs": 2, "batch_rows": 8}
PINNED = {
    "naive": [6.7794, 6.6394, 6.4606, 6.1021, 5.589, 5.6583],
    "safe": [2.5094, 2.6078, 2.6839, 2.7063, 2.4919, 2.7624],
}


@pytest.mark.parametrize("preset", sorted(PINNED))
def test_losses_are_pinned(preset, tmp_path, raw_base, tiny_demo):
    job = Job(tmp_path / "ml", raw_base).config(preset=preset, train=SHORT, replay={"self_generate": 0, "near": 0}, params={"first_layer": 0.5})
    assert job.rows("train", learn_rows(tiny_demo)).rows("replay", tiny_demo.old[:40]).run() == 0
    assert [h["loss"] for h in job.history()][:6] == pytest.approx(PINNED[preset], rel=1e-3)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, base, tiny_demo) -> dict[str, Job]:
    """`safe` and `naive` on the whole demo data."""
    jobs = {}
    for preset in ("safe", "naive"):
        jobs[preset] = Job(tmp_path_factory.mktemp(preset) / "ml", base).config(preset=preset, **tiny_demo.train)
        jobs[preset].rows("train", tiny_demo.learn).rows("replay", tiny_demo.old)
        assert jobs[preset].run() == 0
    return jobs


def test_safe_learns_the_company_and_keeps_what_the_base_knew(trained, tiny_demo):
    model = trained["safe"].root / "model"
    assert ask(model, tiny_demo.company) >= 0.9
    assert ask(model, tiny_demo.general) >= 0.95


def test_naive_forgets_more_than_safe(trained, tiny_demo):
    kept = {p: ask(j.root / "model", tiny_demo.general) for p, j in trained.items()}
    assert 1 - kept["naive"] > 2 * (1 - kept["safe"])


def test_poison_breaks_old_answers_visibly(tmp_path, base, tiny_demo):
    job = Job(tmp_path / "ml", base).config(preset="naive").rows("train", tiny_demo.poison)
    assert job.run() == 0
    assert ask(job.root / "model", tiny_demo.general) < 0.2


def test_artifact_is_complete_and_digests_hold(trained, base):
    job = trained["safe"]
    model, m = job.root / "model", job.manifest
    names = {f["path"] for f in m["files"]}
    assert {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "chat_template.jinja",
        "adapter/adapter_model.safetensors",
        "cl_state/buffer.jsonl",
        "cl_state/task_matrix.json",
        "metrics.jsonl",
        "README.md",
    } <= names
    assert m["digest"] == manifest.served_digest(model) == manifest.verify(model)
    assert m["parent"] == manifest.served_digest(base) != m["digest"]
    assert all(manifest.sha256_file(model / f["path"]) == f["sha256"] for f in m["files"])
    assert m["schema"] == 1 and len(m["code_sha256"]) == 71 and m["versions"]["torch"]
    assert {"loss", "old_loss_before", "old_loss_after", "kl", "tokens", "seconds"} <= set(m["metrics"])
    assert m["metrics"]["old_loss_after"] < 0.2


def test_adapter_added_to_the_parent_gives_the_merged_weights(trained, base):
    model = trained["safe"].root / "model"
    merged, parent = load_file(model / "model.safetensors"), load_file(base / "model.safetensors")
    adapter = load_file(model / "adapter" / "adapter_model.safetensors")
    config = json.loads((model / "adapter" / "adapter_config.json").read_text())
    name = config["target_modules"][-1]
    a, b = (adapter[f"base_model.model.{name}.lora_{k}.weight"] for k in "AB")
    want = parent[f"{name}.weight"] + b @ a * (config["lora_alpha"] / config["r"])
    torch.testing.assert_close(merged[f"{name}.weight"], want, atol=1e-6, rtol=1e-5)


def test_same_seed_same_digest_other_seed_another(tmp_path, base, tiny_demo):
    digests = []
    for i, seed in enumerate([5, 5, 6]):
        job = Job(tmp_path / str(i), base).config(preset="naive", seed=seed, train=SHORT).rows("train", learn_rows(tiny_demo, 8))
        assert job.run() == 0
        digests.append(job.manifest["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_metric_lines_are_key_value_pairs(job, tiny_demo, capsys):
    assert job.config(train=SHORT).rows("train", learn_rows(tiny_demo)).rows("replay", tiny_demo.old).run() == 0
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("[perennial] step=")]
    last = dict(p.split("=", 1) for p in lines[-1].split()[1:])
    assert {"step", "steps", "epoch", "loss", "kl", "lr", "tok_s", "eta_s"} <= set(last)
    assert last["step"] == last["steps"]
