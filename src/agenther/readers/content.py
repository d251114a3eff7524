"""Contents of messages, arguments of calls and schemas of tools, as the dialects of chat write them, made one."""

from __future__ import annotations

from typing import cast

import orjson

from agenther.readers.base import Place
from agenther.record import Json, JsonObject

_FOREIGN_CALLS = ("tool_use", "tool_result")
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


def tool_schemas(place: Place, raw: Json) -> tuple[JsonObject, ...]:
    """Return tool schemas in OpenAI's present form, from a list or JSON text, wrapped or bare; none for None.

    Raises:
        ReadError: it is no list of objects.
    """
    if isinstance(raw, str):
        try:
            raw = cast(Json, orjson.loads(raw))
        except orjson.JSONDecodeError:
            raise place.error("a list of tools, also as JSON text", raw) from None
    if raw is None:
        return ()
    tools = [place.at(i).obj(tool) for i, tool in enumerate(place.list(raw))]
    return tuple(tool if "function" in tool or "name" not in tool else _wrapped(tool) for tool in tools)


def _wrapped(function: JsonObject) -> JsonObject:
    body = {"parameters" if key == "input_schema" else key: v for key, v in function.items() if key != "type"}
    return {"type": "function", "function": body}
