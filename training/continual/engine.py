"""The decoding thread of the server: requests that arrive while others run join their batch between two tokens (R6)."""

import queue
import threading
from collections.abc import Callable

from continual import models
from continual.generate import Batch, Request
from continual.pace import Pace


class Engine:
    """Runs requests on one model; `submit` may be called from any thread."""

    def __init__(self, loaded: models.Loaded, max_batch: int = 16):
        self.loaded, self.max_batch = loaded, max_batch
        loaded.model.fuse()
        self.waiting: queue.SimpleQueue[tuple[Request, Callable[[Exception | None], None]]] = queue.SimpleQueue()
        self.held: tuple[Request, Callable[[Exception | None], None]] | None = None
        self.pending = 0
        self.lock = threading.Lock()
        self.finish: dict[int, Callable[[Exception | None], None]] = {}
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._loop, name="decode", daemon=True)
        self.thread.start()

    def submit(self, request: Request, finished: Callable[[Exception | None], None]) -> None:
        """Queue a request; `finished` is called once from the decoding thread, with the error if there was one."""
        with self.lock:
            self.pending += 1
        self.waiting.put((request, finished))

    def close(self) -> None:
        """End the thread after the running step."""
        self.stopping.set()

    def _loop(self) -> None:
        batch, pace = Batch(self.loaded.model), Pace()
        while not self.stopping.is_set():
            fresh = self._take(batch)
            running = list(batch.rows) + fresh
            try:
                if fresh:
                    batch.add(fresh)
                elif batch.rows:
                    pace.run(batch.step)
            except Exception as e:  # one failed step ends its requests, not the server
                batch = Batch(self.loaded.model)
                for r in running:
                    self._finish(r, e)
                continue
            for r in running:
                if r.done is not None:
                    self._finish(r, None)

    def _take(self, batch: Batch) -> list[Request]:
        """Requests to add now; blocks briefly only when nothing runs."""
        room = self.max_batch - len(batch.rows)
        apart = not getattr(self.loaded.model, "joins", True)
        if batch.rows and apart:
            room = 0
        taken: list[Request] = []
        while len(taken) < room:
            try:
                request, finished = self._next(idle=not batch.rows and not taken)
            except queue.Empty:
                break
            if apart and taken and taken[0].adapter != request.adapter:  # such a model runs one adapter at a time
                self.held = (request, finished)
                break
            self.finish[id(request)] = finished
            if request.done is None:
                taken.append(request)
            else:
                self._finish(request, None)
        return taken

    def _next(self, idle: bool) -> tuple[Request, Callable[[Exception | None], None]]:
        """The oldest waiting request."""
        held, self.held = self.held, None
        if held:
            return held
        return self.waiting.get(timeout=0.1) if idle else self.waiting.get_nowait()

    def _finish(self, request: Request, error: Exception | None) -> None:
        finished = self.finish.pop(id(request), None)
        if finished is None:
            return
        with self.lock:
            self.pending -= 1
        finished(error)
