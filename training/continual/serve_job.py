"""The model server from its start to its graceful end (R6); what it answers is in routes.py."""

import asyncio
import os
import signal
import time
from pathlib import Path

from continual import manifest, models
from continual.contract import Root, Stop, progress, write_atomic
from continual.engine import Engine
from continual.errors import JobError
from continual.http import MAX_HEADER, Connections
from continual.routes import Api, Limits
from continual.served import Adapters

DRAIN_SECONDS = 25  # SageMaker kills 30 s after SIGTERM


def serve(root: Root, stop: Stop) -> None:
    """Serve root/model until SIGTERM."""
    asyncio.run(Server(root).run())


class Server:
    """One Api behind one port."""

    def __init__(self, root: Root):
        self.root = root
        self.host, self.port = os.environ.get("SERVE_HOST") or "127.0.0.1", int(os.environ.get("SERVE_PORT") or 8080)
        names = [n.strip() for n in (os.environ.get("SERVE_MODEL_NAME") or "").split(",") if n.strip()]
        near = self.host in ("127.0.0.1", "localhost", "::1")
        self.api = Api(Limits.of(os.environ), names, near or os.environ.get("SERVE_ADAPTERS") == "1")
        self.connections = Connections(self.api.handle, self.api.limits.max_body)

    async def run(self) -> None:
        """Open the port at once (answering 503), load, announce the port, serve, drain."""
        loop = asyncio.get_running_loop()
        for s in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(s, self.api.stopping.set)
        server = await self.start()
        await self.api.stopping.wait()
        await self.drain()
        server.close()

    async def start(self) -> asyncio.Server:
        """Listen, load and announce the port."""
        server = await asyncio.start_server(self.connections.serve, self.host, self.port, limit=MAX_HEADER)
        self.port = server.sockets[0].getsockname()[1]
        began = time.monotonic()
        await asyncio.to_thread(self.load)
        write_atomic(self.root.output / "serve.port", f"{self.port}\n")
        progress(phase="serving", host=self.host, port=self.port, digest=self.api.fingerprint, load_s=round(time.monotonic() - began, 2))
        return server

    def load(self) -> None:
        """Read the model; the digest is that of the very bytes read."""
        folder = self.root.model
        if not folder.is_dir():
            raise JobError(f"model: no folder {folder}; put the model files there")
        fingerprint = manifest.verify(folder)
        loaded = models.load(folder)
        self.api.open(Engine(loaded, self.api.limits.max_batch), Adapters(loaded.model), fingerprint)

    async def drain(self) -> None:
        """Let running answers end while new ones get 503; what is not done in time ends with an error, not a torn line."""
        deadline = time.monotonic() + DRAIN_SECONDS
        await self._idle(deadline)
        unfinished = len(self.api.running)
        for answer in list(self.api.running):
            answer.cancel()
        await self._idle(time.monotonic() + 2)
        if self.api.engine:
            self.api.engine.close()
        progress(phase="stopped", unfinished=unfinished)

    async def _idle(self, deadline: float) -> None:
        while self.connections.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


def port_of(root: Path) -> int:
    """The port that a ready server under this root announced."""
    return int((root / "output" / "serve.port").read_text())
