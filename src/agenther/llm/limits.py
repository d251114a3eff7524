"""How hard a server is asked, and how long: requests at once, pauses after failures, waiting while it is down, giving up.

One `Limited` stands before each endpoint. What a failure means is said by who raises it (`failures`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping

from agenther.errors import Postponed, ProviderError, UserError
from agenther.llm.base import Client, Request, Response
from agenther.llm.failures import Busy, Failure, TimedOut, Unreachable
from agenther.llm.models import PATIENCE_S, Model
from agenther.llm.pace import Pace

START = 32
"""Requests at once before the first answer."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_PROBE_PAUSE_S = 5.0
"""While a server is down somebody asks at least so often: it costs no more than its absence."""
TRIES = 10
"""Failures after which a request is given up, where others are answered."""
TIMED_OUT_TRIES = 3
OTHERS = 20
"""For each request at once, answers to others after which one that is always refused is given up: it asks for too much."""
DOWN_AFTER = 8
"""Failures in a row, of different requests unless the server cannot be reached, after which a server counts as down."""


class Limited:
    """A client that keeps within what one endpoint bears and tries again what failed.

    Requests at once begin with few and double with every round of answers. While a server is down, or refuses
    everything, one request at a time asks and the others wait.
    """

    def __init__(
        self, inner: Client, concurrency: int, patience_s: float = PATIENCE_S, draw: random.Random | None = None
    ) -> None:
        """Take the client that makes one try.

        Args:
            inner: raises `Failure` for what may be tried again.
            concurrency: most requests at once.
            patience_s: seconds of nothing but failures after which requests are given up.
            draw: source of the jitter of pauses.
        """
        self._inner = inner
        self._concurrency = concurrency
        self._n_places = min(concurrency, START)
        self._places = asyncio.Semaphore(self._n_places)
        self._pace = Pace()
        self._patience_s = patience_s
        self._draw = draw or random.Random()
        self._n_answered = 0
        self._failing_since: float | None = None
        self._failed_in_row = 0
        self._failed_last: Request | None = None
        """Whose failure counted last: one request alone may be what the server cannot bear."""
        self._probing = asyncio.Lock()
        self._last_failure: tuple[float, str] = (0.0, "")

    async def complete(self, request: Request) -> Response:
        """Answer one request, after as many tries as it takes.

        Raises:
            ProviderError: it failed again and again, or nothing was answered for `patience_s`.
        """
        async with self._places:
            return await self._answer(request)

    async def close(self) -> None:
        """Close what it asks."""
        await self._inner.close()

    async def _answer(self, request: Request) -> Response:
        began, answered, failures = _now(), self._n_answered, 0
        while True:
            try:
                return await self._try(request)
            except Failure as failure:
                if isinstance(failure, Busy) or not self._is_down:
                    failures += 1
                self._give_up(failure, failures, began, answered)
                pause = self._pause(failure, failures)
            await asyncio.sleep(pause)

    async def _try(self, request: Request) -> Response:
        while True:
            if self._is_down:
                async with self._probing:
                    if self._is_down:
                        return await self._probe(request)
            await self._pace.turn()
            if not self._is_down:
                return await self._ask(request)

    async def _probe(self, request: Request) -> Response:
        at, said = self._last_failure
        if self._is_lost and _now() - at < LONGEST_PROBE_PAUSE_S:
            raise ProviderError(said)
        await asyncio.sleep(self._probe_pause())
        return await self._ask(request)

    async def _ask(self, request: Request) -> Response:
        span, began = self._pace.sent(), _now()
        try:
            response = await self._inner.complete(request)
        except Failure as failure:
            if isinstance(failure, Busy | TimedOut):
                self._pace.refused(span)
            self._fails(request, failure)
            raise
        except (ProviderError, UserError, Postponed):
            self._works()
            raise
        self._pace.answered(span, _now() - began)
        self._works()
        self._n_answered += 1
        if self._n_places < self._concurrency:
            self._n_places += 1
            self._places.release()
        return response

    def _works(self) -> None:
        self._failing_since = None
        self._failed_in_row = 0
        self._failed_last = None

    def _fails(self, request: Request, failure: Failure) -> None:
        if self._failing_since is None:
            self._failing_since = _now()
        self._last_failure = (_now(), str(failure))
        if isinstance(failure, Unreachable) or request is not self._failed_last:
            self._failed_in_row += 1
            self._failed_last = request

    @property
    def _is_down(self) -> bool:
        return self._failed_in_row >= DOWN_AFTER

    @property
    def _is_lost(self) -> bool:
        return self._failing_since is not None and _now() - self._failing_since >= self._patience_s

    def _give_up(self, failure: Failure, failures: int, began: float, answered: int) -> None:
        wanted_s = failure.retry_after_s or 0.0
        if wanted_s > self._patience_s:
            raise ProviderError(f"{failure} (it wants to be left alone for {wanted_s:.0f} s)") from failure
        if self._is_lost:
            raise ProviderError(f"{failure} (nothing but failures for {self._patience_s:.0f} s)") from failure
        others = self._n_answered - answered
        passed_over = others >= OTHERS * self._concurrency and _now() - began >= self._patience_s
        tries = TIMED_OUT_TRIES if isinstance(failure, TimedOut) else TRIES
        if failures >= tries and (passed_over or not isinstance(failure, Busy)):
            raise ProviderError(f"{failure} (after {failures} tries)") from failure

    def _pause(self, failure: Failure, failures: int) -> float:
        if self._is_down and failure.retry_after_s is None:
            return 0.0
        backoff = min(FIRST_PAUSE_S * 2.0 ** min(max(failures - 1, 0), 16), LONGEST_PAUSE_S)
        if failure.retry_after_s is None:
            return backoff * self._draw.uniform(0.5, 1.0)
        return failure.retry_after_s + min(backoff, FIRST_PAUSE_S) * self._draw.random()

    def _probe_pause(self) -> float:
        doubled = FIRST_PAUSE_S * 2.0 ** min(self._failed_in_row - DOWN_AFTER, 16)
        return min(doubled, LONGEST_PROBE_PAUSE_S) * self._draw.uniform(0.5, 1.0)


class ByModel:
    """A client that hands each request to the client of its model."""

    def __init__(self, clients: Mapping[str, Client]) -> None:
        self._clients = clients

    async def complete(self, request: Request) -> Response:
        """Answer one request."""
        return await self._clients[request.model].complete(request)

    async def close(self) -> None:
        """Close each client once."""
        for client in {id(client): client for client in self._clients.values()}.values():
            await client.close()


def limit_by_endpoint(
    inner: Client,
    models: Mapping[str, Model],
    concurrency: int,
    patience_s: float = PATIENCE_S,
    seed: int | None = None,
) -> ByModel:
    """Put limits between the models of a job and the client that asks them: each endpoint has its own."""
    draw = random.Random(seed)
    limits: dict[str, Client] = {}
    for model in models.values():
        limits.setdefault(model.endpoint, Limited(inner, concurrency, patience_s, draw))
    return ByModel({name: limits[model.endpoint] for name, model in models.items()})


def _now() -> float:
    return asyncio.get_running_loop().time()
