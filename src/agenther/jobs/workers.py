"""Applying a function to many items in several processes, in order, with memory that does not grow with their number.

Workers are started by a server process that has imported this package once and holds no threads and no open files of the
job. A worker ends when the process that it works for has ended, however that came.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing.context import BaseContext
from typing import Any, Generic, TypeVar

from agenther.errors import UserError

BATCH = 16
WINDOW = 4
"""Batches in flight for each worker: enough to keep it busy, few enough to bound memory."""
PRELOAD = ["agenther.jobs.process", "agenther.jobs.lines"]

T = TypeVar("T")
R = TypeVar("R")


class Workers(Generic[T, R]):
    """Applies `work` to items in this process or in several."""

    def __init__(self, work: Callable[[T], R], n: int) -> None:
        self._work, self._n = work, n
        self.cpu_s = 0.0
        """Processor time that other processes have spent on the items."""

    def map(self, items: Iterable[T]) -> Generator[R]:
        """Yield the results in the order of the items.

        Raises:
            UserError: a worker process died.
        """
        if self._n <= 1:
            yield from map(self._work, items)
            return
        try:
            yield from self._map(iter(items))
        except BrokenProcessPool as error:
            raise UserError(
                "a worker process died, perhaps for want of memory; runs that were done are kept",
                "repeat the command with fewer workers, or with `--workers 1`; "
                'a script that uses workers must start them under `if __name__ == "__main__":`',
            ) from error

    def _map(self, source: Iterator[T]) -> Iterator[R]:
        pending: deque[Future[tuple[list[R], float]]] = deque()
        with ProcessPoolExecutor(self._n, _context(), _start_worker, (self._work,)) as pool:
            try:
                while True:
                    while len(pending) < self._n * WINDOW and (batch := list(islice(source, BATCH))):
                        pending.append(pool.submit(_work_batch, batch))
                    if not pending:
                        return
                    results, cpu_s = pending.popleft().result()
                    self.cpu_s += cpu_s
                    yield from results
            finally:
                for future in pending:
                    future.cancel()


def _context() -> BaseContext:
    """Return the way in which workers are started: quickly where the system knows how, never by copying this process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


_own_work: Callable[[Any], Any] | None = None
"""In a worker process: what it does. Kept, so that what the work builds at its first item serves all others."""


def _start_worker(work: Callable[[Any], Any]) -> None:
    global _own_work
    _own_work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_batch(batch: list[Any]) -> tuple[list[Any], float]:
    assert _own_work is not None
    started = time.process_time()
    return [_own_work(item) for item in batch], time.process_time() - started
