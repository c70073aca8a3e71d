"""Speed on this machine: what a step costs in forwards, what replay costs, how fast a server streams, how soon a job starts.

Every ratio comes from one process and one minute, its two sides in turn, so that other load hits both. Tokens are those of
the rows; shared beginnings and padding are not counted twice or at all.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from continual import config, contract, facts, lora, losses, models, params, smol
from continual.errors import ConfigError
from continual.forward import Forward
from continual.gradient import Part, cut
from continual.plan import plan
from continual.predictions import cross_entropy
from continual.speed_streams import memory, seconds, streams
from continual.text import Row
from continual.trainer import Trainer

ROUNDS = 5
SAMPLE = 64  # rows by which the work that is done once a row is measured
ALL = {"first_layer": 0.0, "targets": "all-linear"}
REPLAY = {"mode": "replay", "ratio": 0.25}


def run(model: Path | None, only: list[str]) -> int:
    """Measure and print the named parts, a line a figure."""
    parts = {"memory": memory, "steps": steps, "replay": replay, "streams": streams, "start": start, "trl": trl}
    if unknown := set(only) - set(parts):
        raise ConfigError(f"--only: {', '.join(sorted(unknown))}: must be among {', '.join(parts)}")
    with tempfile.TemporaryDirectory() as folder:
        base = model or Path(folder) / "base"
        if not model:
            smol.build(base)
        for name in only:
            for line in parts[name](base, Path(folder)):
                print(f"{name:8}{line}", flush=True)
    return 0


def rows(loaded: models.Loaded) -> tuple[list[Row], list[Row]]:
    """New and old rows of the protocol's fifty facts."""
    suite = facts.updates("smol", None, None, None, 1)[0]
    return tuple([loaded.text.row(raw, 512) for raw in raws] for raws in (suite.learn, suite.buffer))


def trainer(loaded: models.Loaded, out: Path, **sections: Any) -> Trainer:
    """A trainer over the fifty facts."""
    cfg = config.parse({"schema": 1, "job": "train", **sections}, "train")
    torch.manual_seed(cfg.seed)
    new, old = rows(loaded)
    work = plan(new, old, cfg)
    t = params.setup(loaded.model, cfg)
    terms = losses.build(cfg, t, {}, [], bool(work.per_step_old))
    return Trainer(contract.Root(out), contract.Stop(), cfg, Forward(loaded, t), t, terms, work, [], {})


@dataclass
class Cost:
    """Seconds: of a forward through all layers, of a step once what is kept of its rows is there, and of that work for a run."""

    forward: float
    step: float
    once: float
    tokens: float
    steps: int

    @property
    def spread(self) -> float:
        """Seconds a step, with the work done once."""
        return self.step + self.once / self.steps


def cost(loaded: models.Loaded, out: Path, **sections: Any) -> Cost:
    """What steps of a configuration cost; its adapters are gone afterwards."""
    made = trainer(loaded, out, **sections)
    plain = Forward(loaded, params.Trainable("none", {}))
    once = prepare(made)
    forwards, taken, count = [], [], 0
    for k in range(ROUNDS):
        new, old = made.work.rows(made.cfg.seed, k)
        made.step(k)  # from here on the rows are known
        count += sum(map(len, new + old))
        parts = cut(new, old)
        forwards.append(seconds(lambda parts=parts: forward(plain, made, parts)))
        taken.append(seconds(lambda k=k: made.step(k)))
    lora.detach(loaded.model, made.t.adapters)
    return Cost(statistics.median(forwards), statistics.median(taken), once, count / ROUNDS, made.work.steps)


def steps(model: Path, out: Path) -> Iterator[str]:
    """A step against a forward of the same rows through all layers, both by the same decoder."""
    loaded = models.load(model)
    every = {"preset": "naive", "params": ALL, "train": {"batch_rows": 16}}
    for name, sections in (("safe", {}), ("naive", {"preset": "naive"}), ("LoRA r16 on all layers, 16 rows", every)):
        c = cost(loaded, out, **sections)
        yield (
            f"{name}: {c.tokens:.0f} tokens, forward {1e3 * c.forward:.0f} ms, step {1e3 * c.step:.0f} ms = {c.step / c.forward:.2f} forwards, "
            f"{c.tokens / c.step:.0f} tokens/s; {c.once:.1f} s once a run: {c.spread / c.forward:.2f} forwards over {c.steps} steps"
        )


@torch.no_grad()
def forward(plain: Forward, made: Trainer, parts: list[Part]) -> float:
    """The loss of a step's parts by one pass through every layer, adapters off."""

    def loss(part: Part) -> float:
        with made.t.teacher():
            return cross_entropy(plain(part.new + part.old)).item()

    return sum(plain.each(loss, parts))


@torch.no_grad()
def prepare(made: Trainer) -> float:
    """Seconds to compute what a run keeps of its rows: lower layers' states, and of old rows the teacher's; by a sample."""
    made.work.register(made.forward, made.cfg.seed)
    spent = 0.0
    for all_rows, taught in ((made.work.new, False), (made.work.old, True)):
        some = all_rows[:SAMPLE] if made.work.per_step_old or not taught else []
        each = len(all_rows) / max(1, len({id(r) for s in some for r in made.forward.groups[id(s)]}))
        for keep in [made.forward.keep_lower] + taught * [made.forward.remember]:
            spent += seconds(lambda some=some, keep=keep: keep(some)) * each
    made.forward.forget()
    return spent


def replay(model: Path, out: Path) -> Iterator[str]:
    """KL on a quarter of the rows against naive with as many rows and steps, what is done once included."""
    loaded = models.load(model)
    same = {"preset": "naive", "train": {"batch_rows": 16, "max_steps": 100}}
    a, b = cost(loaded, out, **same), cost(loaded, out, **same, replay=REPLAY, loss={"kl": 1.0})
    per = [c.tokens / c.spread for c in (a, b)]
    yield (
        f"16 rows a step, 100 steps: naive {1e3 * a.spread:.0f} ms a step, KL on 25 % {1e3 * b.spread:.0f} ms = {b.spread / a.spread:.2f} times; "
        f"{per[0] / per[1]:.2f} times a token; without what is done once {b.step / a.step:.2f} times"
    )


def job(model: Path, root: Path, **sections: Any) -> tuple[list[tuple[float, str]], float, int]:
    """Run train.py on the fifty facts: its lines with their time, seconds in all, and its largest memory in MB."""
    suite = facts.updates("smol", None, None, None, 1)[0]
    channels = root / "input" / "data"
    contract.write_json(channels / "config" / "run.json", {"schema": 1, "job": "train", **sections})
    (channels / "model").symlink_to(model.resolve())
    for name, raws in (("train", suite.learn), ("replay", suite.buffer)):
        contract.write_atomic(channels / name / "rows.jsonl", "".join(json.dumps(r) + "\n" for r in raws))
    began = time.monotonic()
    lines = []
    entry = Path(__file__).resolve().parent.parent / "train.py"
    env = {"PERENNIAL_ML_ROOT": str(root)}
    with subprocess.Popen([sys.executable, entry], env=env, stdout=subprocess.PIPE, text=True) as p:
        lines = [(time.monotonic() - began, line) for line in p.stdout]
    return lines, time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def start(model: Path, out: Path) -> Iterator[str]:
    """From the start of a `safe` job's process to the end of its first step."""
    lines, _, peak = job(model, out / "job", train={"max_steps": 2})
    at = {line.split()[1]: t for t, line in reversed(lines)}
    read, first, own = at["phase=data"], at["step=1"], max(t for t, line in lines if "phase=self_generate" in line)
    yield f"safe: rows are read after {read:.1f} s, the first step is done after {first:.1f}, rows of its own after {own:.1f}; {peak} MB"


def trl(model: Path, out: Path) -> Iterator[str]:
    """See speed_trl.py."""
    from continual import speed_trl

    yield from speed_trl.compare(model, out)
