"""Any Hugging Face causal model behind the calls of our own decoder (M3). Imported only when a model needs it."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForCausalLM, DynamicCache
from transformers.utils import logging

from continual.layers import Linear
from continual.lora import HEADS

logging.disable_progress_bar()


class Flat(Linear):
    """A linear layer over rows of any shape [..., in]."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x.reshape(-1, self.in_features)).view(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias


class HFCache:
    """A DynamicCache over left-aligned rows: keys of padding are masked, positions count real tokens only."""

    def __init__(self, rows: int, device: torch.device):
        self.past = DynamicCache()
        self.mask = torch.zeros(rows, 0, dtype=torch.long, device=device)
        self.adapters: list[str | None] = [None] * rows  # one for all rows: the server batches by adapter

    @property
    def lens(self) -> Tensor:
        return self.mask.sum(1)

    def keep(self, rows: Tensor) -> None:
        """Keep (or repeat) the given rows."""
        self.past.batch_select_indices(rows)
        self.mask = self.mask[rows]
        self.adapters = [self.adapters[r] for r in rows.tolist()]


class Switch:
    """Adds the deltas of the adapter `now` to the outputs of linear layers."""

    def __init__(self, layers: dict[str, nn.Linear]):
        self.layers, self.now = layers, None
        self.deltas: dict[str, dict[str, tuple[Tensor, Tensor]]] = {}
        for name, layer in layers.items():
            layer.register_forward_hook(self._adder(name))

    def _adder(self, name: str) -> Any:
        def add(_: nn.Module, args: tuple[Tensor, ...], y: Tensor) -> Tensor | None:
            found = self.deltas.get(self.now, {}).get(name)
            return None if found is None else y + F.linear(F.linear(args[0], found[1]), found[0])

        return add


class HFModel(nn.Module):
    """Wraps a transformers model; `features` are its logits and `head` is the identity."""

    joins = False  # caches of different requests are not merged

    def __init__(self, inner: Any):
        super().__init__()
        self.inner = inner
        self.switch: Switch | None = None

    @property
    def device(self) -> torch.device:
        return self.inner.device

    @property
    def depth(self) -> int:
        return int(getattr(self.inner.config, "num_hidden_layers", 1))

    def fuse(self) -> None:
        """Take the form that serves: adapters can be switched by request."""
        self.switch = Switch({n: m for n, m in self.inner.named_modules() if isinstance(m, nn.Linear) and not n.endswith(HEADS)})

    def add_adapter(self, key: str, deltas: dict[str, tuple[Tensor, Tensor]]) -> None:
        """Let requests that name `key` add low-rank deltas: layer name -> (B [out, r], A [r, in])."""
        weight = next(self.inner.parameters())
        self.switch.deltas[key] = {n: (b.to(weight), a.to(weight)) for n, (b, a) in deltas.items()}

    def drop_adapter(self, key: str) -> None:
        """Forget an adapter."""
        self.switch.deltas.pop(key, None)

    def adaptable(self) -> dict[str, tuple[int, int]]:
        """Shape (out, in) of each layer that an adapter can change, by name."""
        return {n: (m.out_features, m.in_features) for n, m in self.switch.layers.items()}

    def head(self, x: Tensor) -> Tensor:
        return x

    def features(self, ids: Tensor, lengths: list[int]) -> Tensor:
        """Logits [N, V] of packed rows; padded on the right inside."""
        rows = list(ids.split(lengths))
        padded = pad_sequence(rows, batch_first=True)
        mask = pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
        return self.inner(input_ids=padded, attention_mask=mask, use_cache=False).logits[mask.bool()]

    def new_cache(self, rows: int, capacity: int) -> HFCache:
        return HFCache(rows, self.device)

    def prefill(self, rows: list[list[int]], cache: HFCache) -> Tensor:
        """Logits [B, V] behind rows that fill an empty cache."""
        ids, lengths = torch.tensor([t for r in rows for t in r], device=self.device), list(map(len, rows))
        return self.extend(ids, lengths, cache)[torch.tensor(lengths, device=self.device).cumsum(0) - 1]

    def extend(self, ids: Tensor, lengths: list[int], cache: HFCache) -> Tensor:
        """Logits [N, V] of tokens that follow the cached ones; rows are padded on the left."""
        rows, t = ids.split(lengths), max(lengths)
        dev = self.device
        mask = torch.stack([torch.cat([torch.zeros(t - n), torch.ones(n)]) for n in lengths]).long().to(dev)
        padded = torch.zeros_like(mask)
        padded[mask.bool()] = torch.cat(list(rows))
        seen = cache.lens
        cache.mask = torch.cat([cache.mask, mask], 1)
        positions = (seen[:, None] + mask.cumsum(1) - 1).clamp(min=0)
        if self.switch is not None:
            self.switch.now = cache.adapters[0]
        out = self.inner(input_ids=padded, attention_mask=cache.mask, position_ids=positions, past_key_values=cache.past, use_cache=True)
        return out.logits[mask.bool()]


def load(folder: Path, dtype: torch.dtype) -> HFModel:
    """Load by transformers: safetensors only, no code from the model folder is run."""
    inner = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True)
    for m in inner.modules():
        if type(m) is nn.Linear:
            m.__class__ = Flat  # products by the library that is fastest here
    return HFModel(inner.eval().requires_grad_(False))
