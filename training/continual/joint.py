"""The served form of linear layers: those that read the same input are one product, and a product of few rows uses
every thread.

A library's matrix-vector product may read a weight with one thread, half of what the memory of a two-core machine gives;
cut into as many parts as there are threads it is read by all (measured on an EPYC: 12 and 21 GB/s of 29). The rows stand left
of the weight: the other way round a Xeon reads half as fast.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FEW = 8  # rows up to which the cut product never loses

Delta = tuple[int, int, Tensor, Tensor]  # columns from, to, B [to-from, r], A [r, in]
Route = tuple[str, Tensor]  # adapter, packed rows that it belongs to


def parts_of(out: int) -> int:
    """Number of equal parts of a weight with `out` rows, one a thread; 1 where they would not be equal."""
    n = torch.get_num_threads()
    return n if out % n == 0 else 1


def product(x: Tensor, weight: Tensor) -> Tensor:
    """x [n, in] times weight [out, in] transposed -> [n, out], on the CPU with the weight's rows shared by the threads."""
    n, (out, width) = x.shape[0], weight.shape
    parts = parts_of(out)
    if n > FEW or parts == 1 or x.is_cuda:
        return F.linear(x, weight)
    y = torch.bmm(x.expand(parts, n, width), weight.view(parts, out // parts, width).transpose(1, 2))  # [parts, n, out / parts]
    return y.transpose(0, 1).reshape(n, out)


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
        y = product(x, self.weight)
        for adapter, rows in routes or ():
            for start, end, b, a in self.deltas.get(adapter, ()):
                y[rows, start:end] += F.linear(F.linear(x[rows], a), b)
        return y
