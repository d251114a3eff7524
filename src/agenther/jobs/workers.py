"""Applying a function to many items in several processes, in order, with memory that does not grow with their number.

Workers are started by a server process that has made ready once what all of them need and holds no threads and no open
files of the job. A worker ends when the process that it works for has ended, however that came.
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
PRELOAD = ["agenther.jobs.ready"]

T = TypeVar("T")
R = TypeVar("R")
Batch = tuple[list[R], int, float]
"""Results, the process that made them and the processor time that it has spent so far."""


def as_it_is(value: Any) -> Any:
    """Return a value."""
    return value


class Workers(Generic[T, R]):
    """Applies `work` to items in this process or in several.

    Args:
        work: done with every item.
        n: number of processes.
        pack: makes of an item what travels to another process.
        unpack: makes the item of it there.
    """

    def __init__(
        self, work: Callable[[T], R], n: int, pack: Callable[[T], Any] = as_it_is, unpack: Callable[[Any], T] = as_it_is
    ) -> None:
        self._work, self._n, self._pack, self._unpack = work, n, pack, unpack
        self._cpu_s: dict[int, float] = {}

    @property
    def cpu_s(self) -> float:
        """Processor time that other processes have spent."""
        return sum(self._cpu_s.values())

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
        pending: deque[Future[Batch[R]]] = deque()
        packed = map(self._pack, source)
        with ProcessPoolExecutor(self._n, _context(), _start_worker, (self._work, self._unpack)) as pool:
            try:
                while True:
                    while len(pending) < self._n * WINDOW and (batch := list(islice(packed, BATCH))):
                        pending.append(pool.submit(_work_batch, batch))
                    if not pending:
                        return
                    results, worker, self._cpu_s[worker] = pending.popleft().result()
                    yield from results
            finally:
                for future in pending:
                    future.cancel()


def start_server() -> None:
    """Start the process that starts workers, so that it makes itself ready while this process still has other work."""
    if _context().get_start_method() == "forkserver":
        from multiprocessing.forkserver import ensure_running

        ensure_running()


def _context() -> BaseContext:
    """Return the way in which workers are started: quickly where the system knows how, never by copying this process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


_own_work: Callable[[Any], Any] | None = None
"""In a worker process: what it does. Kept, so that what the work builds at its first item serves all others."""
_own_unpack: Callable[[Any], Any] = as_it_is


def _start_worker(work: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
    global _own_work, _own_unpack
    _own_work, _own_unpack = work, unpack
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_batch(batch: list[Any]) -> Batch[Any]:
    assert _own_work is not None
    results = [_own_work(_own_unpack(item)) for item in batch]
    return results, os.getpid(), time.process_time()
