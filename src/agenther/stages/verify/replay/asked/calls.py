"""The calls of a replay as they are read beside a goal: which part of it they follow, what came back, what they serve."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agenther.literals import literal_value
from agenther.record import Json, JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.words import find_word
from agenther.stages.verify.replay.asked.facts import Fact, folded, same_number
from agenther.stages.verify.replay.perform import Performed

_NOT_FOUND = re.compile(r"\bnot found\b|\bno (?:\w+ ){1,3}found\b|\bdoes not exist\b", re.IGNORECASE)
Leaf = str | int | float | bool | None


@dataclass(frozen=True)
class Made:
    """A call that was made again."""

    number: int
    part: int
    """Which part of the goal it follows."""
    name: str
    arguments: JsonObject
    observation: str
    changed: bool

    @cached_property
    def failed(self) -> bool:
        """Whether it says so, and changed nothing."""
        return not self.changed and is_error(self.observation)

    @cached_property
    def document(self) -> Json:
        """What came back, parsed; None when it is no document."""
        found = literal_value(self.observation)
        return found if isinstance(found, dict | list) else None

    @cached_property
    def shown(self) -> tuple[tuple[str, Leaf], ...]:
        """The values of the document with their paths."""
        return tuple(leaves(self.document)) if self.document is not None else ()

    @cached_property
    def came_to_nothing(self) -> bool:
        """Whether it looked and found nothing."""
        empty = self.document is not None and all(leaf in (None, "") or _says_none(leaf) for _, leaf in self.shown)
        return empty and not self.changed

    def holds(self, fact: Fact) -> bool:
        """Tell whether an argument is or contains a value that a text names."""
        return any(holds(leaf, fact) for _, leaf in leaves(self.arguments))


def _says_none(leaf: Leaf) -> bool:
    return isinstance(leaf, str) and _NOT_FOUND.search(leaf) is not None


def calls_of(performed: Performed, starts: Sequence[int]) -> tuple[Made, ...]:
    """Return the calls of a replay; `starts` are the steps before the parts of the goal, none for a goal in one place."""
    return tuple(
        Made(
            number,
            max((part for part, start in enumerate(starts) if start < call.step), default=0),
            call.name,
            call.arguments,
            observation,
            call.changed,
        )
        for number, (call, observation) in enumerate(zip(performed.replay.calls, performed.observations, strict=True))
    )


def leaves(value: Json, path: str = "") -> list[tuple[str, Leaf]]:
    """Return the texts, numbers and flags of a document, each with the path that it stands at."""
    if isinstance(value, dict):
        return [found for key, member in value.items() for found in leaves(member, f"{path}/{key}")]
    if isinstance(value, list):
        return [found for member in value for found in leaves(member, f"{path}/")]
    return [(path, value)]


def last_key(path: str) -> str:
    """Return the innermost name of a path; empty when it has none."""
    return next((part for part in reversed(path.split("/")) if part), "")


def equal(a: Leaf, b: Leaf) -> bool:
    """Tell whether two values are one: 2 and 2.0 are, true and 1 are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return same_number(a, b)
    return a == b


_OF_FIRMS = frozenset("corp corporation inc ltd limited industries company co group plc".split())


def holds(leaf: Leaf, fact: Fact) -> bool:
    """Tell whether a value is what a text names, or contains it as whole words; a firm may go without what firms are called."""
    if isinstance(leaf, bool) or leaf is None:
        return False
    if not isinstance(leaf, str):
        return fact.number is not None and same_number(fact.number, leaf)
    inside, bare = folded(leaf), folded(fact.text)
    if fact.number is not None and inside.replace(".", "", 1).isdigit() and same_number(float(inside), fact.number):
        return True
    words = bare.split()
    if fact.kind == "name" and len(inside) > 2 and inside == words[0] and _OF_FIRMS.issuperset(words[1:]):
        return True
    if fact.number is not None:
        return re.search(rf"(?<![\w.-]){re.escape(bare)}(?![\w-]|\.\d)", inside) is not None
    return bool(bare) and find_word(inside, bare) is not None
