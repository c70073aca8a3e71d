"""The model server: a SageMaker endpoint's /ping and /invocations, OpenAI's routes, and vLLM's for adapters (R6)."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import manifest, models, openai, schema
from continual.answer import Answer
from continual.contract import Root, Stop, progress, write_atomic
from continual.engine import Engine
from continual.errors import ConfigError, DataError, JobError
from continual.http import MAX_BODY, MAX_HEADER, Call, Connections, HttpError, Reply
from continual.served import Adapter, Adapters

DRAIN_SECONDS = 25  # SageMaker kills 30 s after SIGTERM
ADAPTER_HEADER = "x-amzn-sagemaker-adapter-identifier"
ADAPTER_BODY: dict[str, Any] = {
    "type": "object",
    "required": ["lora_name"],
    "properties": {"lora_name": {"type": "string", "minLength": 1, "maxLength": 256}, "lora_path": {"type": "string", "minLength": 1}},
}


@dataclass
class Limits:
    """What one server accepts; each field is set by SERVE_<NAME>."""

    max_pending: int = 64  # requests that run or wait; more are answered 429
    max_batch: int = 16  # requests that decode together
    max_body: int = MAX_BODY  # bytes; more are answered 413
    max_tokens: int = 0  # tokens of an answer; 0: the model's context

    @classmethod
    def of(cls, env: Any) -> "Limits":
        """Limits of the environment; ConfigError names what is wrong."""
        out = cls()
        for name in vars(out):
            text = env.get(f"SERVE_{name.upper()}")
            if text:
                if not text.isdigit() or (int(text) == 0 and name != "max_tokens"):
                    raise ConfigError(f"SERVE_{name.upper()}: must be a whole number above 0; is {text!r}")
                setattr(out, name, int(text))
        return out


def serve(root: Root, stop: Stop) -> None:
    """Serve root/model until SIGTERM."""
    asyncio.run(Server(root).run())


class Server:
    """One base model and its adapters behind one port."""

    def __init__(self, root: Root):
        self.root = root
        self.limits = Limits.of(os.environ)
        self.names = [n.strip() for n in (os.environ.get("SERVE_MODEL_NAME") or "").split(",") if n.strip()]
        self.host, self.port = os.environ.get("SERVE_HOST") or "127.0.0.1", int(os.environ.get("SERVE_PORT") or 8080)
        self.engine: Engine | None = None
        self.adapters: Adapters | None = None
        self.fingerprint = ""
        self.stopping = asyncio.Event()
        self.connections = Connections(self.handle, self.limits.max_body)
        self.running: set[Answer] = set()

    async def run(self) -> None:
        """Open the port at once (answering 503), load, announce the port, serve, drain."""
        loop = asyncio.get_running_loop()
        for s in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(s, self.stopping.set)
        server = await self.start()
        await self.stopping.wait()
        await self.drain()
        server.close()

    async def start(self) -> asyncio.Server:
        """Listen, load and announce the port."""
        server = await asyncio.start_server(self.connections.serve, self.host, self.port, limit=MAX_HEADER)
        self.port = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        await asyncio.to_thread(self.load)
        write_atomic(self.root.output / "serve.port", f"{self.port}\n")
        progress(phase="serving", host=self.host, port=self.port, digest=self.fingerprint, load_s=round(time.monotonic() - began, 2))
        return server

    def load(self) -> None:
        """Read the model; the digest is that of the very bytes read."""
        folder = self.root.model
        if not folder.is_dir():
            raise JobError(f"model: no folder {folder}; put the model files there")
        self.fingerprint = manifest.verify(folder)
        loaded = models.load(folder)
        engine = Engine(loaded, self.limits.max_batch)
        self.adapters = Adapters(loaded.model)
        self.limits.max_tokens = self.limits.max_tokens or loaded.context
        self.engine = engine

    async def drain(self) -> None:
        """Let running answers end while new ones get 503; what is not done in time ends with an error, not a torn line."""
        deadline = time.monotonic() + DRAIN_SECONDS
        await self._idle(deadline)
        unfinished = len(self.running)
        for answer in list(self.running):
            answer.cancel()
        await self._idle(time.monotonic() + 2)
        if self.engine:
            self.engine.close()
        progress(phase="stopped", unfinished=unfinished)

    async def _idle(self, deadline: float) -> None:
        while self.connections.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    async def handle(self, call: Call) -> Reply:
        """Route one request."""
        routes = {
            "/ping": ("GET", self.ping),
            "/health": ("GET", self.ping),
            "/v1/models": ("GET", self.models),
            "/invocations": ("POST", self.invoke),
            "/v1/chat/completions": ("POST", self.invoke),
            "/v1/completions": ("POST", self.invoke),
            "/v1/load_lora_adapter": ("POST", self.load_adapter),
            "/v1/unload_lora_adapter": ("POST", self.unload_adapter),
        }
        if call.path not in routes:
            raise HttpError(404, f"{call.method} {call.path}: unknown; there are {', '.join(f'{m} {p}' for p, (m, _) in routes.items())}")
        method, handler = routes[call.path]
        if call.method != method:
            raise HttpError(405, f"{call.path} takes {method}", headers={"allow": method})
        return await handler(call)

    async def ping(self, call: Call) -> Reply:
        """Healthy only when the model is loaded and the server is not stopping."""
        self._ready()
        return Reply({"status": "ok", "digest": self.fingerprint, "pending": self.engine.pending})

    def _ready(self) -> None:
        if self.engine is None or self.stopping.is_set():
            raise HttpError(503, "the model is loading" if self.engine is None else "the server is stopping", "unavailable")

    async def models(self, call: Call) -> Reply:
        """The base under its names, then the adapters."""
        self._ready()
        names = self.names or [self.fingerprint]
        data = [{"id": n, "object": "model", "owned_by": "perennial", "root": self.fingerprint, "parent": None} for n in names]
        more = [
            {"id": a.name, "object": "model", "owned_by": "perennial", "root": a.path, "parent": names[0]} for a in self.adapters.by_name.values()
        ]
        return Reply({"object": "list", "data": data + more})

    async def invoke(self, call: Call) -> Reply:
        """Answer one chat or completion request; the body's shape decides which, and on OpenAI's routes it must fit."""
        self._ready()
        body = openai.parse(call.body)
        wanted = {"/v1/chat/completions": "messages", "/v1/completions": "prompt"}.get(call.path)
        if wanted and wanted not in body:
            raise HttpError(400, f"{wanted}: is required on {call.path}", param=wanted)
        count = body.get("n") or 1
        if self.engine.pending + count > self.limits.max_pending:
            message = f"{self.engine.pending} of {self.limits.max_pending} places are taken; try again"
            raise HttpError(429, message, "overloaded", headers={"retry-after": "1"})
        name = call.headers.get(ADAPTER_HEADER) or body.get("model") or ""
        return await self._answer(body, name, self._adapter(name))

    def _adapter(self, name: str) -> Adapter | None:
        """The adapter that a request names, or None for the base. Any other name means the base as long as nobody gave the
        base a name (SERVE_MODEL_NAME) and no adapter was ever loaded: a gateway sends its own name for the model."""
        found = self.adapters.take(name)
        strict = self.names or self.adapters.seen
        if found is None and strict and name not in ("", self.fingerprint, *self.names):
            known = ", ".join([*(self.names or [self.fingerprint]), *self.adapters.by_name])
            raise HttpError(404, f"the model `{name}` does not exist; there are {known}", "not_found_error", "model")
        return found

    async def _answer(self, body: dict[str, Any], name: str, adapter: Adapter | None) -> Reply:
        try:
            model = name if adapter or name in self.names else (self.names or [self.fingerprint])[0]
            answer = Answer(self.engine, body, self.limits.max_tokens, model, self.fingerprint, adapter)
        except BaseException:
            self._done(None, adapter)
            raise
        answer.start()
        self.running.add(answer)
        if body.get("stream"):
            return Reply(events=self._stream(answer, adapter))
        try:
            return Reply(await answer.whole())
        finally:
            self._done(answer, adapter)

    async def _stream(self, answer: Answer, adapter: Adapter | None) -> AsyncIterator[str]:
        """The stream's events; it holds its adapter until it ends or its client leaves."""
        try:
            async for event in openai.closed_stream(answer.events()):
                yield event
        finally:
            answer.cancel()
            self._done(answer, adapter)

    def _done(self, answer: Answer | None, adapter: Adapter | None) -> None:
        self.running.discard(answer)
        if adapter:
            self.adapters.give(adapter)

    async def load_adapter(self, call: Call) -> Reply:
        """Load a LoRA folder under a name, as vLLM does."""
        body = self._adapter_body(call)
        if "lora_path" not in body:
            raise HttpError(400, "lora_path: is required", param="lora_path")
        name = body["lora_name"]
        if name in self.adapters.by_name or name in self.names or name == self.fingerprint:
            raise HttpError(400, f"lora_name: `{name}` is already there; unload it first", param="lora_name")
        try:
            await asyncio.to_thread(self.adapters.load, name, Path(body["lora_path"]))
        except (DataError, OSError) as e:
            raise HttpError(404 if "no folder" in str(e) else 400, str(e), param="lora_path") from None
        return Reply({"message": f"Success: LoRA adapter '{name}' added successfully."})

    async def unload_adapter(self, call: Call) -> Reply:
        """Take an adapter away; requests that use it end undisturbed."""
        name = self._adapter_body(call)["lora_name"]
        try:
            self.adapters.unload(name)
        except KeyError:
            raise HttpError(404, f"lora_name: no adapter `{name}` is loaded", "not_found_error", "lora_name") from None
        return Reply({"message": f"Success: LoRA adapter '{name}' removed successfully."})

    def _adapter_body(self, call: Call) -> dict[str, Any]:
        self._ready()
        if self.host not in ("127.0.0.1", "localhost", "::1") and os.environ.get("SERVE_ADAPTERS") != "1":
            raise HttpError(403, "adapters are loaded from this machine's folders: set SERVE_ADAPTERS=1 to allow it to other machines", "forbidden")
        try:
            body = json.loads(call.body)
        except ValueError as e:
            raise HttpError(400, f"the body is not valid JSON ({e})") from None
        wrong = list(schema.errors(body, ADAPTER_BODY))
        if wrong:
            raise HttpError(400, "; ".join(wrong), param=wrong[0].split(":")[0])
        return body


def port_of(root: Path) -> int:
    """The port that a ready server under this root announced."""
    return int((root / "output" / "serve.port").read_text())
