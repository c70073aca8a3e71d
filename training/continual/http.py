"""A small HTTP/1.1 server on asyncio: what a model container needs and nothing that delays its start."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

MAX_HEADER = 32 * 1024
MAX_BODY = 1024 * 1024
READ_SECONDS = 30


class HttpError(Exception):
    """An answer other than 200, as OpenAI-shaped JSON."""

    def __init__(
        self, status: int, message: str, kind: str = "invalid_request_error", param: str | None = None, headers: dict[str, str] | None = None
    ):
        super().__init__(message)
        self.status, self.headers = status, headers or {}
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": status}}


@dataclass
class Call:
    """One parsed request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """An answer: a JSON value, or a stream of server-sent events."""

    value: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    events: AsyncGenerator[str] | None = None


Handler = Callable[[Call], Awaitable[Reply]]


class Connections:
    """Serves connections; `busy` counts requests from their last byte to the last byte of their answer."""

    def __init__(self, handle: Handler, max_body: int = MAX_BODY):
        self.handle, self.max_body, self.busy = handle, max_body, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve requests of one connection until it closes."""
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            call = await read_call(reader, self.max_body)
        except HttpError as e:
            await _write(writer, Reply(e.body, e.status, e.headers), keep=False)
            return False
        if call is None:
            return False
        self.busy += 1
        try:
            keep = call.headers.get("connection", "").lower() != "close"
            reply = await self._reply(call)
            await _write(writer, reply, keep)
            return keep and reply.events is None
        finally:
            self.busy -= 1

    async def _reply(self, call: Call) -> Reply:
        try:
            return await self.handle(call)
        except HttpError as e:
            return Reply(e.body, e.status, e.headers)
        except Exception as e:
            return Reply({"error": {"message": f"{type(e).__name__}: {e}", "type": "server_error", "param": None, "code": 500}}, 500)


async def read_call(reader: asyncio.StreamReader, max_body: int = MAX_BODY) -> Call | None:
    """The next request, None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as e:
        if not e.partial:
            return None
        raise HttpError(400, "the request ends inside its headers") from None
    except asyncio.LimitOverrunError:
        raise HttpError(431, f"headers are longer than {MAX_HEADER} bytes") from None
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise HttpError(400, "the first line is no HTTP/1.1 request line")
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
    body = await asyncio.wait_for(_body(reader, headers, max_body), READ_SECONDS)
    return Call(parts[0], parts[1].split("?")[0], headers, body)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str], max_body: int) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return await _chunked(reader, max_body)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise HttpError(400, "Content-Length is no number")
    if int(length) > max_body:
        await _discard(reader, int(length))
        raise HttpError(413, f"the body has {length} bytes; at most {max_body} are accepted")
    return await reader.readexactly(int(length))


async def _discard(reader: asyncio.StreamReader, length: int) -> None:
    """Read a refused body so that its sender, still writing, gets to see the answer; at most 16 times the limit."""
    left = min(length, 16 * MAX_BODY)
    while left > 0 and (part := await reader.read(min(left, 65536))):
        left -= len(part)


async def _chunked(reader: asyncio.StreamReader, max_body: int) -> bytes:
    body = b""
    while True:
        size = (await reader.readline()).split(b";")[0].strip()
        try:
            n = int(size, 16)
        except ValueError:
            raise HttpError(400, "a chunk size is no hexadecimal number") from None
        if n < 0 or len(body) + n > max_body:
            raise HttpError(413, f"the body is longer than {max_body} bytes")
        body += await reader.readexactly(n)
        await reader.readline()
        if n == 0:
            return body


async def _write(writer: asyncio.StreamWriter, reply: Reply, keep: bool) -> None:
    status = f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}\r\n"
    extra = "".join(f"{k}: {v}\r\n" for k, v in reply.headers.items())
    if reply.events is None:
        body = json.dumps(reply.value, ensure_ascii=False).encode() + b"\n"
        head = (
            f"{status}content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: {'keep-alive' if keep else 'close'}\r\n{extra}\r\n"
        )
        writer.write(head.encode() + body)
        await writer.drain()
        return
    writer.write(f"{status}content-type: text/event-stream\r\ncache-control: no-cache\r\nconnection: close\r\n{extra}\r\n".encode())
    try:
        async for event in reply.events:
            writer.write(f"data: {event}\n\n".encode())
            await writer.drain()
    finally:
        await reply.events.aclose()  # a client that left ends its request at once
