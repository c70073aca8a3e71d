"""One request on its way through the engine: tokens in, text, stop sequences and log-probabilities out (R6)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from continual import openai
from continual.engine import Engine
from continual.generate import Request
from continual.http import HttpError
from continual.served import Adapter

DEFAULT_TOKENS = 128


class Choice:
    """One of the n answers: its text as it grows, cut before the first stop sequence."""

    def __init__(self, index: int, request: Request, text: Any, stops: list[str]):
        self.index, self.request, self.text, self.stops = index, request, text, stops
        self.ids: list[int] = []
        self.full = self.shown = ""
        self.base = self.read = 0  # tokens before `base` are text already; those before `read` are in `full`
        self.told = 0  # tokens whose log-probabilities were reported
        self.finish: str | None = None

    def take(self, token: int) -> str:
        """Text that may be shown once this token is known."""
        self.ids.append(token)
        before, now = (self.text.decode(self.ids[self.base : end]) for end in (self.read, len(self.ids)))
        if len(now) > len(before) and not now.endswith("\ufffd"):  # else a character whose bytes are not complete
            self.full += now[len(before) :]
            self.base, self.read = self.read, len(self.ids)
        return self._show(self._held())

    def end(self) -> str:
        """The rest of the text, when no more tokens come."""
        if self.finish is not None:
            return ""
        self.full += self.text.decode(self.ids[self.base :])[len(self.text.decode(self.ids[self.base : self.read])) :]
        more = self._show(0)
        self.finish = self.finish or self.request.done or "stop"
        return more

    def _show(self, held: int) -> str:
        cuts = [at for s in self.stops if (at := self.full.find(s, max(0, len(self.shown) - len(s)))) >= 0]
        upto = min(cuts) if cuts else len(self.full) - held
        if cuts:
            self.finish = "stop"
            self.request.done = self.request.done or "stop"
        more = self.full[len(self.shown) : max(upto, len(self.shown))]
        self.shown += more
        return more

    def _held(self) -> int:
        """Length of the longest tail that may be the beginning of a stop sequence."""
        return max((k for s in self.stops for k in range(1, len(s)) if self.full.endswith(s[:k])), default=0)

    def logprobs(self, chat: bool, new: bool = False) -> dict[str, Any] | None:
        """Log-probabilities in OpenAI's form, with `new` only of tokens not reported yet."""
        if self.request.alternatives is None:
            return None
        start, scores = (self.told if new else 0), self.request.scores[: len(self.ids)]
        self.told = len(self.ids)
        picked = list(zip(self.ids, scores, strict=True))[start:]
        return {"content": [self._content(t, s) for t, s in picked]} if chat else self._listed(picked, start)

    def _content(self, token: int, score: tuple[float, list[tuple[int, float]]]) -> dict[str, Any]:
        def entry(t: int, p: float) -> dict[str, Any]:
            name = self.text.decode([t])
            return {"token": name, "logprob": p, "bytes": list(name.encode())}

        return {**entry(token, score[0]), "top_logprobs": [entry(t, p) for t, p in score[1]]}

    def _listed(self, picked: list[Any], start: int) -> dict[str, Any]:
        offsets = [len(self.text.decode(self.ids[: start + i])) for i in range(len(picked))]
        return {
            "tokens": [self.text.decode([t]) for t, _ in picked],
            "token_logprobs": [s[0] for _, s in picked],
            "top_logprobs": [{self.text.decode([t]): p for t, p in s[1]} for _, s in picked],
            "text_offset": offsets,
        }


class Answer:
    """The n choices of one request."""

    def __init__(self, engine: Engine, body: dict[str, Any], limit: int, model: str, fingerprint: str, adapter: Adapter | None):
        self.engine, self.body, self.adapter = engine, body, adapter
        self.chat = "messages" in body
        self.shape = openai.Shape(self.chat, model, fingerprint)
        self.loop = asyncio.get_running_loop()
        self.tokens: asyncio.Queue[tuple[int, int | Exception | None]] = asyncio.Queue()
        stop = body.get("stop") or []
        stops = [stop] if isinstance(stop, str) else stop
        self.choices = [Choice(i, self._request(i, limit), engine.loaded.text, stops) for i in range(body.get("n") or 1)]

    def start(self) -> None:
        """Queue the choices."""
        for c in self.choices:
            self.engine.submit(c.request, lambda e, i=c.index: self._post(i, e))

    def cancel(self) -> None:
        """Let the engine drop what is still running."""
        for c in self.choices:
            c.request.done = c.request.done or "cancelled"

    def _request(self, index: int, limit: int) -> Request:
        loaded, body = self.engine.loaded, self.body
        ids = loaded.text.chat_ids(body["messages"]) if self.chat else loaded.text.plain_ids(body["prompt"])
        field = "messages" if self.chat else "prompt"
        if not ids:
            raise HttpError(400, f"{field}: has no token", param=field)
        room = loaded.context - len(ids)
        if room < 1:
            raise HttpError(400, f"the prompt has {len(ids)} tokens; this model holds {loaded.context} with the answer: shorten it", param=field)
        wanted = body.get("max_completion_tokens") or body.get("max_tokens")
        if wanted and wanted > limit:
            raise HttpError(400, f"max_tokens: must be at most {limit}; is {wanted}", param="max_tokens")
        top_p, seed = body.get("top_p"), body.get("seed")
        return Request(
            ids,
            min(wanted or DEFAULT_TOKENS, limit, room),
            body.get("temperature") or 0.0,
            1.0 if top_p is None else top_p,
            None if seed is None else (seed + index) % 2**63,
            frozenset(loaded.text.eos),
            on_token=lambda token: self._post(index, token),
            adapter=self.adapter.key if self.adapter else None,
            alternatives=openai.alternatives(body),
        )

    def _post(self, index: int, item: int | Exception | None) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.tokens.put_nowait, (index, item))

    async def pieces(self) -> AsyncIterator[tuple[Choice, str]]:
        """(choice, new text) as tokens come; a choice that is complete comes once more with `finish` set."""
        open_ = len(self.choices)
        try:
            while open_:
                index, item = await self.tokens.get()
                c = self.choices[index]
                if isinstance(item, Exception):
                    raise HttpError(500, f"generation failed: {item}", "server_error")
                if item is None:
                    open_ -= 1
                    if c.request.done == "cancelled":
                        raise HttpError(503, "the server is stopping; the answer is not complete", "unavailable")
                    yield c, c.end()
                elif c.finish is None:
                    yield c, c.take(item)
        finally:
            self.cancel()

    async def whole(self) -> dict[str, Any]:
        """The complete answer."""
        async for _ in self.pieces():
            pass
        return self.shape.whole(self.choices, self._usage())

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events in OpenAI's chunk form. The last choice's last chunk carries the usage, or the extra chunk that
        `stream_options.include_usage` asks for does."""
        extra = (self.body.get("stream_options") or {}).get("include_usage")
        left = len(self.choices)
        for c in self.choices if self.chat else ():
            yield self.shape.first(c.index)
        closed: set[int] = set()
        async for c, text in self.pieces():
            if text:
                yield self.shape.piece(c.index, text, c.logprobs(self.chat, new=True))
            if c.finish and c.index not in closed:
                closed.add(c.index)
                left -= 1
                yield self.shape.last(c.index, c.finish, self._usage() if left == 0 and not extra else None)
        if extra:
            yield self.shape.usage(self._usage())

    def _usage(self) -> dict[str, int]:
        p, c = len(self.choices[0].request.prompt), sum(len(c.ids) for c in self.choices)
        return {"prompt_tokens": p, "completion_tokens": c, "total_tokens": p + c}
