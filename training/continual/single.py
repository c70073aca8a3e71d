"""The next token of one row: the same numbers as the layers give, by a fifth of the calls.

For one row a product is as short as the calls around it. Here every buffer, and every view of a buffer or a weight, is made
once, so that a layer is some twenty calls; and what changes from token to token, the places in the cache, is cut for all layers
at once. Shapes: d width, f inner width, H query heads, K key heads, D head width, S cached positions.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from continual.cache import KVCache
from continual.product import Fixed


@dataclass
class Block:
    """A layer's products and the weights of its norms."""

    before: Tensor
    after: Tensor
    project: Fixed
    mix: Fixed
    widen: Fixed
    narrow: Fixed


class Single:
    """Runs one token of one row through a served model."""

    def __init__(self, model: Any):
        c, new = model.c, model.model.embed_tokens.weight.new_empty
        heads, kv, dim, d, f = c.num_attention_heads, c.num_key_value_heads, c.head_dim, c.hidden_size, c.intermediate_size
        self.model, self.eps, self.width = model, c.rms_norm_eps, d
        self.x, self.h, self.y, self.mixed, self.wide = new(d), new(d), new(d), new(heads * dim), new(2 * f)
        self.gate, self.up = self.wide[:f], self.wide[f:]
        every, self.turned = new(heads + 2 * kv, dim), new(heads + kv, dim)
        self.plain, self.values = every[: heads + kv], every[heads + kv :]
        self.queries, self.keys = self.turned[:heads].view(1, kv, heads // kv, dim), self.turned[heads:]
        self.halves = [(t[:, : dim // 2], t[:, dim // 2 :]) for t in (self.plain, self.turned)]
        self.blocks = [self._block(layer, every.view(-1)) for layer in model.model.layers]

    def _block(self, layer: Any, every: Tensor) -> Block:
        (into, back), (inner, out) = layer.self_attn.joint, layer.mlp.joint
        products = [Fixed(into.weight, self.h, every), Fixed(back.weight, self.mixed, self.y)]
        products += [Fixed(inner.weight, self.h, self.wide), Fixed(out.weight, self.gate, self.y)]
        return Block(layer.input_layernorm.weight, layer.post_attention_layernorm.weight, *products)

    def __call__(self, token: int, cache: KVCache) -> Tensor:
        """Final hidden states [1, d] of a token that follows the cached ones; the cache takes it in."""
        n = int(cache.lens)
        cos, sin = (t[0] for t in self.model._angles(cache.lens))
        signs = sin.chunk(2, -1)
        keys, values = (cache.kv[:, i, :1, :, : n + 1].unbind(0) for i in (0, 1))  # of each layer [1, K, n + 1, D]
        places = zip(*(cache.kv[:, i, 0, :, n].unbind(0) for i in (0, 1)), strict=True)
        self.x.copy_(self.model.model.embed_tokens.weight[token])
        for block, key, value, (k, v) in zip(self.blocks, keys, values, places, strict=True):
            self._project(block, cos, signs)
            k.copy_(self.keys)
            v.copy_(self.values)
            self.mixed.view_as(self.queries).copy_(F.scaled_dot_product_attention(self.queries, key, value))
            block.mix()
            self.x.add_(self.y)
            self._widen(block)
        return self._norm(self.model.model.norm.weight).clone()[None]

    def _project(self, block: Block, cos: Tensor, signs: tuple[Tensor, ...]) -> None:
        """Queries and keys, turned, and values."""
        self._norm(block.before)
        block.project()
        (low, high), (to_low, to_high) = self.halves
        torch.mul(self.plain, cos, out=self.turned)
        to_low.addcmul_(high, signs[0])
        to_high.addcmul_(low, signs[1])

    def _widen(self, block: Block) -> None:
        self._norm(block.after)
        block.widen()
        F.silu(self.gate, inplace=True).mul_(self.up)
        block.narrow()
        self.x.add_(self.y)

    def _norm(self, weight: Tensor) -> Tensor:
        square = float(self.x.dot(self.x)) / self.width
        return torch.mul(self.x, weight, out=self.h).mul_((square + self.eps) ** -0.5)
