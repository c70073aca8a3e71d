"""OpenAI's shapes: the request bodies of chat and completions, and their answers, whole or streamed (R6)."""

import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

from continual import schema
from continual.http import HttpError

_TEXT_PART = {
    "type": "object",
    "required": ["type", "text"],
    "properties": {"type": {"enum": ["text"]}, "text": {"type": "string"}},
}
BODY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model": {"type": ["string", "null"]},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role"],
                "properties": {
                    "role": {"enum": ["developer", "system", "user", "assistant", "tool"]},
                    "content": {"type": ["string", "array", "null"], "items": _TEXT_PART},
                },
            },
        },
        "prompt": {"type": "string", "minLength": 1},
        "max_tokens": {"type": ["integer", "null"], "minimum": 1},
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
        "seed": {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1},
        "stream": {"type": ["boolean", "null"]},
        "stream_options": {"type": ["object", "null"], "properties": {"include_usage": {"type": ["boolean", "null"]}}},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 16},
        "stop": {"type": ["string", "array", "null"], "items": {"type": "string", "minLength": 1}, "maxItems": 16, "minLength": 1},
        "logprobs": {"type": ["boolean", "integer", "null"], "minimum": 0, "maximum": 20},
        "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
        "frequency_penalty": {"type": ["number", "null"], "minimum": 0, "maximum": 0},
        "presence_penalty": {"type": ["number", "null"], "minimum": 0, "maximum": 0},
        "echo": {"enum": [False, None]},
    },
}


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
    for i, m in enumerate(body.get("messages", [])):
        _plain(m, f"messages[{i}].content")
    _check_logprobs(body)
    return body


def _plain(m: dict[str, Any], where: str) -> None:
    """The message as chat templates know it: text, and `system` for what OpenAI now calls `developer`. Only an assistant's
    message may say nothing (its call of a tool)."""
    content = m.get("content")
    if content is None and m["role"] != "assistant":
        raise HttpError(400, f"{where}: is required for the role {m['role']}", param=where)
    m["content"] = "".join(part["text"] for part in content) if isinstance(content, list) else content or ""
    m["role"] = "system" if m["role"] == "developer" else m["role"]


def _check_logprobs(body: dict[str, Any]) -> None:
    """Chat says `logprobs: true` and how many beside, a completion says the number."""
    given = body.get("logprobs")
    if "prompt" in body and given is True:
        raise HttpError(400, "logprobs: must be an integer for a completion", param="logprobs")
    if "messages" in body and given is not None and not isinstance(given, bool):
        raise HttpError(400, "logprobs: must be true or false for a chat; top_logprobs is the number", param="logprobs")
    if body.get("top_logprobs") and not given:
        raise HttpError(400, "top_logprobs: needs logprobs: true", param="top_logprobs")


def alternatives(body: dict[str, Any]) -> int | None:
    """How many likeliest tokens to report with each token; None reports nothing."""
    given = body.get("logprobs")
    if given is None or given is False:
        return None
    return (body.get("top_logprobs") or 0) if given is True else given


class Shape:
    """Names and envelope of one request's answer."""

    def __init__(self, chat: bool, model: str, fingerprint: str):
        self.chat, self.model, self.fingerprint = chat, model, fingerprint
        self.id = ("chatcmpl-" if chat else "cmpl-") + secrets.token_hex(12)
        self.created = int(time.time())

    def whole(self, choices: list[Any], usage: dict[str, int]) -> dict[str, Any]:
        """The complete answer of finished choices."""
        return {**self._head(False), "choices": [self._choice(c) for c in choices], "usage": usage}

    def _choice(self, c: Any) -> dict[str, Any]:
        content = {"message": {"role": "assistant", "content": c.shown}} if self.chat else {"text": c.shown}
        return {"index": c.index, **content, "logprobs": c.logprobs(self.chat), "finish_reason": c.finish}

    def first(self, index: int) -> str:
        """A chat stream's opening chunk."""
        return self._chunk([{"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def piece(self, index: int, text: str, logprobs: Any) -> str:
        """A chunk of text."""
        content = {"delta": {"content": text}} if self.chat else {"text": text}
        return self._chunk([{"index": index, **content, "logprobs": logprobs, "finish_reason": None}])

    def last(self, index: int, finish: str, usage: dict[str, int] | None) -> str:
        """A choice's closing chunk."""
        content = {"delta": {}} if self.chat else {"text": ""}
        more = {} if usage is None else {"usage": usage}
        return self._chunk([{"index": index, **content, "finish_reason": finish}], **more)

    def usage(self, usage: dict[str, int]) -> str:
        """The chunk without choices that `stream_options.include_usage` asks for."""
        return self._chunk([], usage=usage)

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> str:
        return json.dumps({**self._head(True), "choices": choices, **more}, ensure_ascii=False)

    def _head(self, chunk: bool) -> dict[str, Any]:
        kind = ("chat.completion.chunk" if chunk else "chat.completion") if self.chat else "text_completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model, "system_fingerprint": self.fingerprint}


async def closed_stream(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """Events, an error as the last of them where one happens, and the end mark in every case."""
    try:
        async for event in events:
            yield event
    except HttpError as e:
        yield json.dumps(e.body, ensure_ascii=False)
    yield "[DONE]"
