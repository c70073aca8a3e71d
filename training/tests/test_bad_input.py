"""Bad input in one table: each ends the job with its exit code and a line that says where; nothing that was there is lost."""

import gzip
import json
import shutil

import pytest
import safetensors.torch
import torch
from conftest import Job, StopAfter, write_rows
from safetensors import SafetensorError

from continual import contract, train_job
from continual.manifest import digest_of, sha256_file

RUN = {
    "preset": "safe",
    "train": {"max_steps": 6, "batch_rows": 8, "save_minutes": 0},
    "replay": {"self_generate": 0, "near": 0},
}
LONG = 8 * 1024 * 1024
ROWS = "part-000.jsonl"


@pytest.fixture(scope="module")
def second(tmp_path_factory, base, tiny_demo):
    """The second update of a model, stopped after some steps: with carried state and two checkpoints."""
    folder = tmp_path_factory.mktemp("second")
    first = Job(folder / "first", base).config(**RUN).rows("train", tiny_demo.learn[:12]).rows("replay", tiny_demo.old[:30])
    assert first.run() == 0, first.failure
    job = Job(folder / "second", first.root / "model").config(**RUN).rows("train", tiny_demo.learn[12:24])
    shutil.copytree(first.root / "model" / "cl_state", job.channel("cl_state"), dirs_exist_ok=True)
    whole = copy_of(job, folder / "whole")
    assert whole.run() == 0, whole.failure
    assert contract.run_job(lambda root, _: train_job.train(root, StopAfter(4)), contract.Root(job.root)) == 143
    return job, whole.manifest["digest"]


def copy_of(job: Job, folder) -> Job:
    shutil.copytree(job.root, folder)
    return Job(folder, job.channel("model"))


def row(line: bytes | str):
    """A second row after a good one."""
    raw = line if isinstance(line, bytes) else line.encode()

    def arrange(job, _):
        good = (job.channel("train") / ROWS).read_bytes().splitlines()[0]
        (job.channel("train") / ROWS).write_bytes(good + b"\n" + raw + b"\n")

    return arrange


def content(channel, name, text):
    return lambda job, _: (job.channel(channel) / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def without(channel):
    return lambda job, _: shutil.rmtree(job.channel(channel))


def cut_gzip(job, _):
    path = job.channel("train") / ROWS
    raw = gzip.compress(path.read_bytes())
    path.unlink()
    (path.parent / "part-000.jsonl.gz").write_bytes(raw[: len(raw) // 2])


def sections(**changed):
    return lambda job, _: job.config(**{**RUN, **changed})


def nan_weights(job, _):
    path = job.channel("model") / "model.safetensors"
    tensors = safetensors.torch.load_file(path)
    tensors["model.norm.weight"] = torch.full_like(tensors["model.norm.weight"], float("nan"))
    safetensors.torch.save_file(tensors, path)
    (job.channel("model") / "manifest.json").unlink()


def template(text, rows=None):
    def arrange(job, _):
        (job.channel("model") / "chat_template.jinja").write_text(text)
        (job.channel("model") / "manifest.json").unlink()
        if rows:
            write_rows(job.channel("train") / ROWS, rows)

    return arrange


TURNS = [{"messages": [{"role": r, "content": c} for r, c in (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))]}]


def poison(job, tiny_demo):
    """Answers that contradict what the model knows, and a budget for what it may lose."""
    write_rows(job.channel("train") / ROWS, tiny_demo.poison[:40])
    job.config(preset="naive", train={"lr": 0.02, "eval_steps": 4, "epochs": 20}, stop={"old_loss_delta": 0.05, "patience": 1}, replay=MEASURED)


MEASURED = {"mode": "replay", "ratio": 0.01, "ce_weight": 0.001}


def full_disk(_, __):
    def refuse(*_, **__):
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    safetensors.torch.save_file = refuse


def cut_file(channel, name):
    def arrange(job, _):
        path = job.channel(channel) / name
        path.write_bytes(path.read_bytes()[:1000])

    return arrange


CASES = {
    # empty
    "no file": (without("train"), 3, "channel train: no files in"),
    "no row": (content("train", ROWS, "\n\n"), 3, "channel train: holds no row"),
    "no shard": (lambda job, _: (job.channel("train") / ROWS).rename(job.channel("train") / "part.txt"), 3, "channel train: no *.jsonl"),
    "empty answer": (row('{"prompt": "a", "completion": " "}'), 3, f"{ROWS}:2: completion is empty"),
    "empty chat": (row('{"messages": []}'), 3, f"{ROWS}:2: messages must be a list"),
    # huge
    "huge line": (row(b'{"text": "' + b"x" * LONG + b'"}'), 3, f"{ROWS}:2: line is longer than"),
    "answer beyond max_length": (row(json.dumps({"prompt": "word " * 2000, "completion": "b"})), 3, f"{ROWS}:2: nothing to learn from"),
    "deep nesting": (row(b"[" * 100_000), 3, f"{ROWS}:2: not valid JSON"),
    # malformed
    "cut line": (row('{"prompt": "a", "completion"'), 3, f"{ROWS}:2: not valid JSON"),
    "no UTF-8": (row(b"\xff\xfe"), 3, f"{ROWS}:2: not valid JSON"),
    "no object": (row("[1]"), 3, f"{ROWS}:2: must be a JSON object, is list"),
    "wrong type": (row('{"prompt": 5, "completion": "b"}'), 3, f"{ROWS}:2: prompt must be text"),
    "cut gzip": (cut_gzip, 3, "part-000.jsonl.gz:"),
    # wrong template
    "other format": (row('{"instruction": "a", "output": "b"}'), 3, f"{ROWS}:2: row needs `messages`"),
    "unknown role": (row('{"messages": [{"role": "robot", "content": "a"}]}'), 3, f"{ROWS}:2: role 'robot'"),
    "no text": (row('{"messages": [{"role": "user", "content": null}]}'), 3, f"{ROWS}:2: each message needs"),
    "no answer": (row('{"messages": [{"role": "user", "content": "a"}]}'), 3, f"{ROWS}:2: no assistant message"),
    "template that is none": (template("{% for m in %}"), 3, f"{ROWS}:1: chat_template.jinja: "),
    "template that rewrites turns": (
        template("{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}", TURNS),
        3,
        f"{ROWS}:1: the chat template rewrites earlier turns",
    ),
    # poisoned
    "poison over the budget": (poison, 4, "stop: what the model knew broke the budget"),
    "pickled weights": (content("model", "pytorch_model.bin", b"cos\nsystem\n(S'touch /tmp/owned'\ntR."), 3, "pytorch_model.bin: only safetensors"),
    # missing channels
    "no model": (without("model"), 3, "channel model: no files"),
    "no configuration": (without("config"), 3, "channel config: no files"),
    "no old rows": (lambda job, _: (without("cl_state")(job, _), job.config(preset="skill")), 3, "channel replay: replay.mode is replay but"),
    # configuration
    "no JSON": (content("config", "run.json", "{"), 2, "run.json: not valid JSON"),
    "unknown field": (sections(speed=1), 2, "speed: unknown key; legal here"),
    "illegal value": (sections(train={"lr": -1}), 2, "train.lr: must be above 0"),
    # the rest
    "full disk": (full_disk, 4, "SafetensorError: I/O error: No space left on device"),
    "loss is no number": (nan_weights, 4, "step 1: the loss is nan"),
    "cut weights": (cut_file("model", "model.safetensors"), 3, "model.safetensors: differs from manifest.json"),
    "cut carried state": (cut_file("cl_state", "buffer.jsonl"), 3, "buffer.jsonl:"),
    "cut Fisher diagonal": (content("cl_state", "fisher.safetensors", b"\x10" * 64), 3, "fisher.safetensors: the carried state cannot be read"),
    "cut task matrix": (content("cl_state", "task_matrix.json", '{"stages"'), 3, "task_matrix.json: the carried state cannot be read"),
}


def files(folder) -> str:
    return digest_of((p.relative_to(folder).as_posix(), sha256_file(p)) for p in sorted(folder.rglob("*")) if p.is_file())


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_named_and_nothing_is_lost(name, second, tmp_path, tiny_demo, monkeypatch):
    arrange, code, says = CASES[name]
    stopped, digest = second
    job = copy_of(stopped, tmp_path / "ml")
    monkeypatch.setattr(safetensors.torch, "save_file", safetensors.torch.save_file)  # put back whatever the case does
    arrange(job, tiny_demo)
    given = files(job.root / "input")
    kept = files(job.root / "checkpoints")
    assert job.run() == code, job.failure
    assert job.failure.startswith(says) and job.failure.count("\n") == 1 and len(job.failure) < 1024, job.failure
    assert not (job.root / "model" / "manifest.json").exists()
    assert files(job.root / "input") == given
    assert files(job.root / "checkpoints") == kept or name.startswith("poison")  # that run wrote checkpoints of its own
    monkeypatch.undo()
    shutil.rmtree(job.root / "input")
    shutil.copytree(stopped.root / "input", job.root / "input")
    assert job.run() == 0 and job.manifest["digest"] == digest, "mended, the job goes on to the very same result"


def test_a_cut_checkpoint_costs_its_steps_and_no_more(second, tmp_path, capsys):
    stopped, digest = second
    job = copy_of(stopped, tmp_path / "ml")
    newest = sorted((job.root / "checkpoints").glob("step-*"))[-1] / "state.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    assert job.run() == 0 and job.manifest["digest"] == digest
    out = capsys.readouterr().out
    assert "checkpoint step-00000004 is incomplete" in out and "resumed at step 3" in out
