"""`train`, `evaluate`, `serve` and `compare` for people: plain folders laid out as the container contract wants them."""

import argparse
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from continual import awake, bar, contract, hub
from continual.errors import ConfigError

TRAIN_HELP = """Train the next version of a model and write it to OUT/model. Killed or stopped? The same command goes on.

  python -m continual train --model base --data facts.jsonl --out v1
  python -m continual train --model v1/model --data new.jsonl --old old.jsonl --carry v1/model/cl_state --out v2
  python -m continual train --model base --data facts.jsonl --preset naive --set train.epochs=3 --set params.r=8 --out try
  python -m continual train --model Qwen/Qwen2.5-0.5B-Instruct --data facts.jsonl --out v1       (fetched once, with a network)

A row is {"prompt", "completion"}, {"messages": [{"role", "content"}]} or {"text"}."""
EVALUATE_HELP = """Score a model on benchmarks; OUT/model/results.jsonl has a line an item. The same command goes on where it stopped.

  python -m continual evaluate --model v1/model --benchmark benchmarks/perennial-knowledge --out scores
  python -m continual evaluate --model v1/model --benchmark questions.jsonl --out scores

  python -m continual evaluate --model v1/model --benchmark task.yaml --out scores
  python -m continual evaluate --model v1/model --benchmark lm-eval:arc_easy,hellaswag --out scores

A benchmark is a folder with lock.json and items.jsonl, a folder of such folders, or a file of items
{"id", "input", "target"}, scored by normalized_exact (by log-likelihood where the items have "choices").
task.yaml is a task file of lm-evaluation-harness with its data beside it; lm-eval:NAME is a task or group that the
library ships, whose data comes from the hub. Both need `training/setup.sh VENV --extra`."""
SERVE_HELP = """Serve a model: OpenAI-shaped chat and completions with streaming, until Ctrl-C.

  python -m continual serve --model v1/model --port 8080
  curl localhost:8080/v1/chat/completions -d '{"messages": [{"role": "user", "content": "Hello"}]}'"""
COMPARE_HELP = """Evaluate two models on the same items and show what was gained and what was forgotten.

  python -m continual compare --old base --new v1/model --benchmark benchmarks --out compared
  bin/perennial gate --incumbent compared/old/model/results.jsonl --candidate compared/new/model/results.jsonl

The second command gives intervals and a verdict."""


def add(sub: Any) -> None:
    """Add the four commands to the parser."""
    t = _command(sub, "train", "train the next version of a model", TRAIN_HELP, _train)
    t.add_argument("--model", type=Path, required=True, help="model folder to start from, or a Hugging Face id (org/name)")
    t.add_argument("--data", type=Path, required=True, help="rows to learn: a .jsonl or .jsonl.gz file, or a folder of them")
    t.add_argument("--old", type=Path, help="rows of what the model knows already, to be repeated")
    t.add_argument("--carry", type=Path, help="cl_state folder of the previous version")
    t.add_argument(
        "--preset", default="safe", help="safe (default), knowledge, skill, no_old_data, long_stream, large; to compare: naive, lora, replay"
    )
    t.add_argument("--seed", type=int, default=17)
    t.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of run.json, such as train.lr=0.001")
    t.add_argument("--out", type=Path, required=True, help="folder to write")
    e = _command(sub, "evaluate", "score a model on benchmarks", EVALUATE_HELP, _evaluate)
    e.add_argument("--model", type=Path, required=True, help="model folder, or a Hugging Face id (org/name)")
    c = _command(sub, "compare", "compare two models item by item", COMPARE_HELP, _compare)
    c.add_argument("--old", type=Path, required=True, help="model folder of today, or a Hugging Face id")
    c.add_argument("--new", type=Path, required=True, help="model folder of tomorrow, or a Hugging Face id")
    for p in (e, c):
        p.add_argument("--benchmark", required=True, help="benchmark folder, folder of benchmarks, file of items, task.yaml, or lm-eval:TASK")
        p.add_argument("--out", type=Path, required=True, help="folder to write")
    s = _command(sub, "serve", "serve a model", SERVE_HELP, _serve)
    s.add_argument("--model", type=Path, required=True, help="model folder, or a Hugging Face id (org/name)")
    s.add_argument("--port", type=int, default=8080)


def _command(sub: Any, name: str, short: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    p = sub.add_parser(name, help=short, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.set_defaults(run=run)
    return p


def _train(args: argparse.Namespace) -> int:
    from continual import config
    from continual.train_job import train

    raw = {"schema": 1, "job": "train", "preset": args.preset, "seed": args.seed}
    raw = config.override(raw, config.fields(args.set))
    config.parse(raw, "train")
    sources = {"model": hub.model(args.model), "train": args.data, "replay": args.old, "cl_state": args.carry}
    code = _job(args.out, raw, "run.json", sources, train)
    if code == 0:
        print(f"the next version is in {args.out / 'model'}; its card is README.md there")
    return code


def _evaluate(args: argparse.Namespace) -> int:
    code = _evaluated(args.model, args.benchmark, args.out)
    if code == 0:
        for b in json.loads((args.out / "model" / "summary.json").read_text())["benchmarks"]:
            print(f"{b['benchmark']}: {b['mean']:.3f} over {b['n']} items, {b['errors']} errors")
        print(f"a line an item: {args.out / 'model' / 'results.jsonl'}")
    return code


def _evaluated(model: Path, benchmark: str, out: Path) -> int:
    from continual.evaluate_job import evaluate

    raw = {"schema": 1, "job": "evaluate", "seed": 17}
    return _job(out, raw, "eval.json", {"model": hub.model(model)}, evaluate, benchmark)


def _compare(args: argparse.Namespace) -> int:
    from continual import compare
    from continual.evaluate_job import results_of

    for side, model in (("old", args.old), ("new", args.new)):
        print(f"{side}: {model}", flush=True)
        code = _evaluated(model, args.benchmark, args.out / side)
        if code:
            return code
    shown = compare.table(compare.pair(*(results_of(args.out / s / "model" / "results.jsonl") for s in ("old", "new"))))
    contract.write_atomic(args.out / "compare.md", shown + "\n")
    print(shown)
    return 0


def _serve(args: argparse.Namespace) -> int:
    import tempfile

    awake()
    from continual.serve_job import serve

    model = hub.model(args.model)
    os.environ["SERVE_PORT"] = str(args.port)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "model").symlink_to(model.resolve())
        return contract.run_job(serve, contract.Root(folder))


def _job(out: Path, raw: Any, name: str, sources: dict[str, Path | None], job: Any, benchmark: str | None = None) -> int:
    """Lay out the job's folder, run it with a progress bar, return its exit code."""
    inputs = out / "input" / "data"
    shutil.rmtree(inputs, ignore_errors=True)
    contract.write_json(inputs / "config" / name, raw)
    for channel, source in sources.items():
        if source is not None:
            _link(source, inputs / channel)
    if benchmark is not None:
        _benchmarks(benchmark, inputs / "benchmark")
    with bar.shown():
        return contract.run_job(job, contract.Root(out))


def _link(source: Path, place: Path) -> None:
    """A folder becomes the channel; a file lies in it."""
    _there(source, place.name)
    if source.is_dir():
        place.symlink_to(source.resolve())
        return
    place.mkdir(parents=True)
    (place / source.name).symlink_to(source.resolve())


def _there(source: Path, what: str) -> None:
    if not source.exists():
        raise ConfigError(f"{what}: {source} is not there")


def _benchmarks(given: str, place: Path) -> None:
    from continual import locks

    source = Path(given)
    if given.startswith("lm-eval:"):
        return locks.task_names(given.removeprefix("lm-eval:").split(","), place)
    _there(source, "--benchmark")
    if source.suffix in (".yaml", ".yml"):
        return locks.task_file(source, place)
    place.mkdir(parents=True)
    if source.is_file():
        return locks.items_file(source, place / source.name.split(".")[0])
    if (source / "lock.json").is_file():
        (place / source.name).symlink_to(source.resolve())
    else:
        for lock in sorted(source.glob("*/lock.json")):
            (place / lock.parent.name).symlink_to(lock.parent.resolve())
    return None
