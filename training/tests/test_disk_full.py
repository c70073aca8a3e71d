"""A disk that fills up at any write of a job: the job says so, loses nothing, and goes on once there is room."""

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest
import safetensors.torch
from conftest import Job
from safetensors import SafetensorError

from continual import contract, evaluate_job, train_job
from continual.manifest import digest_of, sha256_file

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Disk:
    """Counts the writes below a folder; after `room` of them the next one is cut short and all later ones are refused.

    What the job keeps in reserve is free for the failure file once it is given back.
    """

    def __init__(self):
        self.folder, self.room, self.writes = "", 0, 0
        self.save = safetensors.torch.save_file

    def watch(self, folder, room: int = 10**6) -> None:
        self.folder, self.room, self.writes = str(folder), room, 0

    def hook(self, event: str, args: tuple) -> None:
        """For sys.addaudithook: what it raises, the operation raises."""
        if not self.folder or event not in ("open", "os.mkdir", "os.rename") or not isinstance(args[0], str):
            return
        path = args[0]
        if not path.startswith(self.folder) or (event == "open" and not args[2] & WRITES) or self._reserved(path):
            return
        if event == "os.mkdir" and Path(path).is_dir():
            return
        self._take(path if event == "open" else None)

    def save_file(self, tensors, path, metadata=None) -> None:
        """The library writes outside of Python: cut what it wrote and fail as it fails."""
        self.save(tensors, path, metadata)
        if not self.folder:
            return
        try:
            self._take(None)
        except OSError:
            os.truncate(path, Path(path).stat().st_size // 2)
            raise SafetensorError(f"Error while serializing: I/O error: {FULL}") from None

    def _reserved(self, path: str) -> bool:
        return "/output/.failure." in path and not Path(f"{self.folder}/output/.reserve").exists()

    def _take(self, cut: str | None) -> None:
        self.writes += 1
        if self.writes <= self.room:
            return
        if cut and self.writes == self.room + 1:  # opened, and then nothing could be written
            folder, self.folder = self.folder, ""
            Path(cut).touch()
            self.folder = folder
        raise FULL


_disk = Disk()
sys.addaudithook(_disk.hook)


@pytest.fixture
def disk(monkeypatch):
    monkeypatch.setattr(safetensors.torch, "save_file", _disk.save_file)
    yield _disk
    _disk.folder = ""


def files(folder) -> str:
    return digest_of((p.relative_to(folder).as_posix(), sha256_file(p)) for p in sorted(folder.rglob("*")) if p.is_file())


def update(root, model, tiny_demo, **sections) -> Job:
    run = {"preset": "no_old_data", "train": {"max_steps": 2, "batch_rows": 6, "save_minutes": 0}, **sections}
    return Job(root, model).config(**run, replay={"self_generate": 4, "near": 0.5, "holdout": 2}).rows("train", tiny_demo.learn[:4])


def every_write(disk, tmp_path, make, job, result) -> int:
    """Fill the disk at every write of a job in turn; each time it must fail by name, keep its inputs and go on afterwards."""
    disk.watch(tmp_path / "whole")
    whole = make(tmp_path / "whole")
    disk.watch(tmp_path / "whole")
    assert contract.run_job(job, contract.Root(whole.root)) == 0
    points = disk.writes
    for room in range(points):
        one = make(tmp_path / "cut")
        before = files(one.root / "input")
        disk.watch(one.root, room)
        code = contract.run_job(job, contract.Root(one.root))
        disk.folder = ""
        assert code == 4, f"write {room} of {points} was not needed"
        if room:  # without room for the reserve nothing can be written at all
            assert "No space left on device" in one.failure, room
        assert not (one.root / "model" / result).exists() and files(one.root / "input") == before
        assert contract.run_job(job, contract.Root(one.root)) == 0, (room, one.failure)
        assert (one.root / "model" / result).exists() and not (one.root / "output" / ".reserve").exists()
        yield room, whole, one
        shutil.rmtree(one.root)


def test_a_training_job_survives_a_full_disk_at_every_write(disk, tmp_path, base, tiny_demo):
    first = update(tmp_path / "first", base, tiny_demo)
    assert first.run() == 0

    def make(root):
        job = update(root, first.root / "model", tiny_demo)
        shutil.copytree(first.root / "model" / "cl_state", job.channel("cl_state"), dirs_exist_ok=True)
        return job

    seen = 0
    for room, whole, one in every_write(disk, tmp_path, make, train_job.train, "manifest.json"):
        assert one.manifest["digest"] == whole.manifest["digest"], room
        assert [h["loss"] for h in one.history()] == [h["loss"] for h in whole.history()], room
        for name in ("buffer.jsonl", "holdout.jsonl", "tasks/stage-001.jsonl"):
            assert (one.root / "model/cl_state" / name).read_text() == (whole.root / "model/cl_state" / name).read_text(), (room, name)
        seen += 1
    assert seen > 25


def test_an_evaluation_survives_a_full_disk_at_every_write(disk, tmp_path, base, tiny_demo):
    items = [{"id": str(i), "input": p.question, "target": p.contains} for i, p in enumerate(tiny_demo.general[:6])]

    def make(root):
        return Job(root, base).config(job="evaluate", batch=2).bench("b", {"kind": "exact"}, items, decoding={"maxTokens": 4})

    def scores(job):
        return [line.split('"latencyMs"')[0] for line in (job.root / "model" / "results.jsonl").read_text().splitlines()]

    seen = 0
    for room, whole, one in every_write(disk, tmp_path, make, evaluate_job.evaluate, "summary.json"):
        assert scores(one) == scores(whole), room
        seen += 1
    assert seen > 5
