"""Stops, resumes and bad input: each failure says what is wrong, and nothing is lost."""

import json
import resource
import signal
import subprocess
import sys

import pytest
import torch
from conftest import TRAINING, Job, StopAfter
from safetensors.torch import load_file, save_file

from continual import contract, train_job

RUN = {"preset": "safe", "train": {"epochs": 2, "batch_rows": 8, "eval_steps": 4}, "replay": {"self_generate": 0, "near": 0}}


def make(root, base, tiny_demo, **sections) -> Job:
    job = Job(root / "ml", base).config(**{**RUN, **sections})
    return job.rows("train", tiny_demo.learn[:40]).rows("replay", tiny_demo.old[:40])


def stopped(job: Job, checks: int) -> int:
    return contract.run_job(lambda root, _: train_job.train(root, StopAfter(checks)), contract.Root(job.root))


def losses(job: Job) -> list[float]:
    return [h["loss"] for h in job.history()]


RESUMES = [(t, k) for t in ("sft", "cpt", "sdft") for k in ("full", "lora", "lora_corda", "osf")]


@pytest.mark.parametrize(("trainer", "kind"), RESUMES)
def test_stopped_twice_and_resumed_equals_uninterrupted_bit_for_bit(trainer, kind, tmp_path, raw_base, tiny_demo):
    run = {"params": {"kind": kind}, "train": {**RUN["train"], "trainer": trainer}}
    if trainer == "sdft":  # it samples its own rows and takes no old ones
        run |= {"preset": "naive", "replay": {"mode": "none"}, "train": {**run["train"], "max_steps": 9}}
    whole = make(tmp_path / "a", raw_base, tiny_demo, **run)
    assert whole.run() == 0, whole.failure
    parts = make(tmp_path / "b", raw_base, tiny_demo, **run)
    assert stopped(parts, 3) == 143
    assert not (parts.root / "model" / "manifest.json").exists() and not (parts.root / "output" / "failure").exists()
    assert stopped(parts, 5) == 143
    assert parts.run() == 0
    assert losses(parts) == losses(whole) and len(losses(whole)) == whole.manifest["metrics"]["steps"]
    assert parts.manifest["digest"] == whole.manifest["digest"]


def test_resumed_run_keeps_the_rows_it_wrote_itself_and_the_holdout_of_them(tmp_path, base, tiny_demo):
    run = {"preset": "no_old_data", "replay": {"self_generate": 8, "near": 0.5, "holdout": 2}}
    whole, parts = (make(tmp_path / x, base, tiny_demo, **run) for x in "ab")
    assert whole.run() == 0, whole.failure
    assert stopped(parts, 14) == 143 and list((parts.root / "checkpoints").glob("step-*"))
    assert parts.run() == 0
    assert losses(parts) == losses(whole) and parts.manifest["digest"] == whole.manifest["digest"]
    assert parts.manifest["metrics"]["old_loss_after"] == whole.manifest["metrics"]["old_loss_after"]


def test_with_old_rows_at_hand_a_run_writes_its_own_after_the_first_step_and_a_stop_meanwhile_goes_on_there(tmp_path, base, tiny_demo):
    run = {"replay": {"self_generate": 8, "near": 0.5, "holdout": 4}}
    whole, parts = (make(tmp_path / x, base, tiny_demo, **run) for x in "ab")
    assert whole.run() == 0, whole.failure
    checkpoints = parts.root / "checkpoints"
    assert stopped(parts, 2) == 143  # the second to ask is the writer
    assert (checkpoints / "step-00000001").is_dir() and not (checkpoints / "self_generated.jsonl").exists()
    assert parts.run() == 0 and (checkpoints / "self_generated.jsonl").is_file()
    assert losses(parts) == losses(whole) and parts.manifest["digest"] == whole.manifest["digest"]


def test_sigterm_to_the_process_checkpoints_and_exits_143(tmp_path, base, tiny_demo):
    job = make(tmp_path, base, tiny_demo, train={"epochs": 200, "batch_rows": 8})
    p = job.process("train.py")
    for line in p.stdout:
        if line.startswith("[perennial] step="):
            p.send_signal(signal.SIGTERM)
            break
    rest = p.stdout.read()
    assert p.wait() == 143, rest
    assert "checkpoint written" in rest and list((job.root / "checkpoints").glob("step-*"))


EARLY = """
import os, signal, sys
from continual import contract
install = contract.Stop.install
def early(self):
    install(self)
    assert "torch" not in sys.modules
    os.kill(os.getpid(), signal.SIGTERM)
    return self
contract.Stop.install = early
import train
sys.exit(train.main())
"""


def test_sigterm_before_anything_is_imported_exits_143_and_can_go_on(tmp_path, raw_base, tiny_demo):
    job = make(tmp_path, raw_base, tiny_demo)
    env = {"PERENNIAL_ML_ROOT": str(job.root), "PYTHONDONTWRITEBYTECODE": "1"}
    p = subprocess.run([sys.executable, "-c", EARLY], cwd=TRAINING, env=env, capture_output=True, check=False)
    assert p.returncode == 143, p.stderr
    assert not (job.root / "output" / "failure").exists()
    assert job.run() == 0


def test_truncated_checkpoint_falls_back_to_the_one_before(tmp_path, raw_base, tiny_demo, capsys):
    job = make(tmp_path, raw_base, tiny_demo)
    assert stopped(job, 4) == stopped(job, 3) == 143
    newest = sorted((job.root / "checkpoints").glob("step-*"))[-1] / "state.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    assert job.run() == 0
    out = capsys.readouterr().out
    assert "checkpoint step-00000007 is incomplete" in out and "resumed at step 4" in out


def test_checkpoint_of_another_configuration_is_not_used(tmp_path, raw_base, tiny_demo, capsys):
    job = make(tmp_path, raw_base, tiny_demo)
    assert stopped(job, 3) == 143
    assert job.config(**RUN, seed=99).run() == 0
    assert "resumed" not in capsys.readouterr().out


def test_model_that_cannot_write_rows_of_its_own_ends_the_job(tmp_path, raw_base, tiny_demo):
    job = make(tmp_path, raw_base, tiny_demo).config(preset="safe")
    path = job.channel("model") / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], float("nan"))
    save_file(tensors, path)
    assert job.run() == 4
    assert job.failure.startswith("replay.near: the model's predictions are not numbers")


def test_full_disk_is_named_and_leaves_no_manifest(tmp_path, raw_base, tiny_demo):
    job = make(tmp_path, raw_base, tiny_demo)
    code = "import sys; from continual.contract import run_job; from continual.train_job import train; sys.exit(run_job(train))"
    limit = 200_000  # bytes a file may have: less than the weights
    p = subprocess.run(
        [sys.executable, "-c", code],
        cwd=TRAINING,
        env={"PERENNIAL_ML_ROOT": str(job.root), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert p.returncode == 4, p.stderr
    assert "File too large" in job.failure and not (job.root / "model" / "manifest.json").exists()


def test_broken_configuration_is_code_2(tmp_path, raw_base):
    job = Job(tmp_path / "ml", raw_base).config(train={"lr": -1}).rows("train", [{"prompt": "a", "completion": "b"}])
    assert job.run() == 2 and job.failure.startswith("train.lr: must be above 0")
    (job.channel("config") / "run.json").write_text("{")
    assert job.run() == 2 and job.failure.startswith("run.json: not valid JSON")


def test_pickled_weights_are_refused_unread(tmp_path, raw_base):
    job = Job(tmp_path / "ml", raw_base).config(preset="naive").rows("train", [{"prompt": "a", "completion": "b"}])
    (job.channel("model") / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    assert job.run() == 3 and job.failure.startswith("pytorch_model.bin: only safetensors weights are accepted")


def test_broken_model_folders_are_named(tmp_path, raw_base):
    job = Job(tmp_path / "ml", raw_base).config(preset="naive").rows("train", [{"prompt": "a", "completion": "b"}])
    (job.channel("model") / "model.safetensors").write_bytes(b"\x10" * 64)
    assert job.run() == 3 and job.failure.startswith("model.safetensors: ")
    (job.channel("model") / "config.json").unlink()
    assert job.run() == 3 and job.failure.startswith("config.json: missing in")


def test_a_template_cannot_run_code(tmp_path, raw_base):
    job = Job(tmp_path / "ml", raw_base).config(preset="naive").rows("train", [{"prompt": "a", "completion": "b"}])
    (job.channel("model") / "chat_template.jinja").write_text("{{ ''.__class__.__mro__[1].__subclasses__() }}")
    assert job.run() == 3 and "chat_template.jinja: " in job.failure and "unsafe" in job.failure


def test_gzip_shards_are_read_and_a_cut_one_is_named(tmp_path, raw_base, tiny_demo):
    import gzip

    job = Job(tmp_path / "ml", raw_base).config(preset="naive", train={"max_steps": 1})
    raw = gzip.compress("".join(json.dumps(r) + "\n" for r in tiny_demo.learn).encode())
    path = job.channel("train") / "part-000.jsonl.gz"
    path.write_bytes(raw)
    assert job.run() == 0
    path.write_bytes(raw[: len(raw) // 2])
    assert job.run() == 3 and "cannot be decompressed" in job.failure


def test_failure_of_an_earlier_run_is_removed(tmp_path, raw_base, tiny_demo):
    job = make(tmp_path, raw_base, tiny_demo, train={"max_steps": 1})
    (job.root / "output").mkdir(parents=True)
    (job.root / "output" / "failure").write_text("old\n")
    assert job.run() == 0 and not (job.root / "output" / "failure").exists()
