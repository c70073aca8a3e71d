"""Read rows of a channel: JSONL shards, plain or gzipped, one row at a time; errors name file and line (D2)."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from continual.errors import DataError
from continual.text import Row, Text

SUFFIXES = (".jsonl", ".jsonl.gz")
MAX_LINE = 8 * 1024 * 1024


def shards(folder: Path) -> list[Path]:
    """The shard files of a channel in name order; DataError when there is none."""
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(SUFFIXES))
    if not found:
        raise DataError(f"channel {folder.name}: no *.jsonl or *.jsonl.gz file in {folder}")
    return found


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not blank; a line above 8 MiB is refused before it fills memory."""
    opened = gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb")
    with opened as f:
        for number in range(1, 2**62):
            try:
                line = f.readline(MAX_LINE + 1)
            except (OSError, EOFError) as e:
                raise DataError(f"{path.name}:{number}: cannot be decompressed: {e}") from None
            if not line:
                return
            if len(line) > MAX_LINE:
                raise DataError(f"{path.name}:{number}: line is longer than {MAX_LINE} bytes")
            if line.strip():
                yield number, line


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and JSON object of each line."""
    for number, line in lines(path):
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as e:
            raise DataError(f"{path.name}:{number}: not valid JSON: {e}") from None
        if not isinstance(value, dict):
            raise DataError(f"{path.name}:{number}: must be a JSON object, is {type(value).__name__}")
        yield number, value


def read_rows(folder: Path, text: Text, data: Any, everything: bool = False) -> list[Row]:
    """All rows of a channel, tokenised. `data` is the run's data section; `everything` learns every token (cpt)."""
    rows = [row for path in shards(folder) for row in rows_of(path, text, data, data.completion_only and not everything)]
    if not rows:
        raise DataError(f"channel {folder.name}: holds no row")
    return rows


def rows_of(path: Path, text: Text, data: Any, only: bool = True) -> list[Row]:
    """The rows of one file, tokenised; `only` learns answers only."""
    rows = []
    for number, raw in objects(path):
        try:
            rows.append(text.row(raw, data.max_length, data.format != "plain", only))
        except DataError as e:
            raise DataError(f"{path.name}:{number}: {e}") from None
    return rows


def sha256(folder: Path) -> str:
    """Digest of the uncompressed lines of a channel's shards, in name order."""
    h = hashlib.sha256()
    for path in shards(folder):
        for _, line in lines(path):
            h.update(line.rstrip(b"\r\n") + b"\n")
    return h.hexdigest()


def key(raw: dict[str, Any]) -> str:
    """Identity of a row's content: its id and meta do not count."""
    content = {k: raw[k] for k in ("messages", "prompt", "completion", "text") if k in raw}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prompt_key(row: Row) -> str:
    """Identity of what a row asks (the tokens before its first learned one)."""
    first = row.target.index(True)
    return hashlib.sha256(json.dumps(row.ids[:first]).encode()).hexdigest()


def question(raw: dict[str, Any]) -> str:
    """What a row asks: its prompt or its first user message; empty for plain text."""
    asked = raw.get("prompt") or next((m["content"] for m in raw.get("messages", ()) if m["role"] == "user"), "")
    return asked.strip()


def asking(raw: dict[str, Any], question: str) -> dict[str, Any]:
    """The row with `question` in the place of what it asks."""
    if raw.get("prompt"):
        return {**raw, "prompt": question}
    at = next(i for i, m in enumerate(raw["messages"]) if m["role"] == "user")
    return {**raw, "messages": [{**m, "content": question} if i == at else m for i, m in enumerate(raw["messages"])]}


def answer(raw: dict[str, Any]) -> str:
    """What a row answers: its completion or its last assistant message; empty for plain text."""
    said = raw.get("completion") or next((m["content"] for m in reversed(raw.get("messages", ())) if m["role"] == "assistant"), "")
    return said.strip()


def normal(text: str) -> str:
    """A prompt without the differences that do not count: case and spaces."""
    return " ".join(text.casefold().split())
