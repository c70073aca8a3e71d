"""Threads share rows, not products.

A product of a few hundred rows takes a millisecond. Threads that compute it together wait for each other as often: asleep they
are woken late, awake they lose their turn as soon as another process has the core (README, "Decisions"). So a job cuts its
rows into parts, and a part is one thread's from end to end. Neither the cut nor the order of sums depends on the number of
threads, so neither do results (while there are no more threads than parts: then several share a product again).
"""

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

X = TypeVar("X")
Y = TypeVar("Y")


class Here(threading.local):
    """What holds in one thread."""

    working = False


_here = Here()


def each(work: Callable[[X], Y], items: Sequence[X], device: torch.device) -> list[Y]:
    """work(item) of every item, in order, side by side on the CPU; inside of such work it is a plain loop."""
    threads = torch.get_num_threads()
    if _here.working or device.type != "cpu" or min(threads, len(items)) < 2:
        return [work(x) for x in items]
    grad, count = torch.is_grad_enabled(), min(threads, len(items))

    def one(item: X) -> Y:
        _here.working = True
        torch.set_num_threads(threads // count)  # of this thread
        with torch.set_grad_enabled(grad):
            return work(item)

    return list(_pool(count).map(one, items))


@functools.cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="rows")
