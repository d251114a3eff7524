"""An event loop whose clock jumps to the next thing to do: hours pass in a moment, always the same."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from agenther.llm.base import Client, Request, Response

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits for nothing, and remembers how long it would have waited."""

    waited = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("everybody waits and nothing will happen")
        self.waited += max(timeout, 0.0)
        return []


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _Selector) -> None:
        self._clock = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._clock.waited


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in a loop of virtual time, which begins at 0."""
    with asyncio.Runner(loop_factory=lambda: _Loop(_Selector())) as runner:
        return runner.run(main)


def now() -> float:
    """Return the seconds of virtual time that have passed."""
    return asyncio.get_running_loop().time()


class Distant:
    """A client that another one answers after some seconds; failures come as fast as `failure_s`."""

    def __init__(self, inner: Client, latency_s: float, failure_s: float = 0.01) -> None:
        self._inner = inner
        self._latency_s = latency_s
        self._failure_s = failure_s
        self.flying = 0
        self.peak = 0

    async def complete(self, request: Request) -> Response:
        self.flying += 1
        self.peak = max(self.peak, self.flying)
        try:
            response = await self._inner.complete(request)
            await asyncio.sleep(self._latency_s)
        except Exception:
            await asyncio.sleep(self._failure_s)
            raise
        else:
            return response
        finally:
            self.flying -= 1

    async def close(self) -> None:
        await self._inner.close()
