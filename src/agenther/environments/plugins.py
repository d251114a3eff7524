"""Environments by name: ours, and those of other packages, found by the entry-point group `agenther.environments`.

Loaded when the first run asks for one, never on import. They are foreign code: whatever one of them raises or returns that is no
JSON becomes a `ReplayError` that names it, nothing that it keeps changing reaches what was shown before, and what it prints
goes to standard error.
"""

from __future__ import annotations

import contextlib
import copy
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar, cast

import orjson

from agenther.environments.base import Environment, MakeEnvironment
from agenther.environments.bfcl import BFCL, make_bfcl
from agenther.environments.session import TimeIsUp
from agenther.errors import ReplayError, UserError
from agenther.record import DEEPEST, Json, JsonObject, is_storable

GROUP = "agenther.environments"
LARGEST = 64 << 20
"""Bytes of JSON of a state or an observation."""
T = TypeVar("T")


@dataclass(frozen=True)
class EnvironmentKind:
    """An environment that runs can name."""

    kind: str
    about: str
    """One line for `agenther environments`."""
    make: MakeEnvironment
    """Makes a fresh instance.

    Raises:
        UserError: it is not set up; the hint says how to.
        ReplayError: foreign code failed.
    """


def known_environments() -> dict[str, EnvironmentKind]:
    """Return all environments by the name under which runs and entry points have them."""
    return {**_OURS, **_outside()}


def find_environment(kind: str) -> EnvironmentKind | None:
    """Return the environment of a name; None when no package brings it."""
    return _OURS.get(kind) or _outside().get(kind)


def environment_problems() -> tuple[str, ...]:
    """Return what went wrong with environments of other packages so far, a line for each."""
    _outside()
    return tuple(_problems())


def why_not_ready(environment: EnvironmentKind) -> str:
    """Return why no instance can be made, with a hint; empty when one can. Makes one to see."""
    try:
        close_environment(environment.make())
    except (UserError, ReplayError) as error:
        return str(error)
    return ""


def close_environment(environment: Environment) -> None:
    """Close an instance that can be closed; nothing else is lost where that fails."""
    close = getattr(environment, "close", None)
    if callable(close):
        with contextlib.suppress(ReplayError):
            close()


class GuardedEnvironment:
    """A foreign environment: it gets copies and gives copies, and what it raises is a `ReplayError`."""

    def __init__(self, name: str, environment: Environment) -> None:
        self._name, self._environment = name, environment

    def reset(self, config: JsonObject) -> Json:
        """Reset it, to the state that a copy of the configuration describes."""
        return self._ask("reset", lambda: self._environment.reset(copy.deepcopy(config)))

    def call(self, name: str, arguments: JsonObject) -> Json:
        """Call it with a copy of the arguments."""
        return self._ask(f"call of {name}", lambda: self._environment.call(name, copy.deepcopy(arguments)))

    def snapshot(self) -> Json:
        """Return a copy of its state."""
        return self._ask("snapshot", self._environment.snapshot)

    def close(self) -> None:
        """Close it, if it can be closed."""
        close = getattr(self._environment, "close", None)
        if callable(close):
            _or_replay_error(f"{self._name}: close", close)

    def _ask(self, what: str, question: Callable[[], Json]) -> Json:
        return _plain(f"{self._name}: {what}", _or_replay_error(f"{self._name}: {what}", question))


def _plain(what: str, value: Json) -> Json:
    """Return a copy of a value as JSON has it."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
        plain = cast(Json, orjson.loads(text)) if len(text) <= LARGEST else None
    except (TypeError, orjson.JSONDecodeError) as error:
        raise ReplayError(f"{what} returned what is no JSON: {' '.join(str(error).split())}") from None
    if len(text) > LARGEST:
        raise ReplayError(f"{what} returned {len(text)} bytes of JSON, more than {LARGEST}")
    if not is_storable(plain):
        raise ReplayError(f"{what} returned JSON nested more than {DEEPEST} levels deep")
    return plain


@cache
def _outside() -> dict[str, EnvironmentKind]:
    kinds: dict[str, EnvironmentKind] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: (_package(point), point.name)):
        package = _package(point)
        if point.name in _OURS or point.name in kinds:
            _problems().append(f"{package}: its environment {point.name!r} has the name of another and is left out")
            continue
        try:
            loaded = _or_replay_error(f"environment {point.name!r} of {package} is left out", lambda p=point: _load(p))
        except ReplayError as error:
            _problems().append(str(error))
        else:
            kinds[point.name] = _kind(point.name, package, loaded)
    return kinds


@cache
def _problems() -> list[str]:
    return []


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _load(point: EntryPoint) -> Callable[[], Any]:
    loaded: Any = point.load()
    if not callable(loaded):
        raise TypeError("it is no class or function that makes an environment")
    return loaded


def _kind(name: str, package: str, factory: Callable[[], Any]) -> EnvironmentKind:
    def make() -> Environment:
        what = f"environment {name!r} of {package}"
        return GuardedEnvironment(what, _or_replay_error(what, lambda: _made(factory)))

    return EnvironmentKind(name, f"{_first_line(factory) or 'an environment'} [{package}]", make)


def _made(factory: Callable[[], Any]) -> Environment:
    environment: Any = factory()
    for method in ("reset", "call", "snapshot"):
        if not callable(getattr(environment, method, None)):
            raise TypeError(f"it has no method `{method}`")
    return environment


def _first_line(factory: Callable[[], Any]) -> str:
    text: object = getattr(factory, "__doc__", None)
    return text.strip().split("\n")[0].rstrip(".") if isinstance(text, str) and text.strip() else ""


def _or_replay_error(what: str, question: Callable[[], T]) -> T:
    """Return an answer of foreign code; what it raises becomes a ReplayError, but for what a user can mend."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return question()
    except (UserError, ReplayError, TimeIsUp, KeyboardInterrupt):
        raise
    except BaseException as error:
        said = "".join(traceback.format_exception_only(error))
        raise ReplayError(f"{what}: {' '.join(said.split())}") from error


_OURS = {
    BFCL: EnvironmentKind(
        BFCL, "BFCL multi-turn, its eight simulated services, in an environment of its own", make_bfcl
    )
}
