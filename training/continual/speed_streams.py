"""How fast a server streams on this machine, against what its memory gives."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from continual import SPIN, models
from continual.generate import Batch, Request
from continual.pace import Pace

STREAM_TOKENS = 64


def memory(model: Path, out: Path) -> Iterator[str]:
    """A plain read by all threads, and what else the machine does meanwhile."""
    yield f"{torch.get_num_threads()} threads read {bandwidth():.1f} GB/s; load {os.getloadavg()[0]:.1f}"


def bandwidth() -> float:
    """GB/s of summing 800 MB, the best of six."""
    x = torch.ones(200_000_000)
    return max(x.nbytes / 1e9 / seconds(lambda: x.sum().item()) for _ in range(6))


def seconds(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def streams(model: Path, out: Path) -> Iterator[str]:
    """Tokens a second of one stream and of several, against the limit that reading every weight once a token sets; in a
    process of its own, for a server's threads wait in another way than a job's."""
    if "GOMP_SPINCOUNT" not in os.environ:
        again = [sys.executable, "-m", "continual", "bench", "--only", "streams", "--model", str(model)]
        env = {**os.environ, "GOMP_SPINCOUNT": SPIN}
        yield from (line[8:] for line in subprocess.run(again, env=env, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines())
        return
    loaded = models.load(model)
    loaded.model.fuse()
    size = sum(p.nbytes for p in loaded.model.parameters()) / 1e9
    prompt = loaded.text.chat_ids([{"role": "user", "content": "Tell me about the sea."}])
    limit = bandwidth() / size
    yield f"limit {limit:.1f} tokens/s a stream: {size:.2f} GB of weights"
    for n in (1, 4, 16):
        made = max(streamed(loaded.model, prompt, n) for _ in range(3))
        limit = max(limit, bandwidth() / size)
        yield f"{n:2} streams: {made:.1f} tokens/s" + (f", {100 * made / limit:.0f} % of the limit" if n == 1 else "")


def streamed(model: Any, prompt: list[int], n: int) -> float:
    """Tokens a second of n requests that decode together, the prompt's own time left out."""
    batch = Batch(model)
    batch.add([Request(prompt, STREAM_TOKENS) for _ in range(n)])
    pace = Pace()
    return n * (STREAM_TOKENS - 1) / seconds(lambda: [pace.run(batch.step) for _ in range(STREAM_TOKENS - 1)])
