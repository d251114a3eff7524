"""Where the values of a call come from: the goal, what came back before, what the goal names in the initial state.

A value that none of these gives was made up by the agent: what it stands for cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from agenther.literals import literal_value
from agenther.record import Json, JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.words import stem, tokens
from agenther.stages.verify.replay.drift import as_text
from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.request import Request, number_text
from agenther.stages.verify.replay.tools import Tool, words_of

Leaf = str | int | float | bool | None


class Origin(Enum):
    """Where a value comes from."""

    GOAL = auto()
    BEFORE = auto()
    """An earlier turn of the user says it."""
    EARLIER = auto()
    STATE = auto()
    SCHEMA = auto()
    """The tool's schema lists it: enough for calls that are only needed, not for what is asked."""


@dataclass(frozen=True)
class Sources:
    """Tells of values where they come from."""

    request: Request
    before: Request
    performed: Performed

    @property
    def initial_text(self) -> str:
        """The initial state as text."""
        return as_text(self.performed.initial)

    def unknown(self, number: int, tool: Tool, allowed: frozenset[Origin]) -> str | None:
        """Return the first value of a call that comes from nowhere; None when all come from somewhere.

        Args:
            number: position of the call.
            tool: its tool.
            allowed: origins that count.
        """
        return next((told for told, _, origin in self.origins(number, tool) if origin not in allowed), None)

    def origins(self, number: int, tool: Tool) -> Iterator[tuple[str, tuple[str, Leaf], Origin | None]]:
        """Yield each value of a call: how it is told, its parameter and itself, and where it comes from."""
        for name, value in leaves(self.performed.replay.calls[number].arguments):
            if value is not None and value != "":
                parameter = name.split("/")[1]
                told = f"{parameter} = {value!r}"[:80]
                yield told, (parameter, value), self.origin(number, tool, parameter, value)

    def says(self, request: Request, tool: Tool, parameter: str, value: Leaf) -> bool:
        """Tell whether a text says a value: itself, a word for a choice of the schema, the name of a flag that is set."""
        if isinstance(value, bool):
            return value == bool({stem(word) for word in tokens(parameter)} & {stem(w) for w in tokens(request.plain)})
        if value is None:
            return False
        if request.names(value):
            return True
        words = words_of(str(value))
        listed = isinstance(value, str) and value.casefold() in tool.said_of(parameter).casefold()
        return listed and bool(words) and words <= request.words

    def origin(self, number: int, tool: Tool, parameter: str, value: Leaf) -> Origin | None:
        """Return where a value of a call comes from, the goal before all; None when from nowhere."""
        if self.says(self.request, tool, parameter, value):
            return Origin.GOAL
        if isinstance(value, bool):
            return Origin.SCHEMA
        if self._came_back(number, parameter, value):
            return Origin.EARLIER
        if self._stands_under_name(value):
            return Origin.STATE
        if isinstance(value, str | int | float) and self.before.names(value):
            return Origin.BEFORE
        said = tool.said_of(parameter)
        if isinstance(value, str):
            return Origin.SCHEMA if value.casefold() in said.casefold() else None
        numbers = {token for token in tokens(said) if token.isdigit()}
        return Origin.SCHEMA if value is not None and number_text(value) in numbers else None

    def _came_back(self, number: int, parameter: str, value: Leaf) -> bool:
        """Tell whether the last answer that has such a key has it once, with this value."""
        last = stem((tokens(parameter) or [parameter])[-1])
        for before in reversed(range(number)):
            text = self.performed.observations[before]
            if is_error(text) or self.performed.replay.calls[before].drift is not None:
                continue
            document = literal_value(text)
            alike = [leaf for name, leaf in leaves(document) if _last_word(name) == last]
            if alike:
                return all(_equal(leaf, value) for leaf in alike)
            found = [leaf for _, leaf in leaves(document)] if isinstance(document, dict | list) else []
            if len(found) == 1 and _equal(found[0], value):
                return self._all_said(before)
        return False

    def _all_said(self, number: int) -> bool:
        values = [value for _, value in leaves(self.performed.replay.calls[number].arguments)]
        return all(isinstance(v, str | int | float) and self.request.names(v) for v in values)

    def _stands_under_name(self, value: Leaf) -> bool:
        """Tell whether the initial state has the value under a key that the goal names."""
        return any(
            _equal(leaf, value) and self.request.names(name.rpartition("/")[2])
            for name, leaf in leaves(self.performed.initial)
            if not name.rpartition("/")[2].isdigit()
        )


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Leaf]]:
    """Yield the texts, numbers and flags of a document, each with the path that it stands at."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, f"{path}/{key}")
    elif isinstance(value, list):
        for member in value:
            yield from leaves(member, f"{path}/")
    else:
        yield path, value


def argument_texts(arguments: JsonObject) -> Iterator[str]:
    """Yield the values of a call as texts."""
    for _, value in leaves(arguments):
        if value is not None and not isinstance(value, bool):
            yield value if isinstance(value, str) else number_text(value)


def _last_word(path: str) -> str:
    key = next((part for part in reversed(path.split("/")) if part), "")
    return stem((tokens(key) or [key])[-1])


def _equal(a: Leaf, b: Leaf) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))
    return a == b
