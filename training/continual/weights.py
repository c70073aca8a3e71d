"""Weight files of a model folder: safetensors, whole or in shards."""

import json
from pathlib import Path

from torch import Tensor

from continual.errors import DataError


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """All tensors of the weight files; DataError for a file that is no safetensors."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state: dict[str, Tensor] = {}
    for path in weight_files(folder):
        try:
            state.update(load_file(path))
        except SafetensorError as e:
            raise DataError(f"{path.name}: is no valid safetensors file: {e}") from None
    return state


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that hold the model's weights."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        return [folder / n for n in sorted(set(json.loads(index.read_text())["weight_map"].values()))]
    path = folder / "model.safetensors"
    if not path.is_file():
        raise DataError(f"model.safetensors: missing in {folder}")
    return [path]
