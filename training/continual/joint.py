"""The served form of linear layers: those that read the same input are one product."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from continual.product import linear

Delta = tuple[int, int, Tensor, Tensor]  # columns from, to, B [to-from, r], A [r, in]
Route = tuple[str, Tensor]  # adapter, packed rows that it belongs to


class Joint:
    """Layers with one input: their weights become views of one, so nothing is held twice."""

    def __init__(self, layers: dict[str, nn.Linear]):
        self.weight = torch.cat([m.weight.detach() for m in layers.values()]) if len(layers) > 1 else next(iter(layers.values())).weight.detach()
        self.columns: dict[str, tuple[int, int]] = {}
        self.deltas: dict[str, list[Delta]] = {}
        start = 0
        for name, m in layers.items():
            end = start + m.out_features
            m.weight = nn.Parameter(self.weight[start:end], requires_grad=False)
            self.columns[name], start = (start, end), end

    def add(self, adapter: str, name: str, b: Tensor, a: Tensor) -> None:
        """Give a served adapter its part of the layer `name`."""
        self.deltas.setdefault(adapter, []).append((*self.columns[name], b, a))

    def __call__(self, x: Tensor, routes: list[Route] | None) -> Tensor:
        """[n, in] -> [n, all outputs]; each route's rows get their adapter's delta."""
        y = linear(x, self.weight)
        for adapter, rows in routes or ():
            for start, end, b, a in self.deltas.get(adapter, ()):
                y[rows, start:end] += F.linear(F.linear(x[rows], a), b)
        return y
