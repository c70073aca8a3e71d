"""What the model server answers: a SageMaker endpoint's /ping and /invocations, OpenAI's routes, and vLLM's for adapters (R6)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import openai, schema
from continual.answer import Answer
from continual.engine import Engine
from continual.errors import ConfigError, DataError
from continual.http import MAX_BODY, Call, HttpError, Reply
from continual.served import Adapter, Adapters

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


class Api:
    """One base model and its adapters; answers 503 until `open` gives them, and once it is stopping."""

    def __init__(self, limits: Limits, names: list[str], loads_adapters: bool):
        self.limits, self.names, self.loads_adapters = limits, names, loads_adapters
        self.engine: Engine | None = None
        self.adapters: Adapters | None = None
        self.fingerprint = ""
        self.stopping = asyncio.Event()
        self.running: set[Answer] = set()

    def open(self, engine: Engine, adapters: Adapters, fingerprint: str) -> None:
        """Answer from now on."""
        self.limits.max_tokens = self.limits.max_tokens or engine.loaded.context
        self.adapters, self.fingerprint, self.engine = adapters, fingerprint, engine

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
        if not self.loads_adapters:
            raise HttpError(403, "adapters are loaded from this machine's folders: set SERVE_ADAPTERS=1 to allow it to other machines", "forbidden")
        try:
            body = json.loads(call.body)
        except ValueError as e:
            raise HttpError(400, f"the body is not valid JSON ({e})") from None
        wrong = list(schema.errors(body, ADAPTER_BODY))
        if wrong:
            raise HttpError(400, "; ".join(wrong), param=wrong[0].split(":")[0])
        return body
