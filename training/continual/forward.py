"""One forward pass for many rows: nothing is computed twice, nothing on padding, and nothing that no learned token sees.

Layers below the first trainable one give the same output in every epoch, so their result is kept per row (exact: the
upper layers see the very same numbers). What the previous model says of a row is kept likewise, so a teacher costs one
pass per row and run instead of one per step. A row ends before its last learned token, and the last layer gives the
predicting positions alone.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from continual.pack import Tree
from continual.params import Trainable
from continual.predictions import Out, frozen_head, kl, learned
from continual.text import Row
from continual.vocabulary import log_sum
from continual.workers import X, Y, each

GROUP = 4  # rows whose kept states are computed together: fewer and the weights are read too often
BATCH = 8  # rows that are measured together
SMOOTH = 1e-3  # of a relative change of states: far below what training makes of it
CACHE_BYTES = 2 * 1024**3  # kept states of lower layers and of the teacher, together


class Forward:
    """Runs rows through the model. `apart`: threads may run rows side by side, each with the previous model or the present one;
    not where the previous weights take the place of the present ones."""

    def __init__(self, loaded: Any, trainable: Trainable):
        self.model, self.t = loaded.model, trainable
        self.apart = not trainable.start and self.model.device.type == "cpu"
        self.own = hasattr(loaded.model, "run")
        self.split = trainable.first if self.own else 0
        self.lower: dict[int, Tensor] = {}
        self.taught: dict[float, dict[int, Tensor]] = {}
        self.bytes, self.full = 0, False
        self.groups: dict[int, list[Row]] = {}

    def each(self, work: Callable[[X], Y], items: Sequence[X]) -> list[Y]:
        """work(item) of every item, side by side where that is safe."""
        return each(work, items, self.model.device) if self.apart else [work(x) for x in items]

    def register(self, rows: list[Row]) -> None:
        """Fix which rows, GROUP after GROUP, are computed together below the split and by the teacher. A matrix product's
        last bit depends on its batch, and a resumed run meets the rows in other steps: only fixed groups make it equal bit
        for bit."""
        for i in range(0, len(rows), GROUP):
            self.groups |= dict.fromkeys(map(id, rows[i : i + GROUP]), rows[i : i + GROUP])

    def __call__(self, rows: list[Row]) -> Out:
        """The model's predictions as it stands now."""
        return self._out(rows, self.split)

    def passing(self, rows: list[Row]) -> Out:
        """Predictions for rows that exist only now: nothing is kept of them, whoever is teaching."""
        return self._out(rows, 0)

    def _out(self, rows: list[Row], split: int) -> Out:
        at = [learned(r) for r in rows]
        labels = torch.tensor([r.ids[j] for r, js in zip(rows, at, strict=True) for j in js], device=self.model.device)
        owner = torch.tensor([i for i, js in enumerate(at) for _ in js], device=self.model.device)
        return Out(self.model, self._features(rows, at, split), labels, owner)

    def kl(self, rows: list[Row], out: Out, temperature: float = 1.0) -> Tensor:
        """Mean KL(previous model || model) over the learned tokens of `rows`, whose predictions `out` are."""
        head = frozen_head(self.model)
        if head is None:
            return kl(self.teacher(rows, temperature), out.logits, temperature)
        width = head.shape[1]
        state, mean, value = self._known(rows, temperature).split([width, width, 1], 1)
        apart = (mean * (out.features - state)).sum(-1) / temperature
        return (out.log_sum(head, temperature) - value[:, 0] - apart).mean() * temperature**2

    def drift(self, rows: list[Row], out: Out, temperature: float = 1.0) -> Tensor:
        """Mean over the learned tokens of `rows` of |s - t| / |t|, the final states of the model and the previous one, smooth
        below SMOOTH (pseudo-Huber); `temperature` is that of `kl`, so that what is kept of the previous model serves both."""
        before = self._known(rows, temperature)[:, : out.features.shape[1]]
        square = (out.features - before).pow(2).sum(-1) / before.pow(2).sum(-1)
        return ((square + SMOOTH**2).sqrt() - SMOOTH).mean()

    @torch.no_grad()
    def teacher(self, rows: list[Row], temperature: float = 1.0) -> Tensor:
        """Logits [n, V] of the previous model at the learned tokens, without gradient."""
        known, head = self._known(rows, temperature), frozen_head(self.model)
        with self.t.teacher():
            return self.model.head(known if head is None else known[:, : head.shape[1]])

    @torch.no_grad()
    def _known(self, rows: list[Row], temperature: float) -> Tensor:
        """What is kept of the previous model at the learned tokens of rows, see `_teach`."""
        self.keep_lower(rows)
        head, store = frozen_head(self.model), self.taught.setdefault(temperature, {})
        return torch.cat(self._kept(rows, store, lambda group: self._teach(group, head, temperature)))

    def remember(self, rows: list[Row], temperature: float = 1.0) -> None:
        """Keep the previous model's view of rows: once the change is merged it cannot be computed."""
        if rows and not self.full:
            self._known(rows, temperature)

    def keep_lower(self, rows: list[Row]) -> None:
        """Compute what is kept of rows below the split; nothing once there is no room, for then it is made anew where it is needed."""
        if self.split and not self.full:
            with torch.no_grad():
                self._kept(rows, self.lower, self._below)

    def release(self, rows: list[Row]) -> None:
        """Let go what is kept of rows that are not needed soon."""
        for store in (self.lower, *self.taught.values()):
            gone = [store.pop(id(r)) for r in rows if id(r) in store]
            self.bytes -= sum(v.numel() * v.element_size() for v in gone)
            self.full = self.full and not gone

    def forget(self) -> None:
        """Let everything go that is kept of rows."""
        self.lower.clear()
        self.taught.clear()
        self.bytes, self.full = 0, False

    def _kept(self, rows: list[Row], store: dict[int, Tensor], compute: Callable[[list[Row]], Sequence[Tensor]]) -> list[Tensor]:
        """A value per row: kept ones as they are, missing ones computed with their whole group."""
        missing = {id(g[0]): g for r in rows if id(r) not in store for g in [self.groups.get(id(r), [r])]}
        fresh: dict[int, Tensor] = {}
        for group, values in zip(missing.values(), self.each(compute, list(missing.values())), strict=True):
            for member, value in zip(group, values, strict=True):
                fresh[id(member)] = value
                self._keep(store, member, value)
        return [store[id(r)] if id(r) in store else fresh[id(r)] for r in rows]

    def _teach(self, rows: list[Row], head: Tensor | None, temperature: float) -> Sequence[Tensor]:
        """Per row what `kl` needs of the previous model at the learned tokens: its final states, and with a frozen head
        their mean and sum over the vocabulary too, [k, 2d + 1]."""
        at = [learned(r) for r in rows]
        with torch.no_grad(), self.t.teacher():
            known = self._features(rows, at, self.split)
            if head is not None:
                value, mean = log_sum(known / temperature, head, True)
                known = torch.cat([known, mean, value[:, None]], 1)
        return known.split([len(js) for js in at])

    def _features(self, rows: list[Row], at: list[list[int]], split: int) -> Tensor:
        """States [n, d] that predict the tokens `at` of each row."""
        read = [r.ids[: js[-1]] if js else r.ids for r, js in zip(rows, at, strict=True)]
        if not self.own:
            starts = torch.tensor([0, *map(len, read)]).cumsum(0).tolist()
            ids = torch.tensor([t for ids in read for t in ids], device=self.model.device)
            return self.model.features(ids, list(map(len, read)))[[s + j - 1 for s, js in zip(starts, at, strict=False) for j in js]]
        t = self.model.tree(read)
        only = torch.tensor([w[j - 1] for w, js in zip(t.where, at, strict=True) for j in js], device=self.model.device)
        return self.model.run(self._entering(rows, t, split), self.model.placed(t), first=split, only=only)

    def _entering(self, rows: list[Row], t: Tree, split: int) -> Tensor:
        """What layer `split` gets [N, d] for the tokens of a tree of the rows."""
        if not split:
            return self.model.embed(torch.tensor(t.ids, device=self.model.device))
        with torch.no_grad():
            lower = torch.cat(self._kept(rows, self.lower, self._below))
            return lower.index_select(0, torch.tensor(t.first, device=lower.device))

    def _below(self, rows: list[Row]) -> Sequence[Tensor]:
        t = self.model.tree([r.ids[: js[-1]] if js else r.ids for r in rows for js in [learned(r)]])
        states = self.model.run(self._entering(rows, t, 0), self.model.placed(t), last=self.split)
        return [states[w] for w in t.where]

    def _keep(self, store: dict[int, Tensor], row: Row, value: Tensor) -> None:
        size = value.numel() * value.element_size()
        if id(row) in store:
            return
        if self.bytes + size > CACHE_BYTES:
            self.full = True
            return
        store[id(row)] = value.clone()
        self.bytes += size


def batches(rows: list[Row]) -> list[list[Row]]:
    """Rows of like length, BATCH together."""
    ordered = sorted(rows, key=len)
    return [ordered[i : i + BATCH] for i in range(0, len(ordered), BATCH)]
