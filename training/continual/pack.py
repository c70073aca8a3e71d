"""Where the tokens of a batch stand: no padding outside attention, and what rows begin with alike only once.

A token's state depends on the tokens before it and on nothing else, so rows that begin alike have equal states there. One
computation serves them all, forwards and backwards: exact but for the last bits, which depend on a product's shape anyway.
It does not hold across different adapters, so those share nothing.

Shapes: N tokens computed, B rows, T longest row, S cached positions, D head width.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from continual.cache import KVCache
from continual.joint import Route


@dataclass
class Pack:
    """Where the N packed tokens stand. A token that several rows begin with alike is there once, and `place` shows it in
    each of them."""

    pos: Tensor  # [N] absolute position
    cos: Tensor  # [N, 1, D]
    sin: Tensor  # [N, 1, D], negative in the first half
    shape: tuple[int, int]  # (B, T)
    place: Tensor | None = None  # [B*T] token at each padded place (any token beyond a row's end); None: they are the same
    own: Tensor | None = None  # [N] padded place where a token is computed
    again: tuple[Tensor, Tensor] | None = None  # further places of shared tokens, and the tokens
    cache: KVCache | None = None
    fresh: bool = False  # the cache was empty
    mask: Tensor | None = field(default=None)  # [B, 1, T, S] behind a filled cache; None: all of it is seen
    start: int = 0  # first position of the new tokens, when there is one row
    span: int = 0  # cached positions that any row reaches, the new ones included
    rows: Tensor | None = None  # [N] row of each token, with a filled cache
    routes: list[Route] | None = None  # rows of served adapters

    def pad(self, x: Tensor) -> Tensor:
        """[N, h, D] -> [B, h, T, D]."""
        b, t = self.shape
        padded = x if self.place is None else Spread.apply(x, self)
        return padded.view(b, t, *x.shape[1:]).transpose(1, 2)

    def unpad(self, x: Tensor, only: Tensor | None = None) -> Tensor:
        """[B, h, T, D] -> [N, h*D], or those of the tokens `only` [n]."""
        flat = x.transpose(1, 2).reshape(self.shape[0] * self.shape[1], -1)
        at = self.own if only is None else only if self.own is None else self.own[only]
        return flat if at is None else flat.index_select(0, at)


class Spread(torch.autograd.Function):
    """Tokens [N, ...] at their padded places [B*T, ...]; what flows back to a shared token is the sum over its rows."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Pack) -> Tensor:
        ctx.p = p
        return x.index_select(0, p.place)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        p = ctx.p
        out = grad.index_select(0, p.own)
        if p.again is not None:
            out.index_add_(0, p.again[1], grad.index_select(0, p.again[0]))
        return out, None


@dataclass
class Tree:
    """Rows as a tree of their tokens."""

    ids: list[int]  # [N] token
    depth: list[int]  # [N] position in its rows
    where: list[list[int]]  # of each row, the computed token at each of its positions
    first: list[int]  # [N] place of the token in the rows laid end to end
    root: list[Any]  # [N] what else the token's rows share (an adapter)


def tree(rows: list[list[int]], roots: list[Any] | None = None) -> Tree:
    """Tokens that rows begin with alike, once; rows of different `roots` share nothing."""
    t = Tree([], [], [], [], [])
    seen: dict[tuple[Any, int], int] = {}
    start = 0
    for row, root in zip(rows, roots or [None] * len(rows), strict=True):
        node, at = ("root", root), []
        for j, token in enumerate(row):
            node = seen.setdefault((node, token), len(t.ids))
            if node == len(t.ids):
                t.ids.append(token)
                t.depth.append(j)
                t.first.append(start + j)
                t.root.append(root)
            at.append(node)
        t.where.append(at)
        start += len(row)
    return t


def apart(lengths: list[int]) -> Tree:
    """Rows of the given lengths that share nothing; their tokens stay unnamed."""
    at = [j for n in lengths for j in range(n)]
    ends = torch.tensor(lengths).cumsum(0).tolist()
    where = [list(range(e - n, e)) for e, n in zip(ends, lengths, strict=True)]
    return Tree([], at, where, list(range(len(at))), [])


def places(t: Tree, device: torch.device) -> dict[str, Any]:
    """The fields `shape`, `place`, `own` and `again` of a Pack."""
    b, width, count = len(t.where), max(map(len, t.where)), len(t.depth)
    shape = (b, width)
    if count == b * width:
        return {"shape": shape}
    place, own, again = [0] * (b * width), [-1] * count, []
    for i, row in enumerate(t.where):
        for j, node in enumerate(row):
            at = i * width + j
            place[at] = node
            if own[node] < 0:
                own[node] = at
            else:
                again.append((at, node))
    twice = torch.tensor(again, device=device).unbind(1) if again else None
    return {"shape": shape, "place": torch.tensor(place, device=device), "own": torch.tensor(own, device=device), "again": twice}
