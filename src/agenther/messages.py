"""The chat view of a run: OpenAI messages from steps, and steps from OpenAI messages.

Structured calls become `tool_calls`; calls that an agent wrote as text stay in its text. Every message made here can
carry the `step` it came from, and with it the way back is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall


def to_messages(steps: Iterable[Step], *, with_step: bool = False) -> list[JsonObject]:
    """Render steps as OpenAI messages; tool-call arguments stay JSON strings."""
    messages: list[JsonObject] = []
    for step in steps:
        for message in _messages_of(step):
            if with_step:
                message["step"] = step.step_id
            messages.append(message)
    return messages


def _messages_of(step: Step) -> list[JsonObject]:
    role = "assistant" if step.source == "agent" else step.source
    first: JsonObject = {"role": role, "content": step.message}
    if step.name is not None:
        first["name"] = step.name
    if step.reasoning is not None:
        first["reasoning_content"] = step.reasoning
    calls: list[Json] = [
        {
            "id": call.tool_call_id,
            "type": "function",
            "function": {"name": call.function_name, "arguments": call.arguments},
        }
        for call in step.tool_calls
        if call.at is None
    ]
    if calls:
        first["tool_calls"] = calls
    return [first, *(_observation_message(o) for o in step.observations)]


def _observation_message(observation: Observation) -> JsonObject:
    message: JsonObject = {"role": observation.role, "content": observation.content}
    if observation.role == "tool" and observation.source_call_id is not None:
        message["tool_call_id"] = observation.source_call_id
    if observation.name is not None:
        message["name"] = observation.name
    return message


def from_messages(messages: Sequence[JsonObject]) -> tuple[Step, ...]:
    """Build steps from well-formed OpenAI messages: the inverse of `to_messages`.

    Tool messages join the agent turn before them; with a `step` key, so does a user turn that is an observation.
    Places of text calls (`at`, `thought_at`) belong to a reader and are not found again here.

    Raises:
        ValueError: a tool message has no agent turn to join.
    """
    turns: list[tuple[JsonObject, list[Observation]]] = []
    seen: list[Observation] | None = None
    last_mark: Json = None
    for message in messages:
        role, mark = message["role"], message.get("step")
        same_step = mark is not None and mark == last_mark
        last_mark = mark
        if role == "tool" or (role == "user" and same_step):
            if seen is None:
                raise ValueError("a tool message before any assistant message")
            seen.append(_observation_of(message))
            continue
        turns.append((message, []))
        if role == "assistant":
            seen = turns[-1][1]
    return tuple(
        _step_of(message, number, observations) for number, (message, observations) in enumerate(turns, start=1)
    )


def _optional(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _observation_of(message: JsonObject) -> Observation:
    return Observation(
        content=_optional(message.get("content")) or "",
        source_call_id=_optional(message.get("tool_call_id")),
        role="user" if message["role"] == "user" else "tool",
        name=_optional(message.get("name")),
    )


def _step_of(message: JsonObject, step_id: int, observations: Iterable[Observation]) -> Step:
    raw_calls = message.get("tool_calls")
    calls = tuple(_call_of(c) for c in raw_calls if isinstance(c, dict)) if isinstance(raw_calls, list) else ()
    match message["role"]:
        case "assistant":
            source = "agent"
        case "system" | "developer":
            source = "system"
        case _:
            source = "user"
    return Step(
        step_id=step_id,
        source=source,
        message=_optional(message.get("content")) or "",
        reasoning=_optional(message.get("reasoning_content")),
        tool_calls=calls,
        observations=tuple(observations),
        name=_optional(message.get("name")),
    )


def _call_of(call: JsonObject) -> ToolCall:
    function = call.get("function")
    body = function if isinstance(function, dict) else {}
    return ToolCall(
        tool_call_id=_optional(call.get("id")) or "",
        function_name=_optional(body.get("name")) or "",
        arguments=arguments if isinstance(arguments := body.get("arguments"), str) else "{}",
    )
