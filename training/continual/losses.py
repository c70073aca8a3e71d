"""The loss slot: terms that hold the model to what it knew (T1). Each term is one class; weights come from run.json."""

from typing import Any, Protocol

import torch
from torch import Tensor

from continual.forward import Forward
from continual.params import Trainable
from continual.predictions import cross_entropy
from continual.product import times
from continual.text import Row


class Term(Protocol):
    """One addend of the loss: a mean over the learned tokens of the step's rows `of` "new" or "old", or a value of the "weights".
    A term that asks the previous model says at which `temperature`."""

    name: str
    of: str
    weight: float
    temperature: float | None

    def __call__(self, step: "Step") -> Tensor:
        """The unweighted value for one step."""
        ...


class Step:
    """What a term may look at: the rows of this step and the model's predictions on them."""

    def __init__(self, forward: Forward, new: list[Row], old: list[Row]):
        self.forward, self.new_rows, self.old_rows = forward, new, old
        out = forward(new + old)
        count = int((out.owner < len(new)).sum())
        self.new = out.part(slice(count)) if old else out
        self.old = out.part(slice(count, None)) if old else None


class ReplayKL:
    """KL(previous model || model) on replayed rows (DER, arXiv 2004.07211, with the previous model as target)."""

    name, of = "kl", "old"

    def __init__(self, weight: float, temperature: float):
        self.weight, self.temperature = weight, temperature

    def __call__(self, step: Step) -> Tensor:
        return step.forward.kl(step.old_rows, step.old, self.temperature)


class Features:
    """Distance of the final states from the previous model's on replayed rows, relative to their length (less-forgetting
    learning, arXiv 1607.00122, there squared). KL sees only what changes the next word now, and forgives small changes as
    squares do; this sees every change, and answers that hang by a hair turn by small ones."""

    name, of = "features", "old"

    def __init__(self, weight: float, temperature: float):
        self.weight, self.temperature = weight, temperature

    def __call__(self, step: Step) -> Tensor:
        return step.forward.drift(step.old_rows, step.old, self.temperature)


class ReplayCE:
    """Plain loss on replayed rows."""

    name, of = "loss_replay", "old"
    temperature = None

    def __init__(self, weight: float):
        self.weight = weight

    def __call__(self, step: Step) -> Tensor:
        return cross_entropy(step.old)


class LwF:
    """KL to the previous model on the new rows (Learning without Forgetting, arXiv 1606.09282)."""

    name, of = "lwf", "new"

    def __init__(self, weight: float, temperature: float):
        self.weight, self.temperature = weight, temperature

    def __call__(self, step: Step) -> Tensor:
        return step.forward.kl(step.new_rows, step.new, self.temperature)


class L2SP:
    """Half the squared distance to the weights before the run (arXiv 1802.01483); for adapters, of their delta."""

    name, of = "l2sp", "weights"
    temperature = None

    def __init__(self, weight: float, trainable: Trainable):
        self.weight, self.t = weight, trainable

    def __call__(self, step: Step) -> Tensor:
        if self.t.adapters:
            return 0.5 * sum(square(*a.factors()) for a in self.t.adapters.values())
        return 0.5 * sum((p - self.t.start[n]).pow(2).sum() for n, p in self.t.named.items())


def square(b: Tensor, a: Tensor) -> Tensor:
    """|BA|^2 of B [out, k], A [k, in] by their small products: tr(B^T B A A^T)."""
    return ((b.T @ b) * (a @ a.T)).sum()


class EWC:
    """Half sum F_i (theta_i - theta*_i)^2 with the Fisher diagonal F (arXiv 1612.00796); F has mean 1.

    With adapters, F is that of the base weight and theta - theta* the delta BA.
    """

    name, of = "ewc", "weights"
    temperature = None

    def __init__(self, weight: float, trainable: Trainable, fisher: dict[str, Tensor]):
        self.weight, self.t, self.fisher = weight, trainable, fisher

    def __call__(self, step: Step) -> Tensor:
        if self.t.adapters:
            return 0.5 * sum(Weighed.apply(*a.factors(), self.fisher[f"{n}.weight"]) for n, a in self.t.adapters.items())
        return 0.5 * sum((self.fisher[n] * (p - self.t.start[n]).pow(2)).sum() for n, p in self.t.named.items())


class Weighed(torch.autograd.Function):
    """sum F (BA)^2 of B [out, k], A [k, in], F [out, in]. The gradient is made at once, so that nothing of F's size is kept."""

    @staticmethod
    def forward(ctx: Any, b: Tensor, a: Tensor, f: Tensor) -> Tensor:
        change = times(b, a.T)
        pull = change * f
        ctx.save_for_backward(times(pull, a), times(b.T, pull.T))
        return torch.dot(change.view(-1), pull.view(-1))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        db, da = ctx.saved_tensors
        return 2 * grad * db, 2 * grad * da, None


class OLoRA:
    """Sum |A_new A_old^T|: new adapters stay orthogonal to earlier ones (O-LoRA, arXiv 2310.14152)."""

    name, of = "olora", "weights"
    temperature = None

    def __init__(self, weight: float, trainable: Trainable, earlier: list[dict[str, tuple[Tensor, Tensor]]]):
        self.weight, self.t, self.earlier = weight, trainable, earlier

    def __call__(self, step: Step) -> Tensor:
        total = torch.zeros(())
        for old in self.earlier:
            for name, a in self.t.adapters.items():
                before = old.get(name.removeprefix("inner."))
                if before is not None:
                    total = total + (a.lora_A @ before[1].T).abs().sum()
        return total


def build(cfg: Any, t: Trainable, fisher: dict[str, Tensor], earlier: list[dict[str, tuple[Tensor, Tensor]]], has_old: bool) -> list[Term]:
    """The configured terms, those with weight 0 left out."""
    c = cfg.loss
    terms: list[Term] = []
    if has_old:
        terms += [ReplayKL(c.kl, c.kl_temperature), Features(c.features, c.kl_temperature), ReplayCE(cfg.replay.ce_weight)]
    terms += [LwF(c.lwf, c.lwf_temperature), L2SP(c.l2sp, t), EWC(c.ewc, t, fisher), OLoRA(c.olora, t, earlier)]
    return [term for term in terms if term.weight > 0]
