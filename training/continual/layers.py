"""The layers of our Llama decoder, over packed rows.

Rows of a batch are packed (pack.py): linear layers see only real tokens, never padding; attention alone works on a
padded view. Formulas: SwiGLU (arXiv 2002.05202), grouped queries (2305.13245); norms and positions are in pointwise.py.

Shapes: N tokens in all rows together, B rows, T longest row, d width, H query heads, K key heads, D head width,
S cached positions.
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from continual.joint import Joint
from continual.pack import Pack
from continual.pointwise import RMSNorm, rotate
from continual.product import linear


class Linear(nn.Linear):
    """A linear layer without an initialisation pass: weights are loaded or drawn by the caller."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__(n_in, n_out, bias=False)

    def reset_parameters(self) -> None:
        """Leave the weights as they are (initialising on the meta device would import torch's compiler)."""

    def forward(self, x: Tensor) -> Tensor:
        """[n, in] -> [n, out]."""
        return linear(x, self.weight)


class Embedding(nn.Embedding):
    """Likewise for the embedding."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, c: Any):
        super().__init__()
        self.heads, self.kv, self.dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        self.q_proj = Linear(c.hidden_size, self.heads * self.dim)
        self.k_proj = Linear(c.hidden_size, self.kv * self.dim)
        self.v_proj = Linear(c.hidden_size, self.kv * self.dim)
        self.o_proj = Linear(self.heads * self.dim, c.hidden_size)
        self.joint: tuple[Joint, Joint] | None = None

    def fuse(self) -> dict[str, Joint]:
        """Take the served form (see joint.py); gives the products by the name of each layer in them."""
        into = Joint({n: getattr(self, n) for n in ("q_proj", "k_proj", "v_proj")})
        back = Joint({"o_proj": self.o_proj})
        self.joint = into, back
        return {**dict.fromkeys(into.columns, into), "o_proj": back}

    def forward(self, x: Tensor, p: Pack, layer: int, only: Tensor | None = None) -> Tensor:
        q, k, v = self._project(x, p)
        out = p.unpad(self._causal(q, k, v, p) if p.cache is None else self._cached(q, k, v, p, layer), only)
        return self.o_proj(out) if self.joint is None else self.joint[1](out, p.routes)

    def _project(self, x: Tensor, p: Pack) -> tuple[Tensor, ...]:
        """Queries [N, H, D], keys and values [N, K, D], rotated."""
        n, turned = x.shape[0], self.heads + self.kv
        if self.joint is None:
            q = rotate(self.q_proj(x).view(n, self.heads, self.dim), p)
            k = rotate(self.k_proj(x).view(n, self.kv, self.dim), p)
            return q, k, self.v_proj(x).view(n, self.kv, self.dim)
        every = self.joint[0](x, p.routes).view(n, turned + self.kv, self.dim)
        qk = rotate(every[:, :turned], p)
        return qk[:, : self.heads], qk[:, self.heads :], every[:, turned:]

    def _causal(self, q: Tensor, k: Tensor, v: Tensor, p: Pack) -> Tensor:
        return F.scaled_dot_product_attention(p.pad(q), self._wide(p.pad(k)), self._wide(p.pad(v)), is_causal=True)

    def _wide(self, x: Tensor) -> Tensor:
        """[B, K, T, D] -> [B, H, T, D]: each query head finds its key head."""
        groups = self.heads // self.kv
        return x.repeat_interleave(groups, dim=1) if groups > 1 else x

    def _cached(self, q: Tensor, k: Tensor, v: Tensor, p: Pack, layer: int) -> Tensor:
        """Write k, v [N, K, D] into the cache, then attend to it. The heads of a group become queries of its one key head."""
        b, t = p.shape
        if p.fresh:
            k, v = p.pad(k), p.pad(v)
            kc, vc = p.cache.layer(layer, t)
            kc.copy_(k)
            vc.copy_(v)
            return F.scaled_dot_product_attention(p.pad(q), self._wide(k), self._wide(v), is_causal=True)
        kc, vc = p.cache.layer(layer, p.span)
        if b == 1:
            kc[0, :, p.start :] = k.transpose(0, 1)
            vc[0, :, p.start :] = v.transpose(0, 1)
        else:
            kc[p.rows, :, p.pos] = k
            vc[p.rows, :, p.pos] = v
        groups = self.heads // self.kv
        q = p.pad(q).reshape(b, self.kv, groups * t, self.dim)
        mask = p.mask.repeat(1, 1, groups, 1) if groups > 1 and t > 1 and p.mask is not None else p.mask
        out = F.scaled_dot_product_attention(q, kc, vc, attn_mask=mask)
        return out.reshape(b, self.heads, t, self.dim)


class MLP(nn.Module):
    """SwiGLU: down(silu(gate x) * up x)."""

    def __init__(self, c: Any):
        super().__init__()
        self.gate_proj = Linear(c.hidden_size, c.intermediate_size)
        self.up_proj = Linear(c.hidden_size, c.intermediate_size)
        self.down_proj = Linear(c.intermediate_size, c.hidden_size)
        self.joint: tuple[Joint, Joint] | None = None

    def fuse(self) -> dict[str, Joint]:
        """Take the served form, as attention does."""
        into, back = Joint({n: getattr(self, n) for n in ("gate_proj", "up_proj")}), Joint({"down_proj": self.down_proj})
        self.joint = into, back
        return {**dict.fromkeys(into.columns, into), "down_proj": back}

    def forward(self, x: Tensor, p: Pack) -> Tensor:
        if self.joint is None:
            return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        gate, up = self.joint[0](x, p.routes).chunk(2, dim=-1)
        return self.joint[1](F.silu(gate).mul_(up), p.routes)


class Layer(nn.Module):
    """Pre-norm decoder layer."""

    def __init__(self, c: Any):
        super().__init__()
        self.self_attn, self.mlp = Attention(c), MLP(c)
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(c), RMSNorm(c)

    def forward(self, x: Tensor, p: Pack, layer: int, only: Tensor | None = None) -> Tensor:
        """[N, d] -> [N, d], or the rows `only` [n] of it: what nobody asks for is not computed."""
        mixed = self.self_attn(self.input_layernorm(x), p, layer, only)
        x = (x if only is None else x.index_select(0, only)) + mixed
        return x + self.mlp(self.post_attention_layernorm(x), p)
