"""The model server: /ping and /invocations with OpenAI-shaped bodies, the contract of a SageMaker endpoint (R6)."""

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from continual import manifest, models, schema
from continual.contract import Root, Stop, progress, write_atomic
from continual.engine import Engine
from continual.errors import JobError
from continual.generate import Request
from continual.http import MAX_HEADER, Call, HttpError, Reply, serve_connection

MAX_PENDING = 64
DRAIN_SECONDS = 25  # SageMaker kills 30 s after SIGTERM
BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {"role": {"enum": ["system", "user", "assistant", "tool"]}, "content": {"type": "string"}},
            },
        },
        "prompt": {"type": "string", "minLength": 1},
        "max_tokens": {"type": ["integer", "null"], "minimum": 1},
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
        "seed": {"type": ["integer", "null"]},
        "stream": {"type": ["boolean", "null"]},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 1},
    },
}


def serve(root: Root, stop: Stop) -> None:
    """Serve root/model until SIGTERM."""
    asyncio.run(Server(root).run())


class Server:
    """One model behind one port."""

    def __init__(self, root: Root):
        self.root = root
        self.engine: Engine | None = None
        self.fingerprint = ""
        self.stopping = asyncio.Event()
        self.active = 0

    async def run(self) -> None:
        """Open the port at once (answering 503), load, announce the port, serve, drain."""
        loop = asyncio.get_running_loop()
        for s in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(s, self.stopping.set)
        host, port = os.environ.get("SERVE_HOST") or "127.0.0.1", int(os.environ.get("SERVE_PORT") or 8080)
        server = await asyncio.start_server(lambda r, w: serve_connection(r, w, self.handle), host, port, limit=MAX_HEADER)
        bound = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        await asyncio.to_thread(self.load)
        write_atomic(self.root.output / "serve.port", f"{bound}\n")
        progress(phase="serving", host=host, port=bound, digest=self.fingerprint, load_s=round(time.monotonic() - began, 2))
        await self.stopping.wait()
        server.close()
        await self.drain()

    def load(self) -> None:
        """Read the model; the digest is that of the very bytes read."""
        folder = self.root.model
        if not folder.is_dir():
            raise JobError(f"model: no folder {folder}; put the model files there")
        self.fingerprint = manifest.verify(folder)
        self.engine = Engine(models.load(folder, os.environ.get("SERVE_DTYPE") or "auto"))

    async def drain(self) -> None:
        """Let running answers end."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self.active and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.engine:
            self.engine.close()
        progress(phase="stopped", unfinished=self.active)

    async def handle(self, call: Call) -> Reply:
        """Route one request."""
        if call.path == "/ping" and call.method == "GET":
            return self.ping()
        if call.path in ("/invocations", "/v1/chat/completions", "/v1/completions"):
            if call.method != "POST":
                raise HttpError(405, f"{call.path} takes POST", headers={"allow": "POST"})
            return await self.invoke(call)
        if call.path == "/v1/models" and call.method == "GET":
            return Reply({"object": "list", "data": [{"id": self.fingerprint, "object": "model", "owned_by": "perennial"}]})
        raise HttpError(404, f"{call.method} {call.path}: unknown; there are GET /ping, GET /v1/models and POST /invocations")

    def ping(self) -> Reply:
        """Healthy only when the model is loaded and the server is not stopping."""
        if self.engine is None or self.stopping.is_set():
            raise HttpError(503, "the model is loading" if self.engine is None else "the server is stopping", "unavailable")
        return Reply({"status": "ok", "digest": self.fingerprint, "pending": self.engine.pending})

    async def invoke(self, call: Call) -> Reply:
        """Answer one chat or completion request."""
        self.ping()
        body = parse(call.body)
        if self.engine.pending >= MAX_PENDING:
            raise HttpError(429, f"{MAX_PENDING} requests are waiting; try again", "overloaded", headers={"retry-after": "1"})
        answer = Answer(self, body)
        self.active += 1
        if body.get("stream"):
            return Reply(events=self.closing(answer.events()))
        try:
            return Reply(await answer.whole())
        finally:
            self.active -= 1

    async def closing(self, events: AsyncIterator[str]) -> AsyncIterator[str]:
        """Count a stream as active until it ends or its client leaves."""
        try:
            async for event in events:
                yield event
        finally:
            self.active -= 1


def parse(raw: bytes) -> dict[str, Any]:
    """The checked body; HttpError 400 says what to change."""
    try:
        body = json.loads(raw)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as e:
        raise HttpError(400, f'the body is not valid JSON ({e}); send {{"messages": [{{"role": "user", "content": "…"}}]}}') from None
    wrong = list(schema.errors(body, BODY))
    if wrong:
        raise HttpError(400, "; ".join(wrong[:3]), param=wrong[0].split(":")[0])
    if ("messages" in body) == ("prompt" in body):
        raise HttpError(400, "send either `messages` (chat) or `prompt` (completion)", param="messages")
    return body


class Answer:
    """One request on its way through the engine."""

    def __init__(self, server: Server, body: dict[str, Any]):
        self.server, self.chat = server, "messages" in body
        self.loop = asyncio.get_running_loop()
        self.tokens: asyncio.Queue[int | Exception | None] = asyncio.Queue()
        self.id = ("chatcmpl-" if self.chat else "cmpl-") + secrets.token_hex(12)
        self.created = int(time.time())
        self.request = self._request(body)
        self.text = server.engine.loaded.text
        server.engine.submit(self.request, lambda e: self._post(e))

    def _request(self, body: dict[str, Any]) -> Request:
        loaded = self.server.engine.loaded
        ids = loaded.text.chat_ids(body["messages"]) if self.chat else loaded.text.plain_ids(body["prompt"])
        room = loaded.context - len(ids)
        if room < 1:
            raise HttpError(400, f"the prompt has {len(ids)} tokens; this model holds {loaded.context} with the answer: shorten it", param="messages")
        wanted = body.get("max_tokens") or body.get("max_completion_tokens") or 128
        top_p, seed = body.get("top_p"), body.get("seed")
        return Request(
            ids,
            min(wanted, room),
            body.get("temperature") or 0.0,
            1.0 if top_p is None else top_p,
            seed,
            frozenset(loaded.text.eos),
            on_token=self._post,
        )

    def _post(self, item: int | Exception | None) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.tokens.put_nowait, item)

    async def pieces(self) -> AsyncIterator[str]:
        """Text as it grows; a character whose bytes are not complete yet is held back."""
        ids: list[int] = []
        shown = ""
        try:
            while (item := await self.tokens.get()) is not None:
                if isinstance(item, Exception):
                    raise HttpError(500, f"generation failed: {item}", "server_error")
                ids.append(item)
                text = self.text.decode(ids)
                if not text.endswith("\ufffd"):
                    yield text[len(shown) :]
                    shown = text
            yield self.text.decode(ids)[len(shown) :]
        finally:
            self.request.done = self.request.done or "cancelled"

    async def whole(self) -> dict[str, Any]:
        """The complete answer."""
        text = "".join([p async for p in self.pieces()])
        content = {"message": {"role": "assistant", "content": text}} if self.chat else {"text": text}
        return {
            **self._head(False),
            "choices": [{"index": 0, **content, "logprobs": None, "finish_reason": self.request.done}],
            "usage": self._usage(),
        }

    async def events(self) -> AsyncIterator[str]:
        """Server-sent events in OpenAI's chunk form, usage in the last chunk."""
        if self.chat:
            yield self._chunk({"delta": {"role": "assistant", "content": ""}}, None)
        async for piece in self.pieces():
            if piece:
                yield self._chunk({"delta": {"content": piece}} if self.chat else {"text": piece}, None)
        yield self._chunk({"delta": {}} if self.chat else {"text": ""}, self.request.done, usage=self._usage())
        yield "[DONE]"

    def _chunk(self, content: dict[str, Any], finish: str | None, **more: Any) -> str:
        choice = {"index": 0, **content, "finish_reason": finish}
        return json.dumps({**self._head(True), "choices": [choice], **more}, ensure_ascii=False)

    def _head(self, chunk: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if chunk else "chat.completion") if self.chat else "text_completion"
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.server.fingerprint,
            "system_fingerprint": self.server.fingerprint,
        }

    def _usage(self) -> dict[str, int]:
        p, c = len(self.request.prompt), len(self.request.out)
        return {"prompt_tokens": p, "completion_tokens": c, "total_tokens": p + c}


def port_of(root: Path) -> int:
    """The port that a ready server under this root announced."""
    return int((root / "output" / "serve.port").read_text())
