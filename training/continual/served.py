"""Adapters that a running server loads and lets go (R2): a peft LoRA folder on the shared base, named by requests."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from continual import lora_file, manifest
from continual.errors import DataError


@dataclass
class Adapter:
    """One loaded adapter; `key` is unique over reloads under the same name."""

    name: str
    key: str
    path: str
    users: int = 0
    dropped: bool = False


class Adapters:
    """The adapters of one model by name. An unloaded one stays in memory until its last running request ends."""

    def __init__(self, model: Any):
        self.model = model
        self.by_name: dict[str, Adapter] = {}
        self.seen: set[str] = set()
        self.lock = threading.Lock()
        self.loads = 0

    def load(self, name: str, folder: Path) -> Adapter:
        """Read and check an adapter folder; it replaces one of the same name for requests that come later."""
        deltas = read(folder, self.model.adaptable())
        with self.lock:
            self.loads += 1
            fresh = Adapter(name, f"{name}#{self.loads}", str(folder))
            self.model.add_adapter(fresh.key, deltas)
            old = self.by_name.get(name)
            self.by_name[name] = fresh
            self.seen.add(name)
            if old:
                self._drop(old)
        return fresh

    def unload(self, name: str) -> None:
        """Take an adapter away; KeyError when there is none of this name."""
        with self.lock:
            self._drop(self.by_name.pop(name))

    def take(self, name: str) -> Adapter | None:
        """The adapter of this name, held until `give`; None when there is none."""
        with self.lock:
            found = self.by_name.get(name)
            if found:
                found.users += 1
            return found

    def give(self, adapter: Adapter) -> None:
        """A request has ended."""
        with self.lock:
            adapter.users -= 1
            if adapter.dropped and adapter.users == 0:
                self.model.drop_adapter(adapter.key)

    def _drop(self, adapter: Adapter) -> None:
        adapter.dropped = True
        if adapter.users == 0:
            self.model.drop_adapter(adapter.key)


def read(folder: Path, shapes: dict[str, tuple[int, int]]) -> dict[str, tuple[Tensor, Tensor]]:
    """Layer name -> (B [out, r] with its scale, A [r, in]); DataError says what does not fit this base."""
    if not folder.is_dir():
        raise DataError(f"lora_path: no folder {folder}")
    manifest.refuse_pickle(folder)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        if not (folder / name).is_file():
            raise DataError(f"{name}: missing in {folder}; expected a LoRA adapter in peft's format")
    _plain(folder / "adapter_config.json")
    try:
        deltas = lora_file.load(folder)
    except Exception as e:  # a file of unknown origin: whatever is wrong with it is the caller's to mend
        raise DataError(f"{folder}: is no readable LoRA adapter: {e}") from None
    deltas = {n.removeprefix("inner."): pair for n, pair in deltas.items()}
    if not deltas:
        raise DataError("adapter_model.safetensors: holds no lora_A and lora_B")
    for n, (b, a) in deltas.items():
        if n not in shapes:
            raise DataError(f"{n}: this base has no such linear layer")
        if (b.shape[0], a.shape[1]) != shapes[n] or b.shape[1] != a.shape[0]:
            raise DataError(f"{n}: the adapter is {b.shape[0]}x{a.shape[1]}, the base's layer {shapes[n][0]}x{shapes[n][1]}")
    return deltas


def _plain(path: Path) -> None:
    """Only what y = W x + (alpha / r) B A x says is served; every other variant would answer wrongly."""
    try:
        config = json.loads(path.read_text())
    except ValueError as e:
        raise DataError(f"adapter_config.json: not valid JSON: {e}") from None
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise DataError(f"adapter_config.json: peft_type must be LORA, is {kind!r}")
    for key in ("use_dora", "use_rslora", "modules_to_save", "trainable_token_indices", "lora_bias"):
        if config.get(key):
            raise DataError(f"adapter_config.json: {key} is not served; merge the adapter into the base")
    if config.get("bias", "none") != "none":
        raise DataError("adapter_config.json: bias must be none; merge the adapter into the base")
