"""Stand-in containers for tests of the platform around them: the SageMaker contract in the standard library.

They learn nothing; their "model" is a file that names its parent and the rows it saw. Real ones are in training/.
"""

import gzip
import hashlib
import json
import os
import pathlib
import time

ROOT = pathlib.Path(os.environ["PERENNIAL_ML_ROOT"])
DATA = ROOT / "input" / "data"
TEST = next((p.parent for p in ROOT.parents if (p / "perennial.db").exists()), ROOT)  # the test's folder, around the platform's
SERVED = ("config.json", "model.safetensors")


def digest(folder: pathlib.Path) -> str:
    """The digest of the served files, as the model folder's manifest has it."""
    lines = "".join(f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in sorted(SERVED))
    return "sha256:" + hashlib.sha256(lines.encode()).hexdigest()


def write_manifest(folder: pathlib.Path, parent: str) -> None:
    """manifest.json, written last."""
    files = [{"path": n, "size": (folder / n).stat().st_size, "sha256": hashlib.sha256((folder / n).read_bytes()).hexdigest()} for n in SERVED]
    (folder / "manifest.json").write_text(json.dumps({"schema": 1, "digest": digest(folder), "files": files, "parent": parent, "metrics": {"loss": 0.5}}))


def rows(channel: str) -> list:
    """The rows of a channel's shards."""
    out = []
    for path in sorted((DATA / channel).rglob("*.jsonl*")):
        text = gzip.open(path, "rt").read() if path.suffix == ".gz" else path.read_text()
        out += [json.loads(line) for line in text.splitlines()]
    return out


def wait_for(path: pathlib.Path) -> None:
    """Work until a test lets the job end, telling progress."""
    deadline = time.time() + 60
    step = 0
    while not path.exists() and time.time() < deadline:
        step += 1
        print(f"[perennial] step={step} steps=100 loss=1.5 eta_s=1", flush=True)
        time.sleep(0.05)
