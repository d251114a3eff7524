"""Descriptions of tools that read as a request, and the places in them where the arguments belong.

"Find the opening hours of a museum" with museum = "Tidal House" asks for "the opening hours of Tidal House".
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from agenther.record import Json, JsonObject
from agenther.stages.language.words import split_name

MOST_WORDS = 25
REQUEST_VERBS = frozenset(
    "get find search list show check fetch retrieve look calculate compute count compare translate convert tell".split()
)
"""Verbs by which a description asks for something that changes nothing."""

TECHNICAL = re.compile(
    r"\b(?:api|endpoint|json|id|ids|uuid|param(?:eter)?s?|object|array|string|boolean|query|request|response|payload|http"
    r"|user input|given|specified|provided|based on|optional(?:ly)?|default|returns?|whether or not|e\.g|i\.e)\b|[_{}<>\[\]`]",
    re.IGNORECASE,
)
"""Words of a manual that no user says."""

_PREPOSITIONS = {
    "in": ("city", "location", "country", "place", "town", "region", "state"),
    "on": ("date", "day"),
    "from": ("from", "origin", "source", "departure"),
    "to": ("to", "destination", "target", "arrival"),
}
_EMPTY_WORDS = frozenset("name code id title query term text value".split())


_FRAMED = re.compile(r'The description of this function is: "(?P<text>.*)"\s*\Z', re.DOTALL)
"""ToolBench wraps each description in a text of its own."""


class Slot(NamedTuple):
    """A part of a request: literal words, or an argument that stands for them."""

    text: str
    argument: str | None = None


def description_of(schema: JsonObject) -> tuple[str, str]:
    """Return the name and the description of a tool schema; empty texts when it has none."""
    function = schema.get("function")
    body = function if isinstance(function, dict) else schema
    name, description = body.get("name"), body.get("description")
    text = description if isinstance(description, str) else ""
    framed = _FRAMED.search(text)
    return name if isinstance(name, str) else "", framed["text"] if framed else text


@lru_cache(maxsize=1024)
def is_request(description: str) -> bool:
    """Tell whether a description is one short sentence that asks for something."""
    words = description.split()
    one = not re.search(r"[.!?;:]\s+\S|\n", description.strip())
    return bool(words) and words[0].lower() in REQUEST_VERBS and len(words) <= MOST_WORDS and one


def is_read_only(name: str, description: str) -> bool:
    """Tell whether a tool, by its description and its name, changes nothing."""
    words = description.split()
    first = (words[0].lower().removesuffix("s") if words else "", next(iter(split_name(name)), "").lower())
    return bool(REQUEST_VERBS & set(first))


def slots(description: str, arguments: dict[str, Json]) -> list[Slot] | None:
    """Return a description with a slot for each argument, or None when one finds no natural place."""
    text = description.strip().rstrip(".!")
    taken: list[tuple[int, int, str]] = []
    behind: list[Slot] = []
    for name in arguments:
        place = _place(text, name)
        if place is not None and not any(place[0] < end and start < place[1] for start, end, _ in taken):
            taken.append((*place, name))
        elif (preposition := _preposition(name)) is not None:
            behind += [Slot(f" {preposition} "), Slot("", name)]
        else:
            return None
    made: list[Slot] = []
    at = 0
    for start, end, name in sorted(taken):
        made += [Slot(text[at:start]), Slot(text[start:end], name)]
        at = end
    return [*made, Slot(text[at:]), *behind]


@lru_cache(maxsize=1024)
def _place(text: str, name: str) -> tuple[int, int] | None:
    """Return where a description speaks of an argument: "a museum", "the given museum name"."""
    words = [word.lower() for word in split_name(name)]
    core = [word for word in words if word not in _EMPTY_WORDS]
    if not core:
        return None
    pattern = r"\b(?:an?|the|any|one)\s+(?:(?:given|specified|particular|certain|specific)\s+)?" + r"\s+".join(
        map(re.escape, core)
    )
    found = list(re.finditer(pattern + r"(?:\s+(?:name|code|title))?\b", text, re.IGNORECASE))
    return found[0].span() if len(found) == 1 else None


def _preposition(name: str) -> str | None:
    last = [word.lower() for word in split_name(name) if word.lower() not in _EMPTY_WORDS][-1:]
    return next((preposition for preposition, names in _PREPOSITIONS.items() if last and last[0] in names), None)
