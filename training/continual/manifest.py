"""Digests and manifests of model artifacts (M1): what was really written, and what is really loaded."""

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from continual.contract import write_json
from continual.errors import DataError

SERVED = ("config.json", "generation_config.json", "special_tokens_map.json")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".msgpack", ".h5")


def is_served(name: str) -> bool:
    """Whether a top-level file takes part in serving, hence in the digest."""
    return name in SERVED or name.startswith(("tokenizer", "chat_template")) or name.endswith(".safetensors")


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def digest_of(entries: Iterable[tuple[str, str]]) -> str:
    """`sha256:` + sha256 of the lines `<hex>  <path>\\n`, sorted by path; entries are (path, hex)."""
    lines = "".join(f"{sha}  {path}\n" for path, sha in sorted(entries))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def served_digest(folder: Path) -> str:
    """Digest of the served files of a model folder, computed from their bytes."""
    return digest_of((p.name, sha256_file(p)) for p in folder.iterdir() if p.is_file() and is_served(p.name))


def refuse_pickle(folder: Path) -> None:
    """Refuse a model folder with pickled weights, by name and unread: loading one can run code."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in PICKLES:
            raise DataError(f"{path.relative_to(folder)}: only safetensors weights are accepted; convert it and remove this file")


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Path, size and sha256 of each file below `folder` except the manifest itself."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.json")
    return [{"path": p.relative_to(folder).as_posix(), "size": p.stat().st_size, "sha256": sha256_file(p)} for p in files]


def write_manifest(folder: Path, **facts: Any) -> dict[str, Any]:
    """Write manifest.json as the last file of a model folder and return it."""
    files = list_files(folder)
    served = [(f["path"], f["sha256"]) for f in files if "/" not in f["path"] and is_served(f["path"])]
    manifest = {"schema": 1, "digest": digest_of(served), "files": files, **facts, "versions": versions()}
    write_json(folder / "manifest.json", manifest)
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a model folder, or an empty one when there is none."""
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_text()) if path.is_file() else {}
    except json.JSONDecodeError as e:
        raise DataError(f"manifest.json: not valid JSON: {e}") from None


def is_valid(folder: Path, **facts: Any) -> bool:
    """Whether the folder's manifest lists exactly its files with their digests and the given facts."""
    manifest = read_manifest(folder)
    if not manifest or any(manifest.get(k) != v for k, v in facts.items()):
        return False
    return manifest["files"] == list_files(folder)


def verify(folder: Path) -> str:
    """Check the folder against its manifest; return the digest of the served files, recomputed."""
    manifest = read_manifest(folder)
    for entry in manifest.get("files", []):
        path = folder / entry["path"]
        if "/" in entry["path"] or not is_served(entry["path"]):
            continue
        if not path.is_file() or sha256_file(path) != entry["sha256"]:
            raise DataError(f"{entry['path']}: differs from manifest.json; the model folder is incomplete or was changed")
    return served_digest(folder)


def code_sha256() -> str:
    """Digest of this library's sources, so that a result names the code that made it."""
    root = Path(__file__).resolve().parent.parent
    files = sorted([*root.glob("*.py"), *root.glob("continual/**/*.py")])
    return digest_of((p.relative_to(root).as_posix(), sha256_file(p)) for p in files)


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape the weights."""
    found = {"python": platform.python_version()}
    for name in ("torch", "transformers", "tokenizers", "peft", "safetensors"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
