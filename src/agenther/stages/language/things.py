"""What the observations of a run say about the things that calls refer to by id: names, options, members.

Reads JSON observations only: any object with a key `id` or `..._id` is a thing with that id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import orjson

from agenther.record import Json, JsonObject
from agenther.trajectory import Span, Step, find_text


@dataclass
class Thing:
    """What is known of an id."""

    name: str | None = None
    fields: dict[str, str] = field(default_factory=dict[str, str])
    """Texts and numbers of the object itself, by key."""
    options: dict[str, str] = field(default_factory=dict[str, str])
    members: list[str] = field(default_factory=list[str])
    """Names of the objects that it lists."""
    seen: list[Span] = field(default_factory=list[Span])
    """The whole observations that show it."""


def things(steps: Iterator[Step] | tuple[Step, ...]) -> dict[str, Thing]:
    """Return what the steps' observations say, by id. What is seen later adds to what was seen before."""
    found: dict[str, Thing] = {}
    for step in steps:
        for i, observation in enumerate(step.observations):
            told = _things_in(observation.content)
            if not told:
                continue
            span = Span(step=step.step_id, field=f"observations[{i}].content", start=0, end=len(observation.content))
            for thing_id, thing in told:
                known = found.setdefault(thing_id, Thing())
                known.name = known.name or thing.name
                known.fields |= thing.fields
                known.options |= thing.options
                known.members = known.members or thing.members
                known.seen.append(span)
    return found


def said_at(steps: Iterator[Step] | tuple[Step, ...], text: str, *kinds: str) -> Span | None:
    """Return the first place of a text in fields of these kinds (`message`, `observations`, `tool_calls`), or None."""
    for step in steps:
        for name, _ in step.fields():
            if name.startswith(kinds) and (span := find_text(step, name, text)) is not None:
                return span
    return None


@lru_cache(maxsize=64)
def _things_in(content: str) -> tuple[tuple[str, Thing], ...]:
    try:
        value: Json = orjson.loads(content)
    except orjson.JSONDecodeError:
        return ()
    return tuple(_things(value, None))


def _things(value: Json, name: str | None) -> Iterator[tuple[str, Thing]]:
    if isinstance(value, list):
        for member in value:
            yield from _things(member, name)
    if not isinstance(value, dict):
        return
    own = value.get("name")
    name = own if isinstance(own, str) else name
    thing = Thing(name, _scalars(value), _scalars(value.get("options")), list(_member_names(value)))
    for key, member in value.items():
        if isinstance(member, str) and member and (key == "id" or key.endswith("_id")):
            yield member, thing if _is_own(key, value) else Thing()
        elif isinstance(member, dict | list):
            yield from _things(member, name)


def _is_own(key: str, value: JsonObject) -> bool:
    """Tell whether an id key names the object itself: an order that names its user is not that user."""
    ids = [k for k, v in value.items() if isinstance(v, str) and (k == "id" or k.endswith("_id"))]
    return key == "id" or key == ids[0] or (key == "item_id" and "name" in value)


def _scalars(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {k: str(v) for k, v in value.items() if isinstance(v, str | int | float) and not isinstance(v, bool)}


def _member_names(value: JsonObject) -> Iterator[str]:
    for member in value.values():
        for one in member if isinstance(member, list) else []:
            if isinstance(one, dict) and isinstance(name := one.get("name"), str):
                yield name
