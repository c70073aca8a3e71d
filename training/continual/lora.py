"""Low-rank adapters on linear layers (LoRA, arXiv 2106.09685); lora_file.py saves them.

y = W x + (alpha / r) B A x, with A [r, in] uniform as nn.Linear's own (Kaiming, a = sqrt 5) and B [out, r] zero, as
peft initialises them. Own code because importing peft costs a job's start several seconds; a test loads the saved
adapter with peft and compares logits.
"""

import math
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from continual.errors import ConfigError
from continual.product import Adapted, fast

GROUPS = {
    "mlp": ("gate_proj", "up_proj", "down_proj", "fc1", "fc2", "c_fc", "dense_h_to_4h", "dense_4h_to_h"),
    "attention": ("q_proj", "k_proj", "v_proj", "o_proj", "qkv_proj", "query_key_value", "dense"),
}
HEADS = ("lm_head", "embed_out")  # what gives logits, by the end of its name


class Here(threading.local):
    """What holds in one thread: others go on training while it asks the previous model."""

    off = False


_here = Here()


class LoraLinear(nn.Module):
    """A frozen linear layer with a trainable low-rank delta.

    `fixed` holds frozen factor pairs (B [out, k], A [k, in]) that belong to the delta too (CorDA subtracts its start,
    intruder reduction a few directions); `strength` scales the whole delta (WiSE).
    """

    def __init__(self, base: nn.Linear, r: int, alpha: float):
        super().__init__()
        self.base, self.r, self.scale = base, r, alpha / r
        self.strength = 1.0
        self.fixed: list[tuple[Tensor, Tensor]] = []
        dev = base.weight.device
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features, device=dev))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r, device=dev))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    @property
    def weight(self) -> Tensor:
        """The frozen weight [out, in]."""
        return self.base.weight

    @property
    def in_features(self) -> int:
        """Width of the input."""
        return self.base.in_features

    def factors(self) -> tuple[Tensor, Tensor]:
        """(B [out, k], A [k, in]) whose product is the delta, everything included."""
        b = [self.lora_B * self.scale, *(b for b, _ in self.fixed)]
        a = [self.lora_A, *(a for _, a in self.fixed)]
        return torch.cat(b, 1) * self.strength, torch.cat(a, 0)

    def forward(self, x: Tensor) -> Tensor:
        """[n, in] -> [n, out]."""
        if _here.off:
            return self.base(x)
        plain = not self.fixed and self.strength == 1.0
        if plain and self.base.bias is None and fast(x, self.weight, self.lora_A):
            return Adapted.apply(x, self.weight, self.lora_A, self.lora_B, self.scale)
        y = self.base(x)
        if not plain:
            b, a = self.factors()
            return y + F.linear(F.linear(x.to(a.dtype), a), b).to(y.dtype)
        low = F.linear(x.to(self.lora_A.dtype), self.lora_A)
        if y.dim() == 2 and y.dtype == low.dtype:
            return y.addmm_(low, self.lora_B.T, alpha=self.scale)
        return y + (F.linear(low, self.lora_B) * self.scale).to(y.dtype)

    def delta(self) -> Tensor:
        """[out, in] weight change of this adapter."""
        b, a = self.factors()
        return b @ a

    def clear(self) -> None:
        """Make the delta zero, after it was added to the weight."""
        self.strength = 0.0


def select(model: nn.Module, targets: str | list[str], first: int = 0) -> list[str]:
    """Names of the linear layers to adapt: `all-linear`, `mlp`, `attention` or name endings; decoder layers >= first."""
    names = []
    for name, module in model.named_modules():
        if not isinstance(module, nn.Linear) or name.endswith(HEADS):
            continue
        leaf = name.rsplit(".", 1)[-1]
        wanted = GROUPS.get(targets, ()) if isinstance(targets, str) else targets
        if (targets == "all-linear" or leaf in wanted) and layer_of(name) >= first:
            names.append(name)
    if not names:
        raise ConfigError(f"params.targets: no linear layer of this model matches {targets!r} from layer {first} on")
    return names


def layer_of(name: str) -> int:
    """Decoder layer number inside a module name, or 0."""
    found = re.search(r"\.(?:layers|h|blocks)\.(\d+)\.", f".{name}.")
    return int(found.group(1)) if found else 0


def attach(model: nn.Module, names: list[str], r: int, alpha: float) -> dict[str, LoraLinear]:
    """Replace the named linear layers by adapted ones, in order (so a seed fixes the initialisation)."""
    adapters = {}
    for name in names:
        parent, leaf = name.rsplit(".", 1)
        owner = model.get_submodule(parent)
        adapters[name] = LoraLinear(getattr(owner, leaf), r, alpha)
        setattr(owner, leaf, adapters[name])
    return adapters


def detach(model: nn.Module, adapters: dict[str, LoraLinear]) -> None:
    """Put the plain linear layers back, without the deltas."""
    for name, module in adapters.items():
        parent, leaf = name.rsplit(".", 1)
        setattr(model.get_submodule(parent), leaf, module.base)


@contextmanager
def disabled() -> Iterator[None]:
    """Inside, adapters do nothing in this thread: the teacher for free."""
    before, _here.off = _here.off, True
    try:
        yield
    finally:
        _here.off = before
