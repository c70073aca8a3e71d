"""Load a model folder: our own decoder for Llama shapes, transformers for every other family (M3).

Both offer the same few calls (`features`, `head`, `new_cache`, `extend`), so trainer, evaluation and server are
written once. `features` is whatever `head` turns into logits: hidden states for ours, logits for transformers'.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from continual import llama, llama_config, processor, product, weights
from continual.errors import ConfigError, DataError
from continual.manifest import refuse_pickle
from continual.text import Text

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass
class Loaded:
    """A model folder in memory."""

    folder: Path
    config: dict[str, Any]
    model: Any  # llama.Llama or hf.HFModel
    text: Text
    stored: torch.dtype  # dtype of the weights on disk, kept by the next version

    @property
    def context(self) -> int:
        """Longest sequence the model was made for, tokens."""
        c = self.config
        return int(c.get("max_position_embeddings") or c.get("n_positions") or 2048)


def device() -> torch.device:
    """The first GPU, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_dtype(name: str) -> torch.dtype:
    """`auto` is what PERENNIAL_DTYPE says, else bfloat16 where the hardware multiplies faster in it (GPU, AMX), else float32."""
    name = os.environ.get("PERENNIAL_DTYPE") or "auto" if name == "auto" else name
    if name in DTYPES:
        return DTYPES[name]
    if name != "auto":
        raise ConfigError(f"PERENNIAL_DTYPE: must be auto or one of {', '.join(DTYPES)}; is {name!r}")
    return torch.bfloat16 if torch.cuda.is_available() or cpu_has_amx() else torch.float32


def eases(name: str) -> bool:
    """Whether what need not be exact is computed in bfloat16 beside float32: where that takes half the time and no dtype was asked for."""
    return name == "auto" and not os.environ.get("PERENNIAL_DTYPE") and pick_dtype(name) == torch.float32 and product.halves()


def cpu_has_amx() -> bool:
    """Whether this processor has tiles of bfloat16. With AVX512-BF16 alone a whole step takes longer than in float32 (README,
    "Decisions"); emulation elsewhere takes several times as long."""
    return processor.has("amx_bf16")


def load(folder: Path, dtype: str = "auto", own: bool = True) -> Loaded:
    """Read a model folder. Pickled weights are refused unread; `own=False` forces transformers."""
    refuse_pickle(folder)
    path = folder / "config.json"
    if not path.is_file():
        raise DataError(f"config.json: missing in {folder}; expected a Hugging Face model folder")
    config = json.loads(path.read_text())
    kind = pick_dtype(dtype)
    ours = llama_config.parse_config(config) if own else None
    model: nn.Module
    if ours is not None:
        model = llama.load(folder, ours, kind)
    else:
        from continual import hf

        model = hf.load(folder, kind)
    return Loaded(folder, config, model.to(device()), Text(folder), stored_dtype(folder))


def writer(parent: Loaded, dtype: str) -> Loaded:
    """The model that writes rows for a job of this dtype: itself, or itself in bfloat16 where that is quicker and as true to its weights."""
    ours = hasattr(parent.model, "run")
    return load(parent.folder, "bfloat16") if ours and parent.stored == torch.bfloat16 and eases(dtype) else parent


def stored_dtype(folder: Path) -> torch.dtype:
    """Dtype of the first matrix in the weight file."""
    from safetensors import safe_open

    with safe_open(weights.weight_files(folder)[0], framework="pt") as f:
        name = max(f.keys(), key=lambda k: len(f.get_slice(k).get_shape()))
        found = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}.get(f.get_slice(name).get_dtype())
    if found is None:
        raise ConfigError("model.safetensors: weights must be float32, bfloat16 or float16")
    return found


def logits_at(model: Any, ids: Tensor, lengths: list[int], select: Tensor) -> Tensor:
    """Logits [n, V] at the packed positions `select` [n]; the vocabulary projection runs only there."""
    return model.head(model.features(ids, lengths)[select])
