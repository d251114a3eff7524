"""How many requests a second a server takes, found out by asking: no bound until it refuses, then one that falls and climbs.

The bound falls to a share of what the server took and climbs along a cubic: fast at first, slowly where the server last
refused, fast again beyond (Ha, Rhee and Xu, "CUBIC", 2008, for rates instead of windows).
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

_KEPT = 0.9
"""Share of the limit at which the rate goes on after a fall."""
_LEAST_KEPT = 0.5
_CLIMB_S = 5.0
_CLIMB_REQUESTS = 30
"""Seconds, and at least requests, until the rate is at its limit again."""
_MOOD = 0.05
"""Share of requests that may be refused without the limit being taken for too high: servers have moods, and are shared."""
_SHARE_OF = 40
"""Requests over which that share is taken, older ones fading."""
_SLACK_S = 0.05
"""Seconds that may be caught up after a late turn."""


@dataclass
class Span:
    """Requests between two falls of the rate."""

    answered: bool = False


class Pace:
    """Turns to send, as fast as the server has shown to bear."""

    def __init__(self) -> None:
        self._limit: float | None = None
        """Requests a second where the rate last fell, None: it never did."""
        self._asked = 0.0
        """Requests a second at the last fall."""
        self._climbed_s = 0.0
        self._refused = 0.0
        """Share of requests refused of late."""
        self._latency_s = 0.0
        """Seconds that answers take of late, 0 before the first."""
        self._span = Span()
        self._before = self._span
        self._free_at = 0.0
        self._recent = 0.0
        """Requests of the last second, older ones fading."""
        self._recent_at = 0.0
        self._line = asyncio.Lock()

    @property
    def rate(self) -> float:
        """Requests a second that are sent now at most."""
        if self._limit is None:
            return math.inf
        climb_s = max(_CLIMB_S, _CLIMB_REQUESTS / self._limit)
        return self._limit * (1 + (1 - _KEPT) * (self._climbed_s / climb_s - 1) ** 3)

    async def turn(self) -> None:
        """Wait until a request may be sent."""
        if self._limit is not None:
            async with self._line:
                await self._wait()

    def sent(self) -> Span:
        """Note that a request goes out now, and return the span that it belongs to."""
        if self._limit is None:
            now = asyncio.get_running_loop().time()
            self._recent = self._recent * math.exp(self._recent_at - now) + 1
            self._recent_at = now
        return self._span

    def answered(self, span: Span, latency_s: float) -> None:
        """Note that the server took a request of a span and needed some seconds."""
        span.answered = True
        self._refused -= self._refused / _SHARE_OF
        self._latency_s += (latency_s - self._latency_s) / _SHARE_OF if self._latency_s else latency_s

    def refused(self, span: Span) -> None:
        """Note that the server wants fewer requests.

        The rate falls once for all requests that were sent before it fell, and not while nothing is answered: then the
        server is shut, which says nothing of its rate.
        """
        self._refused += (1 - self._refused) / _SHARE_OF
        if self._refused <= _MOOD:
            return
        if span is self._span and (span.answered or self._limit is None):
            self._asked = self._recent if self._limit is None else self.rate
            self._before, self._span = span, Span()
            self._climbed_s = 0.0
        if span is self._before and span is not self._span:
            one_at_a_time = 1 / self._latency_s if self._latency_s else 0.0
            self._limit = max(self._asked * max(1 - self._refused, _LEAST_KEPT), one_at_a_time)

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        late_s = loop.time() - self._free_at
        interval_s = 1 / self.rate
        if late_s < 0:
            await asyncio.sleep(-late_s)
            self._climbed_s += interval_s
        self._free_at = max(self._free_at, loop.time() - _SLACK_S) + interval_s
