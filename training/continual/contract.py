"""SageMaker's container contract under any root: paths, signals, failure file, progress lines (T3).

The root is /opt/ml inside a container and $PERENNIAL_ML_ROOT on one machine. Layout below it:
input/config, input/data/<channel>, model, output/data, output/failure, checkpoints.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from continual.errors import ConfigError, DataError, JobError, Stopped

FAILURE_CHARS = 1000  # SageMaker keeps 1024 characters of the failure file
RESERVED = 16 * 1024  # bytes kept for the failure file and its folder


class Root:
    """Paths of one job."""

    def __init__(self, root: str | Path | None = None):
        self.path = Path(root or os.environ.get("PERENNIAL_ML_ROOT") or "/opt/ml")
        self.model = self.path / "model"
        self.output = self.path / "output"
        self.checkpoints = self.path / "checkpoints"

    def channel(self, name: str, required: bool = True) -> Path | None:
        """Folder of an input channel; None (or DataError when required) if it is absent or empty."""
        folder = self.path / "input" / "data" / name
        if folder.is_dir() and any(folder.iterdir()):
            return folder
        if required:
            raise DataError(f"channel {name}: no files in {folder}; pass the channel `{name}` to the job")
        return None

    def hyperparameters(self) -> dict[str, str]:
        """SageMaker's hyperparameters (every value a string); empty when there are none."""
        path = self.path / "input" / "config" / "hyperparameters.json"
        return read_json(path) if path.is_file() else {}


def read_json(path: Path) -> Any:
    """The JSON document in `path`, or a ConfigError that names the file and position."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path.name}: file is missing at {path}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path.name}: not valid JSON: {e}") from None


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a file so that a crash leaves either the old or the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = data.encode() if isinstance(data, str) else data
    fd, tmp = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(fd, "wb") as f:
            f.write(raw)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(tmp, 0o644)
        os.replace(tmp, path)
    except BaseException:
        Path(tmp).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically, keys in their given order."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


class Stop:
    """Becomes true at the first SIGTERM; loops ask it between steps."""

    def __init__(self) -> None:
        self.asked = False

    def install(self) -> "Stop":
        """Take over SIGTERM for this process."""
        signal.signal(signal.SIGTERM, self._on_signal)
        return self

    def _on_signal(self, *_: Any) -> None:
        self.asked = True

    def __bool__(self) -> bool:
        return self.asked


_listener: Callable[[dict[str, Any]], None] | None = None


def listen(listener: Callable[[dict[str, Any]], None] | None) -> None:
    """Give metric lines to a person's progress bar instead of printing them; None prints again."""
    global _listener
    _listener = listener


def progress(**fields: Any) -> None:
    """Print one `[perennial] key=value …` line: the metric line that the platform parses."""
    if _listener is not None:
        _listener(fields)
        return
    parts = (f"{k}={short(v)}" for k, v in fields.items() if v is not None)
    print("[perennial] " + " ".join(parts), flush=True)


def short(value: Any) -> str:
    """A value as a metric line shows it: six digits, no spaces."""
    return f"{value:.6g}" if isinstance(value, float) else str(value).replace(" ", "_")


def run_job(job: Callable[[Root, Stop], None], root: Root | None = None) -> int:
    """Run a job to its exit code; a failure's first line goes to output/failure (shown to people)."""
    root = root or Root()
    failure = root.output / "failure"
    try:
        failure.unlink(missing_ok=True)
        _reserve(root.output).write_bytes(b"\0" * RESERVED)
        job(root, Stop().install())
        return 0
    except Stopped as e:
        print(f"[perennial] stopped: {e}", flush=True)
        return e.code
    except JobError as e:
        return _fail(failure, str(e), e.code)
    except OSError as e:
        traceback.print_exc()
        return _fail(failure, f"file system: {e}", 4)
    except Exception as e:
        traceback.print_exc()
        return _fail(failure, f"{type(e).__name__}: {e}", 4)
    finally:
        with contextlib.suppress(OSError):
            _reserve(root.output).unlink(missing_ok=True)


def _reserve(folder: Path) -> Path:
    """Room that is given back before the failure is written, so that a full disk still has a line for what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder / ".reserve"


def _fail(path: Path, message: str, code: int) -> int:
    line = " ".join(message.split())[:FAILURE_CHARS]
    print(f"[perennial] failed: {line}", file=sys.stderr, flush=True)
    try:
        _reserve(path.parent).unlink(missing_ok=True)
        write_atomic(path, line + "\n")
    except OSError as e:  # a full disk must not hide the first failure
        print(f"[perennial] could not write {path}: {e}", file=sys.stderr, flush=True)
    return code
