"""Our model behind the calls of lm-evaluation-harness: log-likelihoods and generation, with its own encoding of pairs."""

import itertools
from typing import Any

from lm_eval.api.model import TemplateLM

from continual.choices import scored
from continual.errors import JobError
from continual.generate import Request, cut, generate
from continual.workers import each


class Model(TemplateLM):
    """A loaded model folder as the library's LM. `tokens` holds what each request cost, by the request's id."""

    def __init__(self, loaded: Any, cfg: Any):
        super().__init__()
        self.loaded, self.cfg = loaded, cfg
        self.tokens: dict[int, int] = {}

    @property
    def eot_token_id(self) -> int:
        return int(self.loaded.text.eos[0])

    @property
    def prefix_token_id(self) -> int:
        bos = self.loaded.text.special["bos_token"]
        found = self.loaded.text.tok.token_to_id(bos) if bos else None
        return self.eot_token_id if found is None else int(found)

    @property
    def tokenizer_name(self) -> str:
        return str(self.loaded.folder).replace("/", "__")

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """Chat text of the messages by the model's own template."""
        return self.loaded.text.render(chat_history, add_generation_prompt)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """Token ids; the tokenizer's leading tokens are added unless the text starts with them."""
        bos = self.loaded.text.special["bos_token"]
        special = not (bos and string.startswith(bos)) if add_special_tokens is None else add_special_tokens
        return self.loaded.text.encode(string, special=special)

    def loglikelihood(self, requests: list[Any], disable_tqdm: bool = True) -> list[tuple[float, bool]]:
        """(log p, whether it is the greedy continuation) of each (context, continuation)."""
        found = super().loglikelihood(requests, disable_tqdm=True)
        for r in requests:
            self.tokens[id(r)] = len(self.tok_encode("".join(r.args)))
        return found

    def _loglikelihood_tokens(self, requests: list[Any], disable_tqdm: bool = True, **_: Any) -> list[tuple[float, bool]]:
        """Continuations of one context share its pass."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for n, (_texts, context, _continuation) in enumerate(requests):
            groups.setdefault(tuple(context), []).append(n)
        found = each(lambda g: self._of_one(list(g[0]), [requests[n][2] for n in g[1]]), list(groups.items()), self.loaded.model.device)
        by_place = dict(zip(itertools.chain(*groups.values()), itertools.chain(*found), strict=True))
        return [by_place[n] for n in range(len(requests))]

    def _of_one(self, context: list[int], continuations: list[list[int]]) -> list[tuple[float, bool]]:
        if not all(continuations):
            raise JobError("a continuation has no token of its own: it merges into its context")
        room = self.loaded.context - max(map(len, continuations))
        return scored(self.loaded.model, context[-room:], continuations)

    def loglikelihood_rolling(self, requests: list[Any], disable_tqdm: bool = True) -> list[float]:
        """log p of whole texts, in windows that do not overlap."""
        from lm_eval.utils import get_rolling_token_windows, make_disjoint_window

        out = []
        for r in requests:
            ids = self.tok_encode(r.args[0], add_special_tokens=False)
            self.tokens[id(r)] = len(ids)
            windows = get_rolling_token_windows(ids, self.prefix_token_id, self.loaded.context, 1)
            pairs = [("", *make_disjoint_window(w)) for w in windows]
            out.append(sum(s for s, _ in self._loglikelihood_tokens(pairs)))
        return out

    def generate_until(self, requests: list[Any], disable_tqdm: bool = True) -> list[str]:
        """Continuations up to a stop text, as the task's generation_kwargs say."""
        made = [self._request(n, *r.args) for n, r in enumerate(requests)]
        generate(self.loaded.model, [m for m, _ in made], self.cfg.batch)
        for r, (m, _) in zip(requests, made, strict=True):
            self.tokens[id(r)] = len(m.prompt) + len(m.out)
        return [cut(self.loaded.text.decode(m.out), stops) for m, stops in made]

    def _request(self, number: int, context: str, kwargs: dict[str, Any]) -> tuple[Request, list[str]]:
        until = kwargs.get("until") or []
        stops = [s for s in ([until] if isinstance(until, str) else until) if s]
        limit = int(kwargs.get("max_gen_toks") or 256)
        limit = min(limit, self.loaded.context // 2)
        heat = float(kwargs.get("temperature") or 0.0) if kwargs.get("do_sample") else 0.0
        ids = self.tok_encode(context)[-(self.loaded.context - limit) :]
        r = Request(ids, limit, heat, float(kwargs.get("top_p") or 1.0), self.cfg.seed + number, frozenset(self.loaded.text.eos))
        if stops:
            r.on_token = lambda _: self._end(r, stops)
        return r, stops

    def _end(self, r: Request, stops: list[str]) -> None:
        text = self.loaded.text.decode(r.out)
        if any(s in text for s in stops):
            r.done = "stop"
