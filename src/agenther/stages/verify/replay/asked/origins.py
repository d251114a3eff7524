"""Where the values of calls come from: what was asked, what came back before, what the tool's schema offers.

A value that none of these gives was made up: what it stands for cannot be told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from agenther.record import Json
from agenther.stages.language.words import FUNCTION_WORDS, stem, tokens
from agenther.stages.verify.replay.asked.calls import Leaf, Made, equal, last_key, leaves
from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import deeds_in, in_other_unit, lexicon, stems_of
from agenther.stages.verify.replay.asked.toolbox import Parameter, Tool, Toolbox

_TWO_DECIMALS = re.compile(
    r"(?:two|2|second)[\w -]{0,12}decimal|decimal[\w ]{0,10}(?:two|2)\b|hundredth", re.IGNORECASE
)
_NEXT_WORD = re.compile(r"[ -]([^\W\d_]+)")
_WHOLE = re.compile(r"\binte(?:ge|rge)r\b|\bwhole number", re.IGNORECASE)
_FLAG_WORDS = frozenset({"true", "false", "default", "if"})


class Origin(Enum):
    """Where a value comes from."""

    ASKED = auto()
    EARLIER = auto()
    OFFERED = auto()
    """The schema gives it: enough for a call that is only a means."""


@dataclass(frozen=True)
class Root:
    """Where in the goal a value is said, or the values from which it was looked up."""

    part: int
    places: tuple[int, ...]
    direct: bool


@dataclass
class Grounds:
    """What is found out about one call."""

    why_not: str | None = None
    """Why its values cannot be told; None when they can."""
    is_means: bool = False
    """A value that it needs is only offered by the schema: it is not asked for as such."""
    rounded: bool = False
    roots: dict[str, Root] = field(default_factory=dict[str, Root])


class Origins:
    """Tells of every call where its values come from."""

    def __init__(
        self, parts: Sequence[Text], calls: Sequence[Made], tools: Toolbox, things: dict[str, frozenset[str]]
    ) -> None:
        self._parts, self._calls, self._tools, self._things = parts, calls, tools, things
        self.of: list[Grounds] = []
        for call in calls:
            self.of.append(self._grounds(call))

    def _grounds(self, call: Made) -> Grounds:
        grounds, tool = Grounds(), self._tools[call.name]
        if call.failed:
            return Grounds(why_not="it failed")
        for name, value in call.arguments.items():
            parameter = tool.parameters.get(name) or Parameter(name, "", "", False, None)
            if _is_all(parameter, value):
                continue
            for _, leaf in leaves(value):
                origin = self._origin(call, tool, parameter, leaf, grounds)
                if origin is None:
                    grounds.why_not = f"{name} = {str(leaf)[:60]!r} comes from nowhere"
                    return grounds
                grounds.is_means |= origin is Origin.OFFERED and parameter.required and not isinstance(leaf, bool)
        grounds.why_not = self._left_out(call, tool)
        return grounds

    def _origin(self, call: Made, tool: Tool, parameter: Parameter, value: Leaf, grounds: Grounds) -> Origin | None:
        if value is None or value == "":
            return Origin.OFFERED
        if isinstance(value, bool):
            return self._flag(call, tool, parameter, value)
        told = range(call.part, -1, -1) if str(value).casefold() not in FUNCTION_WORDS else ()
        for part in told:
            if places := self._places(self._parts[part], value, parameter):
                grounds.roots[parameter.name] = Root(part, places, direct=True)
                return Origin.ASKED
        words = self._parts[call.part].words
        if isinstance(value, str):
            if value.isalpha() and value in self._things.get(stem(value), ()) and stem(value) in words:
                grounds.roots[parameter.name] = Root(call.part, (0,), direct=False)
                return Origin.ASKED
            if _is_option(parameter, value, words):
                return Origin.ASKED
        if self._came_back(call, parameter, value, grounds):
            return Origin.EARLIER
        if parameter.default is not None and equal(value, _leaf(parameter.default)):
            return Origin.OFFERED
        return Origin.OFFERED if _is_offered(parameter, value) else None

    def _places(self, text: Text, value: str | int | float, parameter: Parameter) -> tuple[int, ...]:
        """Return where a text says a value, in no other unit than the parameter's."""
        if isinstance(value, str):
            return text.where(value)
        behind = {fact.start: _NEXT_WORD.match(text.text, fact.end) for fact in text.facts}
        return tuple(
            at
            for at in text.where(value)
            if not ((word := behind.get(at)) and in_other_unit(word[1], parameter.description))
        )

    def _flag(self, call: Made, tool: Tool, parameter: Parameter, value: bool) -> Origin | None:
        """Tell of a flag whether the goal speaks of it: set when it does, else not."""
        own = (
            stems_of(f"{parameter.name} {parameter.description}") - stems_of(tool.own) - lexicon().common - _FLAG_WORDS
        )
        said = bool(own & self._parts[call.part].words)
        if said == value:
            return Origin.ASKED
        return None if value or said else Origin.OFFERED

    def _came_back(self, call: Made, parameter: Parameter, value: Leaf, grounds: Grounds) -> bool:
        """Tell whether the last answer with a key that fits the parameter has this value there and no other.

        An answer whose own call was about a value of the goal may be one of several such look-ups: then earlier ones count.
        """
        named, last = stems_of(parameter.name), stem((tokens(parameter.name) or [""])[-1])
        described = named | stems_of(parameter.description)
        for before in reversed(self._calls[: call.number]):
            if before.failed:
                continue
            fitting: list[tuple[int, Leaf]] = []
            for path, leaf in before.shown:
                key = stems_of(last_key(path))
                is_bare_id = key == frozenset({"id"})
                if key and (
                    (key <= described and not is_bare_id) or (is_bare_id and named & self._tools[before.name].named)
                ):
                    fitting.append((len(key & named) + (last in key), leaf))
            if not fitting:
                continue
            best = [leaf for rank, leaf in fitting if rank == max(rank for rank, _ in fitting)]
            exact = all(equal(leaf, value) for leaf in best)
            source = self.of[before.number]
            if exact or all(self.is_rounded(call, leaf, value) for leaf in best):
                grounds.rounded |= not exact
                if source.roots:
                    part = max(root.part for root in source.roots.values())
                    places = tuple(p for root in source.roots.values() if root.part == part for p in root.places)
                    grounds.roots[parameter.name] = Root(part, places, direct=False)
                return True
            if not (source.why_not is None and source.roots and len(best) == 1):
                return False
        return False

    def is_rounded(self, call: Made, shown: Leaf, value: Leaf) -> bool:
        """Tell whether a number is another one rounded as the goal asks."""
        if isinstance(shown, str | bool) or isinstance(value, str | bool) or shown is None or value is None:
            return False
        text = self._parts[call.part].text
        if _TWO_DECIMALS.search(text):
            return equal(round(shown, 2), value)
        return _WHOLE.search(text) is not None and equal(round(shown), value)

    def _left_out(self, call: Made, tool: Tool) -> str | None:
        """Return which parameter the goal speaks of and the call does not give; None when there is none."""
        words = self._parts[call.part].words
        given = {word for name in call.arguments for word in stems_of(name)}
        for name, one in tool.parameters.items():
            if name in call.arguments:
                continue
            own = stems_of(name) | (stems_of(one.first_words) if one.type == "boolean" else frozenset[str]())
            own -= tool.words | lexicon().common | given | _FLAG_WORDS | {"list", "number"}
            if own & words:
                return f"{name} is spoken of and not given"
            others = {word for value, word in one.meanings.items() if value != one.default}
            if isinstance(one.default, str) and one.default and others & words:
                return f"{name} is spoken of with another value than {one.default!r}"
        return None


def asks_rounding(text: str) -> bool:
    """Tell whether a text asks for a number to be rounded."""
    return bool(_TWO_DECIMALS.search(text) or _WHOLE.search(text))


def _is_all(parameter: Parameter, value: Json) -> bool:
    """Tell whether a list has all the values that there are."""
    return isinstance(value, list) and bool(parameter.options) and tuple(map(str, value)) == parameter.options


def _is_option(parameter: Parameter, value: str, words: frozenset[str]) -> bool:
    """Tell whether a text asks for a value that the description lists: by its words, or by what it stands for."""
    if not parameter.lists(value):
        return False
    own = stems_of(value)
    if own and own <= words:
        return True
    return parameter.meanings.get(value) in words or bool(deeds_in(own) & deeds_in(words))


def _is_offered(parameter: Parameter, value: Leaf) -> bool:
    if isinstance(value, str):
        return parameter.lists(value)
    number = f"{value:g}" if isinstance(value, int | float) else str(value)
    return re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])", parameter.description) is not None


def _leaf(value: Json) -> Leaf:
    return None if isinstance(value, dict | list) else value
