"""Choice items by log-likelihood: the prompt is computed once and shared by all its choices, which is exact."""

from typing import Any

import torch
from torch import Tensor


@torch.no_grad()
def loglikelihoods(model: Any, prompt: list[int], choices: list[list[int]]) -> list[float]:
    """Sum of log p(token) of each choice [c_i] after the prompt [n]."""
    cache = model.new_cache(1, len(prompt) + max(map(len, choices)))
    ids = torch.tensor(prompt, device=model.device)
    first = model.head(model.extend(ids, [len(prompt)], cache)[-1:])  # [1, V]
    starts = torch.log_softmax(first.float(), -1)[0]
    scores = [starts[c[0]].item() for c in choices]
    longer = [i for i, c in enumerate(choices) if len(c) > 1]
    if longer:
        cache.keep(torch.zeros(len(longer), dtype=torch.long, device=model.device))
        for i, extra in zip(longer, _rest(model, cache, [choices[i] for i in longer]), strict=True):
            scores[i] += extra
    return scores


def _rest(model: Any, cache: Any, choices: list[list[int]]) -> list[float]:
    """Log-likelihood of tokens 2.. of each choice; each needs more than one token."""
    lengths = [len(c) - 1 for c in choices]
    ids = torch.tensor([t for c in choices for t in c[:-1]], device=model.device)
    logp = torch.log_softmax(model.head(model.extend(ids, lengths, cache)).float(), -1)
    wanted = torch.tensor([t for c in choices for t in c[1:]], device=model.device)
    each: Tensor = logp.gather(1, wanted[:, None])[:, 0]
    return [part.sum().item() for part in each.split(lengths)]


def pick(scores: list[float], texts: list[str], normalize: str) -> int:
    """Index of the best choice; `acc_norm` divides by the choice's length in UTF-8 bytes, `acc` does not."""
    if normalize == "acc_norm":
        scores = [s / max(1, len(t.encode())) for s, t in zip(scores, texts, strict=True)]
    return max(range(len(scores)), key=lambda i: scores[i])
