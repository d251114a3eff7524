"""Anthropic's content blocks, made OpenAI messages: thoughts, calls and results leave the content and stand on their own.

One message may become several. A result comes before what the user says beside it; what the model says after a result that
its provider fetched is a turn of its own.
"""

from __future__ import annotations

import orjson

from agenther.readers.base import Place
from agenther.readers.content import arguments_text, content_text
from agenther.record import Json, JsonObject

_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
_UNREADABLE = frozenset({"encrypted_content", "encrypted_index"})


def has_blocks(message: JsonObject) -> bool:
    """Tell whether the content of a user's or assistant's message holds blocks that OpenAI's dialect does not know."""
    content = message.get("content")
    if not isinstance(content, list) or message.get("role") not in ("user", "assistant"):
        return False
    kinds = [part.get("type") for part in content if isinstance(part, dict)]
    return any(isinstance(kind, str) and (kind in _CALLS | _THOUGHTS or _is_result(kind)) for kind in kinds)


def plain_messages(place: Place, message: JsonObject, left_out: list[Json]) -> list[JsonObject]:
    """Return the OpenAI messages that a message with blocks stands for; a result keeps its `is_error`.

    Args:
        place: where the message stands.
        message: the message; its content is a list.
        left_out: takes the place and kind of each part that is no text.

    Raises:
        ReadError: a block is not of the shape that its type asks for.
    """
    made = _Made(message)
    where = place.at("content")
    for i, part in enumerate(where.list(message.get("content"))):
        made.add(
            where.at(i), {"type": "text", "text": part} if isinstance(part, str) else where.at(i).obj(part), left_out
        )
    made.finish()
    return made.messages


def _is_result(kind: str) -> bool:
    return kind.endswith("tool_result")


class _Made:
    """Messages made so far, and what has been gathered for the next one."""

    def __init__(self, message: JsonObject) -> None:
        self.messages: list[JsonObject] = []
        own = message.get("tool_calls")
        self._own_calls = own if isinstance(own, list) else []
        taken = ("content", "tool_calls") if self._own_calls else ("content",)
        self._rest = {key: value for key, value in message.items() if key not in taken}
        self._by_agent = message.get("role") == "assistant"
        self._clear()

    def _clear(self) -> None:
        self._said: list[str] = []
        self._thought: list[str] = []
        self._calls: list[Json] = []

    def add(self, place: Place, block: JsonObject, left_out: list[Json]) -> None:
        """Add a block."""
        kind = str(block.get("type"))
        if kind in _CALLS:
            self._calls.append(_call(place, block))
        elif kind in _THOUGHTS:
            thought = block.get("thinking")
            self._thought += [thought] if isinstance(thought, str) and thought.strip() else []
        elif _is_result(kind):
            if self._by_agent:
                self.close()
            self.messages.append(_result(place, block, left_out))
        elif isinstance(text := block.get("text"), str):
            self._said.append(text)
        else:
            left_out.append(f"{place.where}: {kind}")

    def finish(self) -> None:
        """Add the last message, with the calls that stand beside the content."""
        self._calls += self._own_calls
        self.close()

    def close(self) -> None:
        """Add the message that has been gathered, if there is anything in it or there would be no message at all."""
        if not (self._said or self._thought or self._calls) and self.messages:
            return
        made: JsonObject = {**self._rest, "content": "\n".join(self._said)}
        made |= {"reasoning_content": "\n".join(self._thought)} if self._thought else {}
        made |= {"tool_calls": self._calls} if self._calls else {}
        self.messages.append(made)
        self._clear()


def _call(place: Place, block: JsonObject) -> JsonObject:
    function: JsonObject = {
        "name": place.at("name").str(block.get("name")),
        "arguments": arguments_text(block.get("input")),
    }
    return {"id": block.get("id"), "function": function}


def _result(place: Place, block: JsonObject, left_out: list[Json]) -> JsonObject:
    call_id, content = block.get("tool_use_id"), block.get("content")
    if isinstance(content, dict):
        content = [content]
    if isinstance(content, list):
        content = [_readable(part) for part in content]
    made: JsonObject = {"role": "tool", "content": content_text(place.at("content"), content, left_out)}
    made |= {"tool_call_id": call_id} if isinstance(call_id, str) else {}
    return made | ({"is_error": True} if block.get("is_error") is True else {})


def _readable(part: Json) -> Json:
    """Return a part of a result; one that its provider fetched (a page found, a program's output) as JSON text."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or not kind.endswith(("_result", "_error")):
        return part
    fields = {key: value for key, value in part.items() if key not in _UNREADABLE}
    return {"type": "text", "text": orjson.dumps(fields).decode()}
