"""Runs of any JSON or JSONL file, found by the paths of a map.

A path that finds nothing is an error where a run cannot be without it (goal, messages, steps, name of a call); elsewhere
the run lacks that part, and `unmatched` names the paths that never found anything. Values are never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import orjson
from jmespath.exceptions import JMESPathError

from agenther.errors import ReadError
from agenther.readers.base import (
    Item,
    Place,
    build_one,
    holds_lines,
    locate_goal,
    read_json,
    run_id,
    source,
)
from agenther.readers.chat import chat_steps
from agenther.readers.content import arguments_text, tool_schemas
from agenther.readers.mapping import MessagesMap, RunMap, StepsMap, SuccessMap, compiled
from agenther.readers.records import records
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_REACT = re.compile(r"\s*([A-Za-z]\w*)\s*\[(.*)\]\s*", re.DOTALL)
_OWN_NAMES = ("role", "content", "name", "tool_calls")
"""Keys of a message that a map names as OpenAI does."""


class MapReader:
    """Reads runs by a map."""

    format = "map"
    about = "any JSON or JSONL by the paths of `--map FILE.toml`; labelled as the map says"

    def __init__(self, run_map: RunMap) -> None:
        self._map = run_map
        self._hits: dict[str, bool] = {}

    def sniff(self, path: Path, head: bytes) -> bool:
        """Take no file unasked."""
        return False

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each record."""
        index = 0
        for place, value in self._records(path):
            if isinstance(value, ReadError):
                yield value
                continue
            yield from build_one(place, lambda p=place, i=index, v=value: self._run(_Here(p, v, self._hits), i))
            index += 1

    def unmatched(self) -> list[str]:
        """Return the paths of the map, as `key = path`, that were tried and found nothing in all that was read."""
        return [path for path, hit in self._hits.items() if not hit]

    def _records(self, path: Path) -> Iterator[tuple[Place, Json | ReadError]]:
        for item in records(path) if self._map.records is None or holds_lines(path) else _whole(path):
            if isinstance(item, ReadError):
                yield Place(path), item
            elif self._map.records is None:
                yield item[0], item[2]
            else:
                yield from self._listed(_Here(item[0], item[2], self._hits), self._map.records)

    def _listed(self, file: _Here, expression: str) -> Iterator[tuple[Place, Json | ReadError]]:
        """Yield the members of the list, or of the object, that holds the runs."""
        where = file.place.at(expression)
        try:
            found = file.find("records", expression)
        except ReadError as error:
            yield where, error
            return
        if isinstance(found, list):
            yield from ((where.at(i), value) for i, value in enumerate(found))
        elif isinstance(found, dict):
            yield from ((where.at(key), value) for key, value in found.items())
        else:
            yield where, where.error("a list of records (`records` of the map)", found)

    def _run(self, record: _Here, index: int) -> Trajectory:
        wanted = self._map
        goal = record.text("goal", wanted.goal, needed=True)
        steps, labels = _steps(record, wanted, goal)
        if goal is None:
            goal = next((step.message for step in steps if step.source == "user"), "")
        success, label_source = _outcome(record, wanted.success)
        own_id = record.name("id", wanted.id)
        for name, expression in wanted.labels.items():
            if (value := record.find(f"labels.{name}", expression)) is not None:
                labels[name] = value
        reward = record.find("reward", wanted.reward)
        return Trajectory(
            id=run_id(record.place.path, index) if own_id is None else own_id,
            source=source(record.place.path, self.format, index),
            task_id=record.name("task_id", wanted.task_id),
            goal=goal,
            goal_at=locate_goal(steps, goal),
            goal_holder=wanted.goal_holder,
            answer_by=wanted.answer_by,
            tools=tool_schemas(record.place.at(wanted.tools or ""), record.find("tools", wanted.tools)),
            steps=steps,
            success=success,
            reward=None if reward is None else record.place.at(wanted.reward or "").number(reward),
            label_source=label_source,
            labels=labels,
            agent=record.name("agent", wanted.agent),
        )


class _Here:
    """A value and its place; finds parts of it and counts which paths found something."""

    def __init__(self, place: Place, value: Json, hits: dict[str, bool]) -> None:
        self.place, self.value, self._hits = place, value, hits

    def find(self, key: str, expression: str | None) -> Json:
        """Return what an expression finds, None when nothing."""
        if expression is None:
            return None
        try:
            found = cast(Json, compiled(expression).search(self.value))
        except JMESPathError as error:
            where, expected = self.place.at(expression).where, f"a value that `{key}` of the map can be applied to"
            found_text = " ".join(str(error).split())
            raise ReadError(str(self.place.path), self.place.line, where, expected, found_text) from None
        name = f"{key} = {expression}"
        self._hits[name] = self._hits.get(name, False) or found is not None
        return found

    def text(self, key: str, expression: str | None, *, needed: bool = False) -> str | None:
        """Return a text, None when there is none; `needed`: an error instead."""
        found = self.find(key, expression)
        if expression is None or (found is None and not needed):
            return None
        if not isinstance(found, str) or (needed and not found.strip()):
            raise self.place.at(expression).error(f"text (`{key}` of the map)", found)
        return found

    def name(self, key: str, expression: str | None) -> str | None:
        """Return a text or a whole number as text, None when there is none."""
        found = self.find(key, expression)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise self.place.at(expression or "").error(f"text or a whole number (`{key}` of the map)", found)
        return str(found)

    def printed(self, key: str, expression: str | None) -> str | None:
        """Return a text as it stands, anything else as JSON, None when there is nothing."""
        found = self.find(key, expression)
        return found if found is None or isinstance(found, str) else orjson.dumps(found).decode()

    def members(self, key: str, expression: str) -> list[_Here]:
        """Return the members of a list that must be there."""
        found, where = self.find(key, expression), self.place.at(expression)
        if not isinstance(found, list):
            raise where.error(f"a list (`{key}` of the map)", found)
        if not found:
            raise where.error("at least one", found)
        return [_Here(where.at(i), value, self._hits) for i, value in enumerate(found)]


def _whole(path: Path) -> Iterator[tuple[Place, int, Json] | ReadError]:
    value = read_json(path)
    yield value if isinstance(value, ReadError) else (Place(path), 0, value)


def _outcome(record: _Here, wanted: SuccessMap | None) -> tuple[bool | None, str | None]:
    """Return whether a run succeeded, and what says so; None where nothing does."""
    if wanted is None or (found := record.find("success", wanted.path)) is None:
        return None, None
    success = _meaning(record.place.at(wanted.path), wanted, found)
    if success is None:
        return None, None
    return success != wanted.inverted, f"map.success: {wanted.path}"


def _meaning(place: Place, wanted: SuccessMap, found: Json) -> bool | None:
    if wanted.equals is not None or wanted.fails is not None:
        fails = wanted.fails is not None and _is_among(found, wanted.fails)
        if fails or (wanted.equals is not None and _is_among(found, wanted.equals)):
            return not fails
        return False if wanted.fails is None else None
    if wanted.at_least is not None or wanted.at_most is not None:
        number = place.number(found)
        least = wanted.at_least is None or number >= wanted.at_least
        return least and (wanted.at_most is None or number <= wanted.at_most)
    if not isinstance(found, bool):
        raise place.error("true, false or null; other values need `equals`, `fails`, `at_least` or `at_most`", found)
    return found


def _is_among(found: Json, values: tuple[str | bool | int | float, ...]) -> bool:
    """Compare without taking true for 1."""
    return any(found == value and isinstance(found, bool) == isinstance(value, bool) for value in values)


def _steps(record: _Here, wanted: RunMap, goal: str | None) -> tuple[tuple[Step, ...], JsonObject]:
    """Return the steps of a run, the system text and the prompt that lie apart before them; and labels."""
    labels: JsonObject = {}
    system, prompt = record.text("system", wanted.system), record.text("prompt", wanted.prompt)
    if wanted.steps is not None:
        prompt = goal if prompt is None else prompt
        steps = [
            _agent_step(step, i, wanted.steps)
            for i, step in enumerate(record.members("steps.path", wanted.steps.path), start=1)
        ]
        if answer := record.printed("answer", wanted.answer):
            steps.append(Step(step_id=1, source="agent", message=answer))
    else:
        chat = wanted.messages or MessagesMap(path="@")
        messages = [_message(m, chat) for m in record.members("messages.path", chat.path)]
        made, labels = chat_steps(record.place.at(chat.path), messages)
        steps = list(made)
    if prompt:
        steps.insert(0, Step(step_id=1, source="user", message=prompt))
    if system:
        steps.insert(0, Step(step_id=1, source="system", message=system))
    return tuple(step.model_copy(update={"step_id": n}) for n, step in enumerate(steps, start=1)), labels


def _agent_step(here: _Here, number: int, wanted: StepsMap) -> Step:
    call = _call(here, f"call_{number}", wanted)
    thought = here.text("steps.thought", wanted.thought)
    message = here.text("steps.message", wanted.message)
    seen = here.printed("steps.observation", wanted.observation)
    if call is None and not thought and not message and seen is None:
        raise here.place.error("a thought, a message, an action or an observation where the map says", here.value)
    call_id = None if call is None else call.tool_call_id
    return Step(
        step_id=number,
        source="agent",
        message=message or "",
        reasoning=thought or None,
        tool_calls=() if call is None else (call,),
        observations=() if seen is None else (Observation(content=seen, source_call_id=call_id),),
    )


def _call(here: _Here, call_id: str, wanted: StepsMap) -> ToolCall | None:
    if wanted.action is None:
        name = here.text("steps.call_name", wanted.call_name)
        arguments = here.find("steps.call_arguments", wanted.call_arguments)
        if name is None and arguments is not None:
            raise here.place.at(wanted.call_name or "").error("text (`steps.call_name` of the map)", name)
        return ToolCall(tool_call_id=call_id, function_name=name, arguments=arguments_text(arguments)) if name else None
    text = here.text("steps.action", wanted.action)
    if not text:
        return None
    name = wanted.tool
    if name is None:
        react = _REACT.fullmatch(text)
        if react is None:
            raise here.place.at(wanted.action).error("`Name[text]`, or `tool` in the map", text)
        name, text = react.groups()
    arguments_object: JsonObject = {wanted.argument: text}
    return ToolCall(tool_call_id=call_id, function_name=name, arguments=orjson.dumps(arguments_object).decode())


def _message(here: _Here, wanted: MessagesMap) -> Json:
    """Return a message under OpenAI's names."""
    if not isinstance(here.value, dict):
        return here.value
    made = dict(here.value)
    for key in _OWN_NAMES:
        if (path := getattr(wanted, key)) is not None:
            made[key] = here.find(f"messages.{key}", path)
    if wanted.reasoning is not None:
        made["reasoning_content"] = here.find("messages.reasoning", wanted.reasoning)
    if wanted.answers is not None:
        made["tool_call_id"] = here.find("messages.answers", wanted.answers)
    role = made.get("role")
    made["role"] = role = wanted.roles.get(role, role) if isinstance(role, str) else role
    if role == "tool" and not _is_content(made.get("content")):
        made["content"] = orjson.dumps(made["content"]).decode()
    if not made.get("tool_calls"):
        made.pop("tool_calls", None)
    elif role == "assistant":
        made["tool_calls"] = [
            _message_call(call, wanted)
            for call in here.members("messages.tool_calls", wanted.tool_calls or "tool_calls")
        ]
    return made


def _is_content(content: Json) -> bool:
    """Tell whether this is text or a list of content parts, and no result in JSON."""
    parts = content if isinstance(content, list) else []
    return (
        content is None
        or isinstance(content, str)
        or (bool(parts) and all(isinstance(p, dict) and "type" in p for p in parts))
    )


def _message_call(call: _Here, wanted: MessagesMap) -> Json:
    """Return a call in OpenAI's form, as it stands where the map says nothing of calls."""
    if wanted.call_name is None and wanted.call_arguments is None and wanted.call_id is None:
        return call.value
    name = call.text("messages.call_name", wanted.call_name or "function.name || name", needed=True)
    arguments = call.find("messages.call_arguments", wanted.call_arguments or "function.arguments || arguments")
    made: JsonObject = {"name": name, "arguments": arguments}
    if (call_id := call.name("messages.call_id", wanted.call_id or "id")) is not None:
        made["id"] = call_id
    return made
