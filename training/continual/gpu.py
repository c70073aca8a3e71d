"""The comparison for one GPU: the tiny world made large. A model of 30 million parameters is pretrained on invented people
(about three minutes on an H200), then learns thousands of new ones with each preset.
"""

import random
from pathlib import Path
from typing import Any

from continual import tiny, world
from continual.errors import ConfigError

RECIPE: dict[str, Any] = {"recipe": "gpu-1", "steps": 2400, "batch": 1024, "lr": 1e-3, "seed": world.SEED, "people": 20000}
SHAPE = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 64}
COMPANY = 2000  # new people, two facts each
PROBES = 2000  # old facts that are asked
SECTIONS = {"train": {"batch_rows": 288}}  # of every preset: a GPU is idle at the batches of two cores


def check() -> None:
    """ConfigError where torch sees no GPU, with what there is instead."""
    import torch

    if not torch.cuda.is_available():
        raise ConfigError(
            "protocol gpu: torch sees no CUDA GPU here. It pretrains a model of 30 million parameters on 20,000 invented people and teaches "
            "it 2,000 more with every preset: minutes on one H200, days on a processor. Without a GPU use `protocol tiny` (seconds a job) "
            "or `protocol smol` (a real model, minutes a job)"
        )


def build(out: Path) -> bool:
    """Pretrain the base on the GPU; False when it is there already."""
    import torch

    check()
    torch.set_float32_matmul_precision("high")
    return tiny.build(out, RECIPE, SHAPE, "cuda")


def new_facts(people: int = RECIPE["people"], company: int = COMPANY) -> list[dict[str, Any]]:
    """The new people: three phrasings to learn, the other two to ask."""
    _, new = world.facts(people, company)
    forms = [[f.ask(p) for p in range(5)] for f in new]
    return [{"train": q[:3], "test": q[3:], "answer": f.value, "capability": f.attribute} for f, q in zip(new, forms, strict=True)]


def known(people: int = RECIPE["people"], count: int = PROBES) -> list[dict[str, Any]]:
    """Old probes: `count` of what the base learned."""
    asked, _ = _halves(people, count)
    return [{"test": [f.ask(i % 5)], "answer": f.value, "capability": f.attribute} for i, f in enumerate(asked)]


def general(people: int = RECIPE["people"], count: int = PROBES) -> list[dict[str, Any]]:
    """The buffer: as many other old facts, so that every probe lies outside it."""
    _, kept = _halves(people, count)
    return [{**world.chat(f.ask(i % 5), f.value), "meta": {"capability": f.attribute}} for i, f in enumerate(kept)]


def _halves(people: int, count: int) -> tuple[list[world.Fact], list[world.Fact]]:
    base, _ = world.facts(people, 0)
    picked = random.Random(world.SEED).sample(base, 2 * count)
    return picked[:count], picked[count:]
