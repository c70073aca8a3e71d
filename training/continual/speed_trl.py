"""Our `naive` beside trl's SFTTrainer: same model, rows, adapters and number of steps, each in a process of its own.

Run as a program it is trl's side. `defaults` is SFTConfig as it comes (padding, gradient checkpointing, bfloat16) with the
`use_cpu` that it asks for; `float32` is what serves it best on a processor without bfloat16: float32 and no checkpointing.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STEPS, ROWS = 20, 16
KINDS: dict[str, dict[str, Any]] = {"float32": {"use_cpu": True, "bf16": False, "gradient_checkpointing": False}, "defaults": {"use_cpu": True}}


def compare(model: Path, out: Path) -> Iterator[str]:
    """Tokens a second of training and peak memory of all sides."""
    from continual import models, presets, speed

    loaded = models.load(model)
    new, _ = speed.rows(loaded)
    data = out / "rows.jsonl"
    data.write_text("".join(json.dumps(r.raw) + "\n" for r in new))
    lines, total, peak = speed.job(model, out / "ours", preset="naive", train={"max_steps": STEPS, "batch_rows": ROWS})
    ours = next(speed_of(line) for _, line in reversed(lines) if "tok_s=" in line)
    yield f"ours: {ours:.0f} tokens/s, {total:.0f} s start to end, {peak} MB"
    mean, first = sum(map(len, new)) / len(new), str(presets.PRESETS["naive"]["params"]["first_layer"])
    for name in KINDS:
        made = json.loads(
            subprocess.run(
                [sys.executable, "-P", __file__, str(model), str(data), name, str(out / name), first], stdout=subprocess.PIPE, check=True
            ).stdout.splitlines()[-1]
        )
        theirs = STEPS * ROWS * mean / made["train"]
        yield f"trl, {name}: {theirs:.0f} tokens/s, {made['all']:.0f} s start to end, {made['peak']} MB; ours is {ours / theirs:.1f} times as fast"


def speed_of(line: str) -> float:
    """`tok_s` of a metric line."""
    return float(line.split("tok_s=")[1].split()[0])


def main(model: str, data: str, kind: str, out: str, first_layer: str) -> None:
    """trl's side: prints {"train", "all", "peak"}."""
    began = time.monotonic()
    import resource

    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    raws = [json.loads(line) for line in Path(data).read_text().splitlines()]
    rows = [{"prompt": r["messages"][:-1], "completion": r["messages"][-1:]} for r in raws]
    net = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    args = SFTConfig(out, max_steps=STEPS, per_device_train_batch_size=ROWS, report_to="none", save_strategy="no", **KINDS[kind])
    upper = range(int(float(first_layer) * net.config.num_hidden_layers), net.config.num_hidden_layers)
    lora = LoraConfig(
        r=16, lora_alpha=32, target_modules=["gate_proj", "up_proj", "down_proj"], layers_to_transform=list(upper), task_type="CAUSAL_LM"
    )
    trainer = SFTTrainer(net, args, train_dataset=Dataset.from_list(rows), processing_class=AutoTokenizer.from_pretrained(model), peft_config=lora)
    done = trainer.train()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"train": done.metrics["train_runtime"], "all": time.monotonic() - began, "peak": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
