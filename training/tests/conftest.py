"""Shared fixtures: the tiny base (built once, or taken from PERENNIAL_TINY) and folders laid out like /opt/ml."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import continual  # sets OpenMP's wait policy before torch loads
from continual import demo, tiny, world

os.environ.setdefault("PERENNIAL_DTYPE", "float32")  # pinned values and tolerances are of float32, wherever the tests run
TRAINING = Path(continual.__file__).parent.parent
# tests/extra compares with libraries of requirements-extra.txt; they run where those are (setup.sh --extra).
collect_ignore = [] if importlib.util.find_spec("lm_eval") else ["extra"]


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    """Sets how many threads compute; the number before comes back."""
    import torch

    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base model folder."""
    given = os.environ.get("PERENNIAL_TINY")
    folder = Path(given) if given else tmp_path_factory.mktemp("models") / "tiny"
    tiny.build(folder)
    return folder


@pytest.fixture(scope="session")
def raw_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model before pretraining: its losses after a few steps are the same on every processor."""
    import torch

    folder = tmp_path_factory.mktemp("models") / "raw"
    folder.mkdir()
    tiny.write_tokenizer(folder)
    torch.manual_seed(0)
    tiny.save(tiny.fresh(json.loads((folder / "config.json").read_text())), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_demo() -> demo.Demo:
    return demo.tiny()


def write_rows(path: Path, rows: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows))
    return path


class Job:
    """A root with channels, and ways to run the entry points in it."""

    def __init__(self, root: Path, model: Path):
        self.root = root
        shutil.copytree(model, self.channel("model"), dirs_exist_ok=True)

    def channel(self, name: str) -> Path:
        folder = self.root / "input" / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def config(self, **sections: Any) -> "Job":
        name = "eval.json" if sections.get("job") == "evaluate" else "run.json"
        (self.channel("config") / name).write_text(json.dumps({"schema": 1, "job": "train", **sections}))
        return self

    def rows(self, channel: str, rows: list[Any]) -> "Job":
        write_rows(self.channel(channel) / "part-000.jsonl", rows)
        return self

    def bench(self, name: str, scorer: dict[str, Any], items: list[dict[str, Any]], **lock: Any) -> "Job":
        folder = self.channel("benchmark") / name
        write_rows(folder / "items.jsonl", items)
        (folder / "lock.json").write_text(json.dumps({"benchmark": name, "lock": f"{name}@1", "scorer": scorer, **lock}))
        return self

    def run(self, kind: str = "train") -> int:
        """In this process, with signals left alone."""
        from continual import contract, evaluate_job, train_job

        job: Callable = train_job.train if kind == "train" else evaluate_job.evaluate
        return contract.run_job(job, contract.Root(self.root))

    def process(self, entry: str, **env: str) -> subprocess.Popen:
        """As the platform starts it."""
        full = {**os.environ, "PERENNIAL_ML_ROOT": str(self.root), **env}
        return subprocess.Popen([sys.executable, str(TRAINING / entry)], env=full, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def failure(self) -> str:
        return (self.root / "output" / "failure").read_text()

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.root / "model" / "manifest.json").read_text())

    def history(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.root / "output" / "data" / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def job(tmp_path: Path, base: Path) -> Job:
    return Job(tmp_path / "ml", base)


def learn_rows(demo_: demo.Demo, count: int = 24) -> list[dict[str, Any]]:
    return demo_.learn[:count]


def ask(folder: Path, probes: list[demo.Probe]) -> float:
    """Share of probes that the model in `folder` answers exactly."""
    from continual import models
    from continual.generate import Request, generate

    loaded = models.load(folder)
    stop = frozenset(loaded.text.eos)
    requests = [Request(loaded.text.chat_ids(world.chat(p.question, "")["messages"][:1]), 6, stop_ids=stop) for p in probes]
    generate(loaded.model, requests, 64)
    return sum(loaded.text.decode(r.out) == p.contains for r, p in zip(requests, probes, strict=True)) / len(probes)


class StopAfter:
    """A SIGTERM that arrives before the given step."""

    def __init__(self, checks: int):
        self.left = checks

    def __bool__(self) -> bool:
        self.left -= 1
        return self.left < 0
