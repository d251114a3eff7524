"""How many tokens a row has for the model that is trained: its texts, and an allowance for what a chat template adds.

Counted is what a trainer makes one sequence of; of a pair, the longer side. The allowances were set on 2,235 renderings of
recorded runs by 15 chat templates with the tokenizers of Qwen, Llama 3 and Mistral (docs/formats-out.md): with them no
rendering has more tokens than counted here, but for Cohere's, whose templates begin with a text of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import orjson

from agenther.config import BY_ESTIMATE
from agenther.llm.counters import TokenCounter
from agenther.record import Json, JsonObject
from agenther.writers.base import Kind, Row, Writer, json_text
from agenther.writers.turns import calls_of, function_of

PER_ROW, PER_MESSAGE, PER_THOUGHT, PER_CALL = 64, 11, 12, 24
ANY_TOOLS, PER_TOOL = 256, 16
"""Tokens that a template adds at most: to a conversation, around a message, a thought or a call, before all tools, around one."""

_BEFORE = ("prompt", "messages", "conversations", "steps")
_AFTER = ("completion", "chosen", "rejected", "preferred_output", "non_preferred_output")
_TEXTS = ("content", "value", "message")
_RESULTS = ("tool", "tool_response", "observation")
_CALLS = ("tool_call", "function_call")
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_printed = json.JSONEncoder(ensure_ascii=False).encode
"""Prints a value as templates do."""


class Measure:
    """Counts the tokens of conversations; texts that it has met are not counted again, until it forgets them.

    Args:
        counter: counts the tokens of a text.
        tools: counts of tool schemas, which many runs share.
    """

    def __init__(self, counter: TokenCounter, tools: dict[str, int] | None = None) -> None:
        self.by = counter.by
        self._counter = counter
        self._exact = counter.by != BY_ESTIMATE
        self._known: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        self._tools = {} if tools is None else tools

    def forget(self) -> None:
        """Forget the texts of the runs so far."""
        self._known.clear()
        self._shown.clear()

    def row(self, row: Row) -> int:
        """Return the tokens of a row of any consumer."""
        given = cast(JsonObject, row["input"]) if isinstance(row.get("input"), dict) else row
        before, *after = _conversations(row, given)
        if "rejected_messages" in row:
            spoken = max(self._spoken(before), *map(self._spoken, after))
        else:
            spoken = self._spoken(before) + max(map(self._spoken, after), default=0)
        return self.around(_tools(given)) + self._of(row.get("system")) + spoken

    def _spoken(self, messages: Iterable[JsonObject]) -> int:
        return sum(map(self.message, messages))

    def around(self, tools: Json) -> int:
        """Return the tokens of what stands around the messages: tool schemas, as JSON text or not, and a template's own."""
        text = tools if isinstance(tools, str) else orjson.dumps(tools or []).decode()
        if text in ("", "[]"):
            return PER_ROW
        if text not in self._tools:
            if len(self._tools) > _MOST_TOOLS:
                self._tools.clear()
            self._tools[text] = self._schemas(text)
        return PER_ROW + self._tools[text]

    def message(self, message: JsonObject) -> int:
        """Return the tokens of a message in any dialect."""
        role = message.get("role", message.get("from"))
        shown = self._exact and role in _RESULTS
        n = PER_MESSAGE
        for key in _TEXTS:
            if text := message.get(key):
                n += self._call(text) if role in _CALLS else self._of(text, shown=shown)
        if thought := message.get("reasoning_content"):
            n += PER_THOUGHT + self._of(thought)
        if "tool_calls" in message:
            for call in calls_of(message):
                function = function_of(call) or _atif_function(call)
                n += PER_CALL + self._of(function.get("name")) + self._call(function.get("arguments"))
        if isinstance(observed := message.get("observation"), dict):
            results = observed.get("results")
            for result in results if isinstance(results, list) else []:
                n += PER_MESSAGE + self._of(cast(JsonObject, result).get("content"), shown=self._exact)
        return n

    def _call(self, value: Json) -> int:
        """Return the tokens of arguments, or of a turn that holds calls; of JSON also as templates print it that parse it."""
        n = self._of(value)
        if not self._exact or not isinstance(value, str):
            return n
        before, tag, rest = value.rpartition(_OPEN)
        written = rest.removesuffix(_CLOSE)
        try:
            printed = _printed(json.loads(written))
        except (ValueError, RecursionError):
            return n
        return max(n, self._of(f"{before}{tag}{printed}{rest[len(written) :]}"))

    def _schemas(self, text: str) -> int:
        """Return the tokens of tool schemas in the longest of the ways in which templates print them."""
        try:
            schemas: Json = json.loads(text)
        except (ValueError, RecursionError):
            return ANY_TOOLS + self._counter(text)
        tools = schemas if isinstance(schemas, list) else [schemas]
        printed = max(
            sum(self._counter(json.dumps(t, ensure_ascii=False, indent=by)) for t in tools) for by in (None, 4)
        )
        return ANY_TOOLS + PER_TOOL * len(tools) + printed

    def _of(self, value: Json, *, shown: bool = False) -> int:
        """Return the tokens of a text or value; of a result also as the JSON string that some templates print."""
        if not value:
            return 0
        text = value if isinstance(value, str) else _printed(value)
        known = self._shown if shown else self._known
        if (n := known.get(text)) is None:
            n = self._counter(text)
            if shown:
                n = max(n, self._counter(_printed(text)))
            known[text] = n
        return n


_MOST_TOOLS = 256
"""Tool schemas that are remembered."""


def _conversations(row: Row, given: JsonObject) -> Iterator[list[JsonObject]]:
    """Yield the messages that a row begins with, and those that may follow; of ms-swift's pairs, both sides whole."""
    yield next((found for key in _BEFORE if (found := _messages(given.get(key)))), list[JsonObject]())
    yield from (_messages(row[key]) for key in (*_AFTER, "rejected_messages") if key in row)


def _atif_function(call: JsonObject) -> JsonObject:
    """Return a call of an ATIF document, with its arguments as the agent wrote them where an object would change them."""
    match call:
        case {"extra": {"agenther": {"arguments": str() as written}}}:
            return {"name": call.get("function_name"), "arguments": written}
        case _:
            return {"name": call.get("function_name"), "arguments": call.get("arguments")}


def _tools(row: JsonObject) -> Json:
    agent = row.get("agent")
    return agent.get("tool_definitions") if isinstance(agent, dict) else row.get("tools")


def _messages(value: Json | None) -> list[JsonObject]:
    """Return a list of messages; one message is a list of one."""
    return cast(list[JsonObject], value if isinstance(value, list) else [value] if isinstance(value, dict) else [])


def has_place(writer: Writer, kind: Kind) -> bool:
    """Tell whether rows can say what is known of them."""
    return not {"metadata", "extra"}.isdisjoint(writer.columns(kind))


def with_facts(row: Row, facts: Mapping[str, Json]) -> Row:
    """Return a row that says some facts of it, where its consumer has a place for them."""
    match row:
        case {"metadata": str() as text}:
            return {**row, "metadata": json_text({**orjson.loads(text), **facts})}
        case {"extra": {"label": dict() as label, **others}}:
            return {**row, "extra": {**others, "label": {**label, **facts}}}
        case _:
            return row
