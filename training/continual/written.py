"""Rows of the model's own for a run: written once, kept beside the checkpoints, and read from there by a run that goes on."""

from typing import Any

from continual import data, models, own, replay, words
from continual.contract import Root, Stop, progress
from continual.errors import DataError, Stopped
from continual.text import Row


def rows(root: Root, inputs: Any, writer: models.Loaded, read: dict[str, words.Question], stop: Stop) -> list[Row]:
    """Whole ones, as many as the buffer lacks of replay.self_generate, then those near the new rows. Where no old rows are held
    out, some of the whole ones are."""
    kept = root.checkpoints / "self_generated.jsonl"
    if kept.is_file():
        made = data.rows_of(kept, inputs.parent.text, inputs.cfg.data)
    else:
        made = _write(inputs, writer, read, stop)
        replay.dump(kept, made)
    if not made and not inputs.old.buffer:
        raise DataError("replay.self_generate: the model wrote no usable row of its own; pass old rows in the channel `replay`")
    whole = [r for r in made if not replay.is_near(r)]
    if not inputs.old.holdout:
        n = min(inputs.cfg.replay.holdout, len(whole) // 4)
        inputs.old.holdout, whole = whole[:n], whole[n:]
    return whole + [r for r in made if replay.is_near(r)]


def _write(inputs: Any, writer: models.Loaded, read: dict[str, words.Question], stop: Stop) -> list[Row]:
    cfg, buffer = inputs.cfg, inputs.old.buffer
    known = {data.key(r.raw) for r in buffer + inputs.old.holdout}
    missing = max(0, cfg.replay.self_generate - len(buffer))
    if missing or cfg.replay.near:
        own.check_writes(writer)
    made = own.self_generate(writer, missing, cfg, known, lambda n: _tell(n, missing, stop))
    return made + own.near(writer, inputs.new, read, cfg, known, lambda n, of: _tell(n, of, stop))


def _tell(n: int, total: int, stop: Stop) -> None:
    progress(phase="self_generate", item=n, items=total)
    if stop:
        raise Stopped("SIGTERM while the model wrote rows of its own; start the job again to go on")
