"""Working on many items at once in one process, for work that mostly waits for answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def _nothing() -> None: ...


class Flights(Generic[T, R]):
    """Applies `work` to items, at most `width` of them at a time, on an event loop of its own."""

    def __init__(
        self, work: Callable[[T], Coroutine[Any, Any, R]], width: int, close: Callable[[], Awaitable[None]] = _nothing
    ) -> None:
        self._work, self._width, self._close = work, width, close

    def map(self, items: Iterable[T]) -> Generator[R]:
        """Yield the results in the order in which they come; an error ends all work that is under way."""
        loop = asyncio.new_event_loop()
        flying: set[asyncio.Task[R]] = set()
        landed: deque[asyncio.Task[R]] = deque()
        some = asyncio.Event()

        def land(task: asyncio.Task[R]) -> None:
            flying.discard(task)
            landed.append(task)
            some.set()

        source = iter(items)
        try:
            while True:
                for item in source:
                    task = loop.create_task(self._work(item))
                    flying.add(task)
                    task.add_done_callback(land)
                    if len(flying) >= self._width:
                        break
                if not flying and not landed:
                    return
                loop.run_until_complete(some.wait())
                some.clear()
                while landed:
                    yield landed.popleft().result()
        finally:
            loop.run_until_complete(_end((*flying, *landed), self._close))
            loop.close()


async def _end(tasks: Iterable[asyncio.Task[Any]], close: Callable[[], Awaitable[None]]) -> None:
    """End what is under way. Errors of what has landed are no news: one of them ended it all."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await close()
