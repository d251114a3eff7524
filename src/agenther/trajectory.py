"""A trajectory: one recorded run of one agent on one goal, with the field names of ATIF.

Owns the shape of a run and how a place inside it is named (`Span`). How runs are read belongs to `readers`, the chat
view to `messages`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import ClassVar, Literal, cast

import orjson
from pydantic import Field, TypeAdapter

from agenther.record import DEEPEST, Json, JsonObject, Record, StorableObject, StorableObjects, is_storable
from agenther.texts import whole_text

_FIELD = re.compile(r"(tool_calls|observations)\[(\d+)\]\.(arguments|function_name|content)\Z")


_LONG_NUMBER = re.compile(r"[0-9]{19}")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@lru_cache(maxsize=256)
def _parts_of(field: str) -> tuple[str, int, str]:
    """Return what the name of a field of a call or an observation is made of; KeyError when it is no such name."""
    match = _FIELD.match(field)
    if match is None:
        raise KeyError(field)
    kind, number, part = match.groups()
    return kind, int(number), part


def _refuse(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _parsed(text: str) -> Json:
    """Return the value of a JSON text without long numbers; None when it is no JSON."""
    try:
        return cast(Json, orjson.loads(text))
    except orjson.JSONDecodeError:
        return _parsed_exactly(text)


def _parsed_exactly(text: str) -> Json:
    """Return the value of a JSON text with its numbers as they stand, lone surrogates replaced; None when it is no JSON."""
    try:
        parsed: Json = _DECODER.decode(text)
        if _SURROGATE.search(text):
            parsed = json.loads(whole_text(json.dumps(parsed, ensure_ascii=False)))
    except (ValueError, RecursionError):
        return None
    return parsed


class Span(Record):
    """A run of characters inside a trajectory: `text_of(step, field)[start:end]`."""

    step: int = Field(description="step_id of the step")
    field: str = Field(description="`message`, `reasoning`, `tool_calls[i].arguments` or `observations[i].content`")
    start: int = Field(ge=0, description="first character")
    end: int = Field(ge=0, description="one past the last character")


class ToolCall(Record):
    """A call that the agent made."""

    tool_call_id: str = Field(default="", description="id that observations refer to; empty when the log has none")
    function_name: str
    arguments: str = Field(default="{}", description="the arguments as the agent wrote them: JSON text, perhaps broken")
    at: tuple[int, int] | None = Field(
        default=None,
        description="place in the step's message, for agents that write calls as text; None for structured calls",
    )

    @cached_property
    def values(self) -> JsonObject:
        """Arguments as an object, lone surrogates replaced; empty when they are no JSON object that can be stored."""
        has_long_number = _LONG_NUMBER.search(self.arguments) is not None
        parsed = _parsed_exactly(self.arguments) if has_long_number else _parsed(self.arguments)
        may_be_odd = has_long_number or len(self.arguments) > 2 * DEEPEST
        return parsed if isinstance(parsed, dict) and not (may_be_odd and not is_storable(parsed)) else {}

    def text(self, *names: str) -> str | None:
        """Return the first argument with one of these names that is a string, or None."""
        values = self.values
        for name in names:
            if isinstance(value := values.get(name), str):
                return value
        return None


class Observation(Record):
    """What the environment answered."""

    content: str
    source_call_id: str | None = Field(default=None, description="the call it answers; None when the log does not say")
    role: Literal["tool", "user"] = Field(
        default="tool", description="role of the message in which the agent saw it; text agents see user turns"
    )
    name: str | None = Field(default=None, description="name of the tool, where the log repeats it")


class Step(Record):
    """One turn: a system text, a user turn, or an agent turn with its calls and what came back."""

    step_id: int = Field(ge=1, description="1-based, rising by one")
    source: Literal["system", "user", "agent"]
    message: str = ""
    reasoning: str | None = Field(
        default=None, description="thinking kept apart from the message; None when there is none"
    )
    thought_at: tuple[tuple[int, int], ...] = Field(
        default=(), description="places in the message where a text agent thinks aloud"
    )
    tool_calls: tuple[ToolCall, ...] = ()
    observations: tuple[Observation, ...] = ()
    name: str | None = Field(default=None, description="name of the speaker, where the log has one")

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield every text field with its name, in the order in which it happened."""
        if self.reasoning is not None:
            yield "reasoning", self.reasoning
        yield "message", self.message
        for i, call in enumerate(self.tool_calls):
            yield f"tool_calls[{i}].arguments", call.arguments
        for i, observation in enumerate(self.observations):
            yield f"observations[{i}].content", observation.content

    def text_of(self, field: str) -> str:
        """Return the text of a field.

        Raises:
            KeyError: the step has no such field.
        """
        if field == "message":
            return self.message
        if field == "reasoning":
            return self.reasoning or ""
        kind, number, part = _parts_of(field)
        items = getattr(self, kind)
        if number >= len(items):
            raise KeyError(field)
        return cast(str, getattr(items[number], part))


_STEPS = TypeAdapter(tuple[Step, ...])


def make_steps(turns: Iterable[Mapping[str, object]]) -> tuple[Step, ...]:
    """Return the steps whose fields are given turn by turn, numbered from 1; one call makes all their records."""
    return _STEPS.validate_python([{"step_id": number, **turn} for number, turn in enumerate(turns, start=1)])


class GoalHolder(StrEnum):
    """Who knows the goal's text."""

    AGENT = "agent"
    SIMULATED_USER = "simulated_user"


class Source(Record):
    """Where a run was found."""

    path: str
    format: str
    index: int = Field(description="0-based position in the file")


class Trajectory(Record):
    """One recorded run."""

    where_found: ClassVar[frozenset[str]] = frozenset({"id", "source"})

    id: str
    source: Source
    task_id: str | None = Field(default=None, description="groups the runs of one task; None when unknown")
    goal: str = Field(description="the desired goal g, as the user put it")
    goal_at: tuple[Span, ...] = Field(default=(), description="every place in the steps where the goal stands")
    worked_at: tuple[Span, ...] = Field(
        default=(), description="worked examples of other tasks inside the prompt: what they ask is nobody's goal"
    )
    shown_at: tuple[Span, ...] = Field(
        default=(), description="where a user turn shows the environment, such as a first page: that asks for nothing"
    )
    goal_holder: GoalHolder = Field(
        default=GoalHolder.AGENT, description="`simulated_user`: the goal is a script that the agent never saw"
    )
    answer_by: Literal["message", "action"] = Field(
        default="message",
        description="how this harness takes an answer: in words, or as the output of the last action (InterCode)",
    )
    tools: StorableObjects = Field(default=(), description="tool schemas, OpenAI form")
    steps: tuple[Step, ...]
    success: bool | None = Field(default=None, description="None when nothing says how it ended")
    reward: float | None = None
    label_source: str | None = Field(
        default=None, description="what said so: a field, a printed verdict, a labels file"
    )
    labels: StorableObject = Field(
        default_factory=dict, description="whatever else the log knows: limits, verdicts, gold"
    )
    agent: str | None = Field(default=None, description="name of the agent or model, where the log has one")

    @cached_property
    def stored(self) -> str:
        """The run as JSON, without what it has by default, as it is stored and sent to other processes."""
        return self.model_dump_json(exclude_defaults=True)

    @cached_property
    def _by_id(self) -> dict[int, Step]:
        return {step.step_id: step for step in self.steps}

    def step(self, step_id: int) -> Step:
        """Return a step by its id; KeyError when there is none."""
        return self._by_id[step_id]

    def text_at(self, span: Span) -> str:
        """Return the characters that a span points at; KeyError when its step or field does not exist."""
        return self.step(span.step).text_of(span.field)[span.start : span.end]

    @cached_property
    def agent_steps(self) -> tuple[Step, ...]:
        """The agent's turns."""
        return tuple(step for step in self.steps if step.source == "agent")

    @cached_property
    def user_steps(self) -> tuple[Step, ...]:
        """The user's turns (observations that a text agent sees as user turns are not among them)."""
        return tuple(step for step in self.steps if step.source == "user")


def find_text(step: Step, field: str, needle: str, start: int = 0) -> Span | None:
    """Return the first place of a text in a field at or after `start`, also in its JSON-escaped forms; None if absent."""
    text = step.text_of(field)
    for form in _forms(needle, escaped=field.endswith(".arguments")):
        at = text.find(form, start) if form else -1
        if at >= 0:
            return Span(step=step.step_id, field=field, start=at, end=at + len(form))
    return None


def _forms(text: str, *, escaped: bool) -> Iterator[str]:
    yield text
    if escaped:
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield json.dumps(text)[1:-1]


def whole_field(step: Step, field: str) -> Span:
    """Return the span that covers a field from end to end."""
    return Span(step=step.step_id, field=field, start=0, end=len(step.text_of(field)))
