"""REST tools: calls of documented read-only tools that answered with a whole JSON document."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from agenther.conclusions import Claim
from agenther.literals import json_value, literal_value
from agenther.record import Json
from agenther.stages.language.descriptions import description_of, is_request
from agenther.stages.language.outcomes import is_error
from agenther.stages.recording import error_code
from agenther.trajectory import Step, Trajectory, whole_field

_WRAPPER = frozenset({"error", "response"})
"""Members of the envelope in which ToolBench hands on what a service answered."""
_ERROR_KEYS = ("error", "errors", "error_message", "err")


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each lone call whose tool reads as a request and whose answer holds something."""
    described = dict(description_of(schema) for schema in trajectory.tools)
    for step in trajectory.agent_steps:
        if len(step.tool_calls) != 1 or len(step.observations) != 1 or error_code(trajectory, step) is not None:
            continue
        call = step.tool_calls[0]
        description = described.get(call.function_name, "")
        if call.at is None and is_request(description) and holds_something(answer_of(step)):
            yield Claim(
                text=f"{call.function_name} answered: {description}",
                kind="rest.fact",
                evidence=(whole_field(step, "tool_calls[0].arguments"), whole_field(step, "observations[0].content")),
                data={"step": step.step_id, "description": description},
            )


def answer_of(step: Step) -> Json:
    """Return the document that answered a lone call; None when it is an error, cut short, or no document.

    Inside ToolBench's envelope stands a document written as text, in JSON or as a Python literal.
    """
    return _document(step.observations[0].content) if step.observations else None


@lru_cache(maxsize=64)
def _document(content: str) -> Json:
    value = json_value(content)
    if value is None or is_error(content):
        return None
    if not isinstance(value, dict) or value.keys() != _WRAPPER:
        return value
    body = value["response"]
    body = literal_value(body) if isinstance(body, str) else body
    if not isinstance(body, dict | list):
        return None
    return None if isinstance(body, dict) and any(body.get(key) for key in _ERROR_KEYS) else body


def leaves(value: Json) -> Iterator[str]:
    """Yield the texts and numbers of a document."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if one.strip():
                yield one
        elif isinstance(one, dict):
            left += reversed(one.values())
        elif isinstance(one, list):
            left += reversed(one)
        elif one is not None and not isinstance(one, bool):
            yield str(one)


def holds_something(value: Json) -> bool:
    """Tell whether a document holds a value below its top; an empty list of results is no answer."""
    if isinstance(value, dict):
        body = [member for key, member in value.items() if key not in ("error", "status", "message", "code", "success")]
        lists = [member for member in body if isinstance(member, list)]
        return any(leaf for member in body for leaf in leaves(member)) and not (lists and not any(lists))
    return isinstance(value, list) and any(True for _ in leaves(value))
