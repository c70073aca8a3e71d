"""A Llama decoder in plain torch: same weights and names as transformers' LlamaForCausalLM, a fraction of its start time.

The parity test compares its logits with transformers'. Shapes: N tokens in all rows together, B rows, T longest row,
d width, V vocabulary; the layers are in layers.py.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from continual.cache import KVCache
from continual.errors import DataError
from continual.joint import Joint, Route
from continual.layers import Embedding, Layer, Linear
from continual.llama_config import LlamaConfig
from continual.pack import Pack, Tree, apart, places, tree
from continual.pointwise import RMSNorm
from continual.product import linear
from continual.single import Single
from continual.weights import read_tensors


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
        self.joints: dict[str, Joint] = {}  # layer name -> its product, once fused
        self.single: Single | None = None

    def fuse(self) -> None:
        """Take the form that serves: joined products, read by all threads. For frozen plain weights only; names, weights
        and the state dictionary stay."""
        for i, layer in enumerate(self.model.layers):
            for part in ("self_attn", "mlp"):
                found = getattr(layer, part).fuse()
                self.joints.update({f"model.layers.{i}.{part}.{n}": j for n, j in found.items()})
        w = self.model.embed_tokens.weight
        self.single = Single(self) if w.dtype == torch.float32 and not w.is_cuda else None

    def add_adapter(self, key: str, deltas: dict[str, tuple[Tensor, Tensor]]) -> None:
        """Let rows that name `key` add low-rank deltas: layer name -> (B [out, r], A [r, in])."""
        for name, (b, a) in deltas.items():
            w = self.model.embed_tokens.weight
            self.joints[name].add(key, name.rsplit(".", 1)[-1], b.to(w), a.to(w))

    def drop_adapter(self, key: str) -> None:
        """Forget an adapter."""
        for joint in set(self.joints.values()):
            joint.deltas.pop(key, None)

    def adaptable(self) -> dict[str, tuple[int, int]]:
        """Shape (out, in) of each layer that an adapter can change, by name."""
        return {n: (m.out_features, m.in_features) for n, m in self.named_modules() if isinstance(m, nn.Linear) and n != "lm_head"}

    @property
    def depth(self) -> int:
        return self.c.num_hidden_layers

    @property
    def device(self) -> torch.device:
        return self.model.embed_tokens.weight.device

    def pack(self, lengths: list[int], cache: KVCache | None = None) -> Pack:
        """Placement of rows with the given numbers of new tokens (behind what the cache holds), nothing shared."""
        t = apart(lengths)
        if cache is None:
            return self.placed(t)
        lens = cache.lens.tolist()
        pack = self.placed(t, [j + lens[i] for i, n in enumerate(lengths) for j in range(n)])
        pack.cache, pack.start, pack.span = cache, lens[0], max(k + n for k, n in zip(lens, lengths, strict=True))
        pack.routes = self._routes([a for a, n in zip(cache.adapters, lengths, strict=True) for _ in range(n)])
        pack.fresh = not any(lens)
        if not pack.fresh:
            self._behind(pack, lengths)
        return pack

    def tree(self, rows: list[list[int]]) -> Tree:
        """Rows that share what they begin with alike."""
        return tree(rows)

    def placed(self, t: Tree, at: list[int] | None = None) -> Pack:
        """The pack of a tree, its tokens at the positions `at` [N] when they follow others."""
        pos = torch.tensor(t.depth if at is None else at, device=self.device)
        return Pack(pos, *self._angles(pos), **places(t, self.device))

    def _behind(self, pack: Pack, lengths: list[int]) -> None:
        """What new tokens see of a cache that holds something."""
        (b, t), dev = pack.shape, self.device
        pack.rows = torch.repeat_interleave(torch.arange(b, device=dev), torch.tensor(lengths, device=dev))
        if b > 1 or t > 1:
            limit = pack.cache.lens[:, None] + torch.arange(t, device=dev)  # [B, T]
            pack.mask = (torch.arange(pack.span, device=dev) <= limit[..., None])[:, None]

    def _routes(self, of: list[str | None]) -> list[Route] | None:
        """Which of the packed tokens, each with its adapter [N], each served adapter changes."""
        named = sorted({a for a in of if a is not None})
        return [(a, torch.tensor([i for i, x in enumerate(of) if x == a], device=self.device)) for a in named] or None

    def _angles(self, pos: Tensor) -> tuple[Tensor, Tensor]:
        half = torch.arange(0, self.c.head_dim, 2, device=pos.device).float()
        freq = 1.0 / self.c.rope_theta ** (half / self.c.head_dim)
        angle = (pos[:, None].float() * freq)[:, None]
        cos, sin, dtype = angle.cos(), angle.sin(), self.model.embed_tokens.weight.dtype
        return torch.cat([cos, cos], -1).to(dtype), torch.cat([-sin, sin], -1).to(dtype)

    def embed(self, ids: Tensor) -> Tensor:
        """[N] -> [N, d]."""
        return self.model.embed_tokens(ids)

    def run(self, x: Tensor, p: Pack, first: int = 0, last: int | None = None, only: Tensor | None = None) -> Tensor:
        """Layers first..last (exclusive) over [N, d]; the final norm belongs to the last layer, which gives just the tokens
        `only` [n] when they are named (and computes just those, but where `routes` counts all)."""
        end = self.depth if last is None else last
        early = only if p.routes is None else None
        for i in range(first, end):
            x = self.model.layers[i](x, p, i, early if i == self.depth - 1 else None)
        if only is not None and early is None:
            x = x.index_select(0, only)
        return self.model.norm(x) if end == self.depth else x

    @property
    def head_weight(self) -> Tensor:
        """[V, d]"""
        return self.model.embed_tokens.weight if self.lm_head is None else self.lm_head.weight

    def head(self, x: Tensor) -> Tensor:
        """[n, d] -> logits [n, V]."""
        return linear(x, self.head_weight)

    def features(self, ids: Tensor, lengths: list[int]) -> Tensor:
        """Final hidden states [N, d] of packed rows without a cache."""
        return self.run(self.embed(ids), self.pack(lengths))

    def new_cache(self, rows: int, capacity: int) -> KVCache:
        return KVCache(self.c, rows, capacity, self.model.embed_tokens.weight.dtype, self.device)

    def extend(self, ids: Tensor, lengths: list[int], cache: KVCache) -> Tensor:
        """Final hidden states [N, d] of tokens that follow the cached ones; the cache takes them in."""
        need = int(cache.lens.max()) + max(lengths)
        if need > cache.capacity:
            cache.grow(need + 64)
        if self.single is not None and lengths == [1] and cache.adapters == [None]:
            out = self.single(int(ids), cache)
            cache.lens = cache.lens + 1
            return out
        out = self.run(self.embed(ids), self.pack(lengths, cache))
        cache.lens = cache.lens + torch.tensor(lengths, device=cache.lens.device)
        return out

    def prefill(self, rows: list[list[int]], cache: KVCache) -> Tensor:
        """Final hidden states [B, d] of the last tokens of rows that fill an empty cache."""
        t = tree(rows, cache.adapters)
        pack = self.placed(t)
        pack.cache, pack.fresh, pack.routes = cache, True, self._routes(t.root)
        cache.grow(pack.shape[1])
        ids, last = (torch.tensor(x, device=self.device) for x in (t.ids, [w[-1] for w in t.where]))
        cache.lens = torch.tensor([len(r) for r in rows], device=self.device)
        return self.run(self.embed(ids), pack, only=last)


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
