"""How many threads decode: all on a quiet machine, one where others want the cores too.

A token takes some hundred products of a tenth of a millisecond. Threads that sleep between them are woken too late, threads
that wait awake lose their turn as soon as another process has the core (measured with SmolLM2 on two cores: 31 tokens a second awake,
20 asleep or with one thread; beside two busy processes 6 awake, 12 asleep or with one). So waiting threads stay awake a while
(serve_job.py), and what is faster now is found by trying.
"""

import statistics
import time
from collections.abc import Callable

import torch

EVERY = 128  # steps from one trial to the next
TRIED = 4  # steps of each kind in a trial


class Pace:
    """Runs steps of one thread with as many helpers as pay off."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter):
        self.clock = clock
        self.most = self.best = torch.get_num_threads()
        self.steps = 0
        self.took: dict[int, list[float]] = {}

    def run(self, step: Callable[[], None]) -> None:
        """One step; the first of each EVERY are timed with all threads, then with one."""
        at, self.steps = self.steps % EVERY, self.steps + 1
        trial = self.most > 1 and at < 2 * TRIED
        threads = self.best if not trial else self.most if at < TRIED else 1
        torch.set_num_threads(threads)
        began = self.clock()
        step()
        if trial:
            self.took.setdefault(threads, []).append(self.clock() - began)
        if trial and at == 2 * TRIED - 1:
            self.best = min(self.took, key=lambda n: statistics.median(self.took[n]))  # waking a helper makes a first step long
            self.took = {}
