"""Choice items by log-likelihood: the prompt is computed once and shared by all its choices, which is exact.

Pairs are encoded and lengths counted as lm-evaluation-harness does, so that the numbers are the same (tested).
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def pair(encode: Callable[[str], list[int]], context: str, continuation: str) -> tuple[list[int], list[int]]:
    """Tokens of a context and of what follows it, encoded together; trailing white space belongs to the continuation."""
    kept = context.rstrip() or context
    continuation = context[len(kept) :] + continuation
    before, whole = encode(kept), encode(kept + continuation)
    return before, whole[len(before) :]


def loglikelihoods(model: Any, prompt: list[int], choices: list[list[int]]) -> list[float]:
    """Sum of log p(token) of each choice [c_i] after the prompt [n]."""
    return [value for value, _ in scored(model, prompt, choices)]


@torch.no_grad()
def scored(model: Any, prompt: list[int], choices: list[list[int]]) -> list[tuple[float, bool]]:
    """(sum of log p(token), whether every token is the likeliest) of each choice [c_i] after the prompt [n]."""
    cache = model.new_cache(1, len(prompt) + max(map(len, choices)))
    ids = torch.tensor(prompt, device=model.device)
    first = model.head(model.extend(ids, [len(prompt)], cache)[-1:])  # [1, V]
    starts = torch.log_softmax(first.float(), -1)[0]
    best = int(starts.argmax())
    found = [(starts[c[0]].item(), c[0] == best) for c in choices]
    longer = [i for i, c in enumerate(choices) if len(c) > 1]
    if longer:
        cache.keep(torch.zeros(len(longer), dtype=torch.long, device=model.device))
        for i, (more, greedy) in zip(longer, _rest(model, cache, [choices[i] for i in longer]), strict=True):
            found[i] = (found[i][0] + more, found[i][1] and greedy)
    return found


def _rest(model: Any, cache: Any, choices: list[list[int]]) -> list[tuple[float, bool]]:
    """The same of tokens 2.. of each choice; each needs more than one token."""
    lengths = [len(c) - 1 for c in choices]
    ids = torch.tensor([t for c in choices for t in c[:-1]], device=model.device)
    logp = torch.log_softmax(model.head(model.extend(ids, lengths, cache)).float(), -1)
    wanted = torch.tensor([t for c in choices for t in c[1:]], device=model.device)
    each: Tensor = logp.gather(1, wanted[:, None])[:, 0]
    hits = logp.argmax(-1) == wanted
    return [(p.sum().item(), bool(h.all())) for p, h in zip(each.split(lengths), hits.split(lengths), strict=True)]


def pick(scores: list[float], texts: list[str], normalize: str) -> int:
    """Index of the best choice: `acc` by the sum, `acc_norm` by the mean a character, `acc_bytes` by the mean a UTF-8 byte."""
    sizes = {"acc_norm": [len(t) for t in texts], "acc_bytes": [len(t.encode()) for t in texts]}.get(normalize)
    if sizes:
        scores = [s / max(1, n) for s, n in zip(scores, sizes, strict=True)]
    return max(range(len(scores)), key=lambda i: scores[i])
