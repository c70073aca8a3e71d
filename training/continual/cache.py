"""Keys and values of rows that decode together. Rows join, move and leave inside one buffer: nothing else is copied.

Shapes: L layers, B rows that the buffer holds, K key heads, S positions, D head width.
"""

from typing import Any

import torch
from torch import Tensor


class KVCache:
    """Keys and values of `count` rows, each with its own length; `adapters` names the served adapter of each row."""

    def __init__(self, c: Any, rows: int, capacity: int, dtype: torch.dtype, device: torch.device):
        shape = (c.num_hidden_layers, 2, rows, c.num_key_value_heads, capacity, c.head_dim)
        self.kv = torch.zeros(shape, dtype=dtype, device=device)
        self.count = rows
        self.lens = torch.zeros(rows, dtype=torch.long, device=device)
        self.adapters: list[str | None] = [None] * rows

    @property
    def capacity(self) -> int:
        """Positions that a row has room for."""
        return self.kv.shape[4]

    def layer(self, i: int, span: int) -> tuple[Tensor, Tensor]:
        """Keys and values of layer i up to position `span`, each [count, K, span, D], as views."""
        k, v = self.kv[i, :, : self.count, :, :span].unbind(0)
        return k, v

    def keep(self, rows: Tensor) -> None:
        """Keep (or repeat) the given rows [R], in that order. When no place takes an earlier row, rows move inside the buffer."""
        order = rows.tolist()
        if all(r >= i for i, r in enumerate(order)):
            for i, r in enumerate(order):
                if r != i:
                    n = int(self.lens[r])
                    self.kv[:, :, i, :, :n] = self.kv[:, :, r, :, :n]
        else:
            self.kv = self.kv[:, :, rows]
        self.count, self.lens = len(order), self.lens[rows]
        self.adapters = [self.adapters[r] for r in order]

    def grow(self, capacity: int, rows: int = 0) -> None:
        """Make room for at least `capacity` positions a row and `rows` rows; sizes at least double, so copies are rare."""
        layers, two, space, heads, held, dim = self.kv.shape
        if capacity <= held and rows <= space:
            return
        space = space if rows <= space else max(rows, 2 * space)
        size = held if capacity <= held else max(capacity, 2 * held)
        kv = self.kv.new_zeros(layers, two, space, heads, size, dim)
        kv[:, :, : self.count, :, :held] = self.kv[:, :, : self.count]
        self.kv = kv

    def join(self, other: "KVCache") -> None:
        """Append the rows of another cache."""
        total, span = self.count + other.count, int(other.lens.max())
        self.grow(span, total)
        self.kv[:, :, self.count : total, :, :span] = other.kv[:, :, : other.count, :, :span]
        self.lens = torch.cat([self.lens, other.lens])
        self.count, self.adapters = total, self.adapters + other.adapters
