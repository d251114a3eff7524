"""Answers with a structure: the schema that goes with a request, the tolerant reading of what comes back, one repair turn.

Nothing is guessed: a cut word, a member named twice, two objects that differ, words after the object are no answer. A
library that mends broken JSON would read some of them as consent.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from agenther.errors import ParseError
from agenther.llm.base import AnswerForm, Client, Message, Request, Response
from agenther.record import Json, JsonObject, Record

Answer = TypeVar("Answer", bound=Record)

SHOWN_AGAIN = 1200
"""Characters of an unusable answer that the repair turn shows: with all else it adds some 700 tokens to the prompt."""
_MOST_FAULTS = 6
_KEPT = (
    *("type", "enum", "const", "description", "format", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems"),
)
"""Keywords that strict schemas of all servers we know may hold."""
_LEFT_OUT = frozenset({"title", "default", "examples", "minLength", "maxLength", "required", "additionalProperties"})
"""Keywords that are written anew or that some server refuses; what they say is checked when the answer is read."""
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|,(?=\s*[}\]])', re.DOTALL)
_THOUGHT = re.compile(r"\s*(?![\s{`]).*</think>", re.DOTALL)
"""What a model that thinks aloud wrote before its answer; some chat templates keep the opening mark to themselves."""
_MARK = re.compile(r"[<>]|\[(?=/?INST)")


async def ask(client: Client, request: Request, answer_type: type[Answer]) -> Answer:
    """Ask for an answer of a given structure; one that has another is sent back once, with what is wrong with it.

    Args:
        client: who answers. The repair turn is a request like any other, with a key of its own.
        request: what is asked; its form is made here, from `answer_type`, named as the stage that asks.
        answer_type: fields without default values, in the order in which the model shall write them.

    Raises:
        ParseError: the answer was cut, or has another structure even after the repair turn.
    """
    asked = request.model_copy(update={"form": answer_form(request.asked_by.value, answer_type)})
    response = await client.complete(asked)
    _refuse_cut(asked, response)
    try:
        return parse_answer(response.text, answer_type)
    except ParseError as error:
        fault = str(error)
    response = await client.complete(_repair(asked, response.text, fault))
    _refuse_cut(asked, response)
    try:
        return parse_answer(response.text, answer_type)
    except ParseError as error:
        raise ParseError(f"{_named(asked)}: no usable answer, also when asked again: {error}") from error


@cache
def answer_form(name: str, answer_type: type[Record]) -> AnswerForm:
    """Return the form of an answer as servers with strict schemas want it.

    Every property is required, no other is allowed, and nothing is said by reference. Descriptions of fields are for the
    model, the words about their types are not.

    Raises:
        TypeError: the type has a field that such schemas have no words for.
    """
    schema = answer_type.model_json_schema()
    strict = _strict(_wordless(schema), schema.get("$defs", {}), answer_type.__name__)
    return AnswerForm(name=name, json_schema=strict)


def parse_answer(text: str, answer_type: type[Answer]) -> Answer:
    """Read an answer: one JSON object, also behind other text, in a code fence, with commas too many or raw line ends.

    Raises:
        ParseError: there is no such object, or its structure is another.
    """
    found = _find_object(text)
    try:
        return answer_type.model_validate_json(json.dumps(found), strict=True)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'object'}: {fault['msg']}" for fault in error.errors()]
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise ParseError("; ".join(fault[:120] for fault in faults[:_MOST_FAULTS]) + more) from error


def _find_object(text: str) -> JsonObject:
    thought = _THOUGHT.match(text)
    start = text.find("{", thought.end() if thought else 0)
    if start < 0:
        raise ParseError("expected one JSON object, found none")
    body = text[start:]
    try:
        value, rest = _decode(body)
    except (ValueError, RecursionError) as error:
        fault = "nested too deeply" if isinstance(error, RecursionError) else error
        raise ParseError(f"expected one whole JSON object, found a broken one: {fault}") from error
    if rest.strip("` \t\r\n"):
        raise ParseError("expected nothing after the JSON object, found more text")
    return value


def _decode(body: str) -> tuple[JsonObject, str]:
    """Return the object at the start of a text, and what follows; trailing commas change no value and may be there."""
    try:
        value, end = _DECODER.raw_decode(body)
    except ValueError:
        body = _STRING_OR_COMMA.sub(lambda match: "" if match.group() == "," else match.group(), body)
        value, end = _DECODER.raw_decode(body)
    return cast(JsonObject, value), body[end:]


def _members(pairs: list[tuple[str, Json]]) -> JsonObject:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a member is named twice")
    return members


def _no_number(name: str) -> Json:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_number, strict=False)


def _repair(asked: Request, answer: str, fault: str) -> Request:
    """Return the request with the unusable answer and what is wrong with it."""
    half = SHOWN_AGAIN // 2
    shown = answer if len(answer) <= SHOWN_AGAIN else f"{answer[:half]} [...] {answer[-half:]}"
    complaint = (
        f"That answer cannot be used: {fault}. Give the whole answer again: one JSON object of the form "
        "asked for, and nothing before or after it."
    )
    turns = Message(role="assistant", content=_tamed(shown)), Message(role="user", content=_tamed(complaint))
    return asked.model_copy(update={"messages": (*asked.messages, *turns)})


def _tamed(text: str) -> str:
    """Write the characters of chat templates' marks as JSON does: the answer may repeat what a run made it say."""
    return _MARK.sub(lambda match: f"\\u{ord(match.group()):04x}", text) or "(empty)"


def _refuse_cut(asked: Request, response: Response) -> None:
    if response.finish == "length":
        raise ParseError(f"{_named(asked)}: the answer was cut at {asked.max_tokens} tokens")
    if response.finish != "stop":
        raise ParseError(f"{_named(asked)}: the answer ended early: {response.finish[:60]}")


def _named(asked: Request) -> str:
    return f"{asked.asked_by} by {asked.model}"


def _strict(node: dict[str, Any], definitions: dict[str, Any], name: str) -> JsonObject:
    """Return one node of a schema, and all below it, with the keywords of strict schemas alone."""
    if "$ref" in node:
        node = {**_wordless(definitions[node["$ref"].rpartition("/")[2]]), **node}
    strict: JsonObject = {keyword: node[keyword] for keyword in _KEPT if keyword in node}
    for keyword in node.keys() - strict.keys() - _LEFT_OUT - {"$ref", "$defs"}:
        if keyword not in ("anyOf", "items", "properties"):
            raise TypeError(f"{name}: {keyword} has no place in a strict schema")
    if isinstance(node.get("additionalProperties"), dict):
        raise TypeError(f"{name}: an object of any names has no place in a strict schema")
    if "anyOf" in node:
        strict["anyOf"] = [_strict(choice, definitions, name) for choice in node["anyOf"]]
    if "items" in node:
        strict["items"] = _strict(node["items"], definitions, name)
    if node.get("type") == "object":
        fields = {field: _strict(of, definitions, name) for field, of in node.get("properties", {}).items()}
        strict |= {"properties": cast(Json, fields), "required": list(fields), "additionalProperties": False}
    return strict


def _wordless(schema: dict[str, Any]) -> dict[str, Any]:
    return {keyword: value for keyword, value in schema.items() if keyword != "description"}
