"""Locked benchmark folders for what people name: files of items, task files, tasks of lm-evaluation-harness (B3)."""

import importlib.metadata
import shutil
from pathlib import Path
from typing import Any

from continual import data, manifest, taskfile
from continual.contract import write_json
from continual.errors import ConfigError


def items_file(items: Path, folder: Path) -> None:
    """A file of items as a benchmark; its lock is the digest of the file."""
    _, first = next(data.objects(items), (0, {}))
    kind = "choice" if first.get("choices") else "normalized_exact"
    _lock(folder, f"file:{kind}:{manifest.sha256_file(items)}", {"kind": kind}, prompt={"chat": True})
    (folder / "items.jsonl").symlink_to(items.resolve())


def task_names(names: list[str], place: Path) -> None:
    """Tasks that the library ships; the lock is the library's version and the task's name."""
    for name in names:
        _lock(place / name, f"{installed()}:{name}", {"kind": "harness", "params": {"task": name, "version": installed()}})


def task_file(path: Path, place: Path) -> None:
    """A task file with its data; the lock is the library's version and the digest of all of them."""
    task, home = taskfile.read(path), path.parent.resolve()
    files = {path.resolve(), *(Path(f) for many in task["dataset_kwargs"]["data_files"].values() for f in many)}
    digest = manifest.digest_of((f.relative_to(home).as_posix(), manifest.sha256_file(f)) for f in files)
    folder = place / str(task["task"]).replace("/", "-")
    for f in files:
        copy = folder / f.relative_to(home)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(f, copy)
    _lock(folder, f"{installed()}:{digest}", {"kind": "harness", "params": {"task": path.name, "version": installed()}})


def installed() -> str:
    """The library as locks name it: `lm-eval/<version>`."""
    try:
        return f"lm-eval/{importlib.metadata.version('lm-eval')}"
    except importlib.metadata.PackageNotFoundError:
        raise ConfigError("harness: lm-eval is not installed; run training/setup.sh VENV --extra") from None


def _lock(folder: Path, lock: str, scorer: dict[str, Any], **more: Any) -> None:
    write_json(folder / "lock.json", {"benchmark": folder.name, "lock": lock, "scorer": scorer, **more})
