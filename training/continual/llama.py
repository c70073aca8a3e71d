"""A Llama decoder in plain torch: same weights and names as transformers' LlamaForCausalLM, a fraction of its start time.

Rows of a batch are packed: linear layers see only real tokens, never padding; attention alone works on a padded
view. Formulas: RMSNorm (arXiv 1910.07467), rotary positions (2104.09864), SwiGLU (2002.05202), grouped queries
(2305.13245). The parity test compares its logits with transformers'.

Shapes: N tokens in all rows together, B rows, T longest row, d width, H query heads, K key heads, D head width,
V vocabulary, S cached positions.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from continual.errors import DataError


@dataclass(frozen=True)
class LlamaConfig:
    """The part of config.json that shapes the network."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    tie_word_embeddings: bool
    max_position_embeddings: int


def parse_config(raw: dict) -> LlamaConfig | None:
    """Our configuration for a config.json, or None when this file does not implement that variant."""
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    plain = rope.get("rope_type", rope.get("type", "default")) == "default"
    biased = raw.get("attention_bias") or raw.get("mlp_bias")
    if raw.get("model_type") != "llama" or not plain or biased or raw.get("hidden_act", "silu") != "silu":
        return None
    heads = raw["num_attention_heads"]
    return LlamaConfig(
        vocab_size=raw["vocab_size"],
        hidden_size=raw["hidden_size"],
        intermediate_size=raw["intermediate_size"],
        num_hidden_layers=raw["num_hidden_layers"],
        num_attention_heads=heads,
        num_key_value_heads=raw.get("num_key_value_heads") or heads,
        head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
        rms_norm_eps=raw.get("rms_norm_eps", 1e-6),
        rope_theta=float(rope.get("rope_theta", raw.get("rope_theta", 10000.0))),
        tie_word_embeddings=raw.get("tie_word_embeddings", False),
        max_position_embeddings=raw.get("max_position_embeddings", 2048),
    )


class KVCache:
    """Keys and values of B rows, each with its own length."""

    def __init__(self, c: LlamaConfig, rows: int, capacity: int, dtype: torch.dtype, device: torch.device):
        shape = (rows, c.num_key_value_heads, capacity, c.head_dim)
        self.k = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(c.num_hidden_layers)]
        self.v = [torch.zeros(shape, dtype=dtype, device=device) for _ in range(c.num_hidden_layers)]
        self.lens = torch.zeros(rows, dtype=torch.long, device=device)

    @property
    def capacity(self) -> int:
        return self.k[0].shape[2]

    def keep(self, rows: Tensor) -> None:
        """Keep (or repeat) the given rows [R], in that order."""
        self.k = [k[rows] for k in self.k]
        self.v = [v[rows] for v in self.v]
        self.lens = self.lens[rows]

    def grow(self, capacity: int) -> None:
        """Make room for at least `capacity` positions a row."""
        more = capacity - self.capacity
        if more > 0:
            self.k = [F.pad(k, (0, 0, 0, more)) for k in self.k]
            self.v = [F.pad(v, (0, 0, 0, more)) for v in self.v]

    def join(self, other: "KVCache") -> None:
        """Append the rows of another cache."""
        size = max(self.capacity, other.capacity)
        self.grow(size)
        other.grow(size)
        self.k = [torch.cat(p) for p in zip(self.k, other.k, strict=True)]
        self.v = [torch.cat(p) for p in zip(self.v, other.v, strict=True)]
        self.lens = torch.cat([self.lens, other.lens])


@dataclass
class Pack:
    """Where the N packed tokens stand: row and position of each, and the rotary factors there."""

    rows: Tensor  # [N] row of each token
    at: Tensor  # [N] index inside its row of this call
    pos: Tensor  # [N] absolute position
    cos: Tensor  # [N, 1, D]
    sin: Tensor  # [N, 1, D]
    shape: tuple[int, int]  # (B, T)
    dense: bool  # all rows have T tokens
    cache: KVCache | None = None
    mask: Tensor | None = field(default=None)  # [B, 1, T, S] with a cache

    def pad(self, x: Tensor) -> Tensor:
        """[N, h, D] -> [B, h, T, D]; places beyond a row's end hold zeros."""
        b, t = self.shape
        if self.dense:
            return x.view(b, t, *x.shape[1:]).transpose(1, 2)
        out = x.new_zeros(b * t, *x.shape[1:]).index_copy(0, self.rows * t + self.at, x)
        return out.view(b, t, *x.shape[1:]).transpose(1, 2)

    def unpad(self, x: Tensor) -> Tensor:
        """[B, h, T, D] -> [N, h*D]."""
        flat = x.transpose(1, 2).reshape(self.shape[0] * self.shape[1], -1)
        return flat if self.dense else flat[self.rows * self.shape[1] + self.at]


class Linear(nn.Linear):
    """A linear layer without an initialisation pass: weights are loaded or drawn by the caller."""

    def __init__(self, n_in: int, n_out: int):
        super().__init__(n_in, n_out, bias=False)

    def reset_parameters(self) -> None:
        """Leave the weights as they are (initialising on the meta device would import torch's compiler)."""


class Embedding(nn.Embedding):
    """Likewise for the embedding."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are."""


class Attention(nn.Module):
    """Grouped-query attention with rotary positions."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.heads, self.kv, self.dim = c.num_attention_heads, c.num_key_value_heads, c.head_dim
        self.q_proj = Linear(c.hidden_size, self.heads * self.dim)
        self.k_proj = Linear(c.hidden_size, self.kv * self.dim)
        self.v_proj = Linear(c.hidden_size, self.kv * self.dim)
        self.o_proj = Linear(self.heads * self.dim, c.hidden_size)

    def forward(self, x: Tensor, p: Pack, layer: int) -> Tensor:
        n = x.shape[0]
        q = rotate(self.q_proj(x).view(n, self.heads, self.dim), p)
        k = rotate(self.k_proj(x).view(n, self.kv, self.dim), p)
        v = self.v_proj(x).view(n, self.kv, self.dim)
        out = self._causal(q, k, v, p) if p.cache is None else self._cached(q, k, v, p, layer)
        return self.o_proj(p.unpad(out))

    def _causal(self, q: Tensor, k: Tensor, v: Tensor, p: Pack) -> Tensor:
        groups = self.heads // self.kv
        k, v = (p.pad(t).repeat_interleave(groups, dim=1) if groups > 1 else p.pad(t) for t in (k, v))
        return F.scaled_dot_product_attention(p.pad(q), k, v, is_causal=True)

    def _cached(self, q: Tensor, k: Tensor, v: Tensor, p: Pack, layer: int) -> Tensor:
        """Write k, v [N, K, D] into the cache, then attend to it. The heads of a group become queries of its one key head."""
        kc, vc, span = p.cache.k[layer], p.cache.v[layer], p.mask.shape[-1]
        kc[p.rows, :, p.pos] = k
        vc[p.rows, :, p.pos] = v
        b, t = p.shape
        groups = self.heads // self.kv
        q = p.pad(q).reshape(b, self.kv, groups * t, self.dim)
        mask = p.mask.repeat(1, 1, groups, 1) if groups > 1 else p.mask
        out = F.scaled_dot_product_attention(q, kc[:, :, :span], vc[:, :, :span], attn_mask=mask)
        return out.reshape(b, self.heads, t, self.dim)


def rotate(x: Tensor, p: Pack) -> Tensor:
    """Rotary embedding of [N, h, D] in the half-split convention of the Llama checkpoints."""
    a, b = x.chunk(2, dim=-1)
    return x * p.cos + torch.cat((-b, a), dim=-1) * p.sin


class MLP(nn.Module):
    """SwiGLU: down(silu(gate x) * up x)."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.gate_proj = Linear(c.hidden_size, c.intermediate_size)
        self.up_proj = Linear(c.hidden_size, c.intermediate_size)
        self.down_proj = Linear(c.intermediate_size, c.hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class RMSNorm(nn.Module):
    """x / rms(x) * weight, in float32."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(c.hidden_size))
        self.eps = c.rms_norm_eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype)


class Layer(nn.Module):
    """Pre-norm decoder layer."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.self_attn, self.mlp = Attention(c), MLP(c)
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(c), RMSNorm(c)

    def forward(self, x: Tensor, p: Pack, layer: int) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), p, layer)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Embedding, layers and final norm."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.embed_tokens = Embedding(c.vocab_size, c.hidden_size)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.num_hidden_layers))
        self.norm = RMSNorm(c)


class Llama(nn.Module):
    """Causal language model over packed rows."""

    def __init__(self, c: LlamaConfig):
        super().__init__()
        self.c = c
        self.model = Decoder(c)
        self.lm_head = None if c.tie_word_embeddings else Linear(c.hidden_size, c.vocab_size)

    @property
    def depth(self) -> int:
        return self.c.num_hidden_layers

    @property
    def device(self) -> torch.device:
        return self.model.embed_tokens.weight.device

    def pack(self, lengths: list[int], cache: KVCache | None = None) -> Pack:
        """Placement of rows with the given numbers of new tokens (behind what the cache holds)."""
        dev, b, t = self.device, len(lengths), max(lengths)
        n = torch.tensor(lengths, device=dev)
        rows = torch.repeat_interleave(torch.arange(b, device=dev), n)
        at = torch.cat([torch.arange(k, device=dev) for k in lengths])
        pos = at if cache is None else at + cache.lens[rows]
        cos, sin = self._angles(pos)
        pack = Pack(rows, at, pos, cos, sin, (b, t), min(lengths) == t, cache)
        if cache is not None:
            span = int((cache.lens + n).max())
            limit = cache.lens[:, None] + torch.arange(t, device=dev)  # [B, T]
            pack.mask = (torch.arange(span, device=dev) <= limit[..., None])[:, None]
        return pack

    def _angles(self, pos: Tensor) -> tuple[Tensor, Tensor]:
        half = torch.arange(0, self.c.head_dim, 2, device=pos.device).float()
        freq = 1.0 / self.c.rope_theta ** (half / self.c.head_dim)
        angle = torch.cat([pos[:, None].float() * freq] * 2, dim=-1)[:, None]
        dtype = self.model.embed_tokens.weight.dtype
        return angle.cos().to(dtype), angle.sin().to(dtype)

    def embed(self, ids: Tensor) -> Tensor:
        """[N] -> [N, d]."""
        return self.model.embed_tokens(ids)

    def run(self, x: Tensor, p: Pack, first: int = 0, last: int | None = None) -> Tensor:
        """Layers first..last (exclusive) over [N, d]; the final norm belongs to the last layer."""
        last = self.depth if last is None else last
        for i in range(first, last):
            x = self.model.layers[i](x, p, i)
        return self.model.norm(x) if last == self.depth else x

    def head(self, x: Tensor) -> Tensor:
        """[n, d] -> logits [n, V]."""
        weight = self.model.embed_tokens.weight if self.lm_head is None else self.lm_head.weight
        return F.linear(x, weight)

    def features(self, ids: Tensor, lengths: list[int]) -> Tensor:
        """Final hidden states [N, d] of packed rows without a cache."""
        return self.run(self.embed(ids), self.pack(lengths))

    def new_cache(self, rows: int, capacity: int) -> KVCache:
        return KVCache(self.c, rows, capacity, self.model.embed_tokens.weight.dtype, self.device)

    def extend(self, ids: Tensor, lengths: list[int], cache: KVCache) -> Tensor:
        """Final hidden states [N, d] of tokens that follow the cached ones; the cache takes them in."""
        need = int(cache.lens.max()) + max(lengths)
        if need > cache.capacity:
            cache.grow(need + 64)  # growing copies the cache: not at every token
        out = self.run(self.embed(ids), self.pack(lengths, cache))
        cache.lens = cache.lens + torch.tensor(lengths, device=cache.lens.device)
        return out


def load(folder: Path, config: LlamaConfig, dtype: torch.dtype) -> Llama:
    """The network with the weights of model.safetensors (or its shards), without an initialisation pass."""
    with torch.device("meta"):
        model = Llama(config)
    state = read_tensors(folder)
    if config.tie_word_embeddings:
        state.pop("lm_head.weight", None)
    state = {k: v.to(dtype) for k, v in state.items() if "rotary_emb" not in k}
    try:
        model.load_state_dict(state, assign=True)
    except RuntimeError as e:
        raise DataError(f"model.safetensors: does not fit config.json: {e}") from None
    return model.requires_grad_(False)


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
