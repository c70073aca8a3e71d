"""Adapters on disk, in peft's format."""

import json
from pathlib import Path

from torch import Tensor

from continual.lora import LoraLinear


def save(folder: Path, adapters: dict[str, LoraLinear]) -> None:
    """Write adapter_config.json and adapter_model.safetensors as peft and vLLM read them; alpha = r, so the scale is 1."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    tensors, ranks = {}, {}
    for name, adapter in adapters.items():
        b, a = adapter.factors()
        tensors[f"base_model.model.{name}.lora_A.weight"] = a.detach().cpu().contiguous()
        tensors[f"base_model.model.{name}.lora_B.weight"] = b.detach().cpu().contiguous()
        ranks[name] = a.shape[0]
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    r = max(ranks.values())
    odd = {n: k for n, k in ranks.items() if k != r}
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": r,
        "lora_alpha": r,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": sorted(adapters),
        "rank_pattern": odd,
        "alpha_pattern": odd,
        "base_model_name_or_path": None,
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """Module name -> (B with its scale, A) of a saved adapter."""
    from safetensors.torch import load_file

    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    prefix, suffix = "base_model.model.", ".lora_A.weight"
    out = {}
    for key, a in tensors.items():
        if key.endswith(suffix):
            name = key[len(prefix) : -len(suffix)]
            r = config.get("rank_pattern", {}).get(name, config["r"])
            alpha = config.get("alpha_pattern", {}).get(name, config["lora_alpha"])
            out[name] = (tensors[f"{prefix}{name}.lora_B.weight"].float() * (alpha / r), a.float())
    return out
