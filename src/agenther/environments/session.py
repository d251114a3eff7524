"""One replay's use of an environment: made, used within a time limit, closed.

What goes in and what comes out are copies, so that neither the record of a run nor a state that was looked at can change
afterwards. What a simulator raises is turned into a ReplayError where it is made (`plugins`).
"""

from __future__ import annotations

import copy
import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TypeVar

from agenther.environments.base import Environment, MakeEnvironment
from agenther.errors import ReplayError
from agenther.record import Json, JsonObject

TIME_LIMIT_S = 120.0
"""Seconds that one replay may take, its environment's making included."""
CLOSE_LIMIT_S = 5.0
"""Seconds that closing may take, also when the time of the replay is up."""
T = TypeVar("T")


class TimeIsUp(BaseException):
    """Raised inside a simulator that takes too long; no `except Exception` of its own holds it up."""


class Session:
    """A fresh instance of an environment, used as a context manager.

    Raises:
        ReplayError: in every method, when the environment does or when time is up.
    """

    def __init__(self, make: MakeEnvironment, time_limit_s: float = TIME_LIMIT_S) -> None:
        self._make, self._deadline = make, time.monotonic() + time_limit_s
        self._made: Environment | None = None

    def __enter__(self) -> Session:
        self._made = self._ask("make", self._make)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        close = getattr(self._made, "close", None)
        self._made = None
        if callable(close):
            self._deadline = time.monotonic() + CLOSE_LIMIT_S
            try:
                self._ask("close", close)
            except ReplayError:
                return

    def reset(self, config: JsonObject) -> Json:
        """Begin in a state, and return it."""
        self._ask("reset", lambda: self._environment.reset(copy.deepcopy(config)))
        return self.snapshot()

    def call(self, name: str, arguments: JsonObject) -> Json:
        """Make a call."""
        return copy.deepcopy(self._ask(name, lambda: self._environment.call(name, copy.deepcopy(arguments))))

    def snapshot(self) -> Json:
        """Return the state."""
        return copy.deepcopy(self._ask("snapshot", lambda: self._environment.snapshot()))

    @property
    def _environment(self) -> Environment:
        if self._made is None:
            raise ReplayError("the environment is not open")
        return self._made

    def _ask(self, what: str, question: Callable[[], T]) -> T:
        left = self._deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeIsUp
            with _alarm(left):
                return question()
        except TimeIsUp:
            raise ReplayError(f"{what[:60]}: the replay takes too long") from None


@contextmanager
def _alarm(seconds: float) -> Generator[None]:
    """Interrupt what takes longer, where the system can; elsewhere time is looked at between calls alone."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(_: int, __: FrameType | None) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
