"""Contents of messages and arguments of calls, as the dialects of chat write them, made text."""

from __future__ import annotations

import orjson

from agenther.readers.base import Place
from agenther.record import Json, JsonObject

_FOREIGN_CALLS = frozenset({"tool_use", "tool_result"})
"""Kinds of content part that hold calls and results in another dialect: to leave them out would lose the run."""


def arguments_text(arguments: Json) -> str:
    """Return the arguments of a call as text: a text as it stands, anything else as JSON."""
    if isinstance(arguments, str):
        return arguments
    return "{}" if arguments is None else orjson.dumps(arguments).decode()


def content_text(place: Place, content: Json, left_out: list[Json], names: tuple[str, ...] = ("text",)) -> str:
    """Return the text of a content: a string, nothing, or the text parts of a list one below the other.

    Args:
        place: where the content stands.
        content: the content.
        left_out: takes the place and kind of each part that is no text.
        names: the members of a part that may hold its text, the first one found counts.

    Raises:
        ReadError: the content is of no such shape, or holds a call or a result in another dialect.
    """
    if content is None:
        return ""
    if not isinstance(content, list):
        return place.str(content)
    texts: list[str] = []
    for i, part in enumerate(content):
        body: JsonObject = {"text": part} if isinstance(part, str) else place.at(i).obj(part)
        text = next((body[name] for name in names if name in body), None)
        if isinstance(text, str):
            texts.append(text)
        elif body.get("type") in _FOREIGN_CALLS:
            raise place.at(i).error("OpenAI content (calls under tool_calls, results as tool messages)", part)
        else:
            left_out.append(f"{place.at(i).where}: {body.get('type')}")
    return "\n".join(texts)
