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
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any, Generic, Self, TypeVar

from agenther.errors import UserError

BATCH = 48
LARGE = 1 << 19
"""Bytes at which a batch takes no more items, and at which its worker hands over the results that it has."""
WINDOW = 4
"""Batches in flight for each worker: enough to keep it busy, few enough to bound memory."""
PRELOAD = ["agenther.jobs.ready"]

T = TypeVar("T")
R = TypeVar("R")
Done = tuple[list[R], int, float]
"""Results of the first items of a batch, the process that made them and the processor time that it has spent so far."""


def as_it_is(value: Any) -> Any:
    """Return a value."""
    return value


def small(_: Any) -> int:
    """Return the size of what is never large."""
    return 0


@dataclass(frozen=True)
class Work(Generic[T, R]):
    """What is done with every item of a kind."""

    do: Callable[[T], R]
    pack: Callable[[T], Any] = as_it_is
    """Makes of an item what travels to another process."""
    unpack: Callable[[Any], T] = as_it_is
    """Makes the item of it there."""
    size: Callable[[Any], int] = small
    """Tells about how many bytes travel with an item."""
    result_size: Callable[[R], int] = small
    """Tells about how many bytes travel back."""


class Workers:
    """Does work in this process or in several, which are started with the first items and stay for all kinds of work.

    Args:
        n: number of processes.
        works: all work that there will be.
    """

    def __init__(self, n: int, *works: Work[Any, Any]) -> None:
        self._n, self._works = n, works
        self._pool = ProcessPoolExecutor(n, _context(), _start_worker, (works,)) if n > 1 else None
        self._cpu_s: dict[int, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    @property
    def cpu_s(self) -> float:
        """Processor time that other processes have spent."""
        return sum(self._cpu_s.values())

    def map(self, work: Work[T, R], items: Iterable[T]) -> Generator[R]:
        """Yield the results in the order of the items.

        Raises:
            UserError: a worker process died.
        """
        if self._pool is None:
            yield from map(work.do, items)
            return
        try:
            yield from self._map(self._pool, work, iter(items))
        except BrokenProcessPool as error:
            raise UserError(
                "a worker process died, perhaps for want of memory; runs that were done are kept",
                "repeat the command with fewer workers, or with `--workers 1`; "
                'a script that uses workers must start them under `if __name__ == "__main__":`',
            ) from error

    def _map(self, pool: ProcessPoolExecutor, work: Work[T, R], source: Iterator[T]) -> Iterator[R]:
        start_server()
        number, batches = self._works.index(work), _batches(work, source)
        pending: deque[tuple[list[Any], Future[Done[R]]]] = deque()
        try:
            while True:
                while len(pending) < self._n * WINDOW and (batch := next(batches, None)):
                    pending.append((batch, pool.submit(_work_batch, number, batch)))
                if not pending:
                    return
                batch, future = pending.popleft()
                results, worker, self._cpu_s[worker] = future.result()
                if rest := batch[len(results) :]:
                    pending.appendleft((rest, pool.submit(_work_batch, number, rest)))
                yield from results
        finally:
            for _, future in pending:
                future.cancel()


def _batches(work: Work[T, Any], source: Iterator[T]) -> Iterator[list[Any]]:
    """Yield packed items, so many together as shall travel at once."""
    batch: list[Any] = []
    n_bytes = 0
    for item in map(work.pack, source):
        batch.append(item)
        n_bytes += work.size(item)
        if len(batch) == BATCH or n_bytes >= LARGE:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def start_server() -> None:
    """Start the process that starts workers, so that it makes itself ready while this process still has other work.

    Ctrl-C, which reaches all processes of a terminal, is for this one: the other is started where it is blocked, for what
    it does first would end with a traceback.
    """
    if _context().get_start_method() == "forkserver":
        from multiprocessing import forkserver, resource_tracker

        resource_tracker.ensure_running()  # started by the server's start, it would end the blocking
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _context() -> BaseContext:
    """Return the way in which workers are started: quickly where the system knows how, never by copying this process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    return context


_own_works: tuple[Work[Any, Any], ...] = ()
"""In a worker process: what it does. Kept, so that what work builds at its first item serves all others."""


def _start_worker(works: tuple[Work[Any, Any], ...]) -> None:
    global _own_works
    _own_works = works
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work_batch(number: int, batch: list[Any]) -> Done[Any]:
    """Do the first items of a batch, all of them unless their results are large."""
    work = _own_works[number]
    results: list[Any] = []
    n_bytes = 0
    for item in batch:
        results.append(work.do(work.unpack(item)))
        n_bytes += work.result_size(results[-1])
        if n_bytes >= LARGE:
            break
    return results, os.getpid(), time.process_time()
