"""The command `protocol`: its options, what they mean, and what runs."""

import argparse
from pathlib import Path
from typing import Any

from continual.errors import ConfigError

ABOUT = """Train every preset with several seeds on the same new facts, then ask new questions (in phrasings that were never
trained) and old ones, and table what was learned and what was lost. `naive` always runs: FR is a preset's loss of old
answers as a share of naive's, GR its gain of new answers as a share of naive's.

Bases: tiny (ours, pretrained in seconds; a job takes seconds), smol (SmolLM2-135M-Instruct; a job takes minutes on two
cores), gpu (ours, 30 million parameters, pretrained in minutes; needs a CUDA GPU).

Presets: naive (adapters on the upper MLPs, new rows only), lora (rank 16 on all layers, new rows only), replay (old rows
with the plain loss), safe (old rows and questions of the model's own, held by KL), no_old_data (the same without old rows),
knowledge, skill, long_stream, large.

Writes into --out: protocol.json (`runs`: a row per preset and seed), protocol.md (table with 95% intervals over seeds)
and protocol.svg (learned against kept). A finished job is kept: the same command again goes on where it stopped."""

EXAMPLES = """own facts and probes, one JSON object a line:
  new  {"id": "ceo", "capability": "people", "train": ["Who leads Acme?", "Who is the head of Acme?"],
        "test": ["Name the CEO of Acme."], "answer": "Ada Byron|A. Byron", "completion": "Ada Byron leads Acme."}
  old  {"id": "fr", "test": ["What is the capital of France?"], "answer": "Paris"}
  old  {"id": "sky", "test": ["What color is the sky?"], "answer": "blue", "choices": ["blue", "green"]}
`answer` is what a right reply contains (alternatives with |), `completion` what is trained on (the answer when absent),
with `choices` the model picks the likeliest. Old probes have no `train`; those that the replay buffer does not ask are
also scored apart (outside_buffer_after).

examples:
  python -m continual protocol tiny --presets naive,safe --seeds 3 --out /tmp/tiny
  python -m continual protocol smol --new facts.jsonl --old probes.jsonl --presets safe,no_old_data --seeds 3 --out /tmp/mine
  python -m continual protocol smol --presets naive,lora,replay,safe,no_old_data --seeds 3 --updates 2 --out /tmp/all"""


def add(sub: Any) -> None:
    """Add the command to the parser's subcommands."""
    c = sub.add_parser("protocol", help="compare presets", description=ABOUT, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    c.add_argument("model", choices=["tiny", "smol", "gpu"], help="base model and, without --new, our facts")
    c.add_argument("--new", type=Path, metavar="FILE", help="own facts (goes with --old)")
    c.add_argument("--old", type=Path, metavar="FILE", help="own old probes (goes with --new)")
    c.add_argument("--buffer", type=Path, metavar="FILE", help="own old training rows (default: our general ones with the base's own answers)")
    c.add_argument("--presets", default="naive,safe", metavar="A,B", help="comma-separated (default naive,safe); see training/README.md")
    c.add_argument("--seeds", type=int, default=1, metavar="N", help="repetitions; intervals need at least 2, better 3 (default 1)")
    c.add_argument(
        "--updates",
        type=int,
        default=1,
        metavar="N",
        help="split the facts into N updates that follow each other, smol's at 2 by its two files (default 1)",
    )
    c.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="a field of run.json for every preset, such as train.epochs=3")
    c.add_argument("--base", type=Path, metavar="DIR", help="base model folder to use instead of making one in --out")
    c.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for tables, jobs and the base model")
    c.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the comparison; everything that can be wrong with the arguments is found before the base is made."""
    from continual import config, gpu, presets, protocol

    names = [p.strip() for p in args.presets.split(",") if p.strip()]
    sections = config.override({"gpu": gpu.SECTIONS, "tiny": presets.TINY}.get(args.model, {}), config.fields(args.set))
    protocol.check(names, args.seeds, sections)
    if (args.new is None) != (args.old is None):
        raise ConfigError("--new and --old go together: facts to learn, and questions of what the model knows already")
    if args.model == "gpu":
        gpu.check()
    return _compare(args, names, sections)


def _compare(args: argparse.Namespace, presets: list[str], sections: dict[str, Any]) -> int:
    from continual import bar, facts, protocol, report

    updates = facts.updates(args.model, args.new, args.old, args.buffer, args.updates)
    with bar.shown():
        done = protocol.run(updates, _base(args), presets, args.seeds, args.out, sections=sections)
    print(report.markdown(done))
    print(f"written: {args.out / 'protocol.json'}, protocol.md, protocol.svg")
    return 0


def _base(args: argparse.Namespace) -> Path:
    from continual import gpu, manifest, smol, tiny

    if args.base:
        manifest.verify(args.base)
        return args.base
    base = args.out / "base"
    {"tiny": tiny, "smol": smol, "gpu": gpu}[args.model].build(base)
    return base
