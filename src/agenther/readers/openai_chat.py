"""OpenAI runs: JSON or JSONL, each record an object around a list of messages, the bare list, or a call of the Responses API.

Read from a record: the messages under `messages`, `trajectory`, `conversation` or `conversations`; `tools` (or the older
`functions`), as a list or as JSON text; `system`, where Anthropic's dialect keeps it; `goal`, `id`, `task_id`, `success`,
`reward`, `model`, `metadata`, `environment`, `gold_calls`. Without a `goal` the first user message is the goal. Without
`success` a reward of 1 or more is a success, a smaller one a failure. In place of messages, items of the Responses API stand
under `input` and `output`, with `instructions` for the system text. How single messages are read belongs to `chat`, items to
`responses`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.archive import ZIP_MARK
from agenther.readers.base import Place, locate_goal, run_id, source
from agenther.readers.chat import chat_steps
from agenther.readers.content import content_text, tool_schemas
from agenther.readers.records import Build, Found, RecordReader
from agenther.readers.responses import response_steps
from agenther.record import Json, JsonObject
from agenther.trajectory import Step, Trajectory

MESSAGE_KEYS = ("messages", "trajectory", "conversation", "conversations")
_LIST_KEY = re.compile(
    rb'"(?:messages|trajectory|conversations?)"\s*:\s*\[\s*\{\s*"(?:role|content|name|id|index|step)"'
)
_ITEMS = re.compile(rb'"output"\s*:\s*\[\s*\{')
_ITEM = re.compile(rb'"type"\s*:\s*"(?:message|reasoning|\w+_call)"')
_BARE = re.compile(rb'\s*\[\s*(?:\[\s*)?\{\s*"(?:role|content)"')
_ROLE = re.compile(rb'"role"\s*:\s*"(?:system|developer|user|assistant|tool|function)"')
_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class OpenAIChatReader(RecordReader):
    """Reads runs kept as OpenAI chat messages."""

    format = "openai"
    about = "OpenAI chat messages or Responses, Anthropic messages, with tools; labelled by `success` or `reward` if it is there"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a list of messages at the top of a record, or at the top of the file, or for items beside an input."""
        if head.startswith(ZIP_MARK):
            return False
        if b'"input"' in head and _ITEM.search(head) and _stands_at_top(_ITEMS.search(head), head):
            return True
        return bool(_ROLE.search(head)) and (bool(_BARE.match(head)) or _stands_at_top(_LIST_KEY.search(head), head))

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run

    def records(self, path: Path) -> Iterator[Found | ReadError]:
        """Yield the records of a file; one that holds one bare list of messages is one record, when it is whole."""
        bare: list[Json] = []
        whole = True
        for item in super().records(path):
            whole = whole and not isinstance(item, ReadError)
            if not isinstance(item, ReadError) and _is_message(item[2]):
                bare.append(item[2])
            else:
                yield item
        if bare and whole:
            yield Place(path), 0, bare


def _stands_at_top(found: re.Match[bytes] | None, head: bytes) -> bool:
    return found is not None and _depth(head[: found.start()]) <= 2


def _depth(text: bytes) -> int:
    """Count the brackets that stand open at the end of a piece of JSON."""
    brackets = (token for token in _BRACKET.findall(text) if len(token) == 1)
    return sum(1 if bracket in b"[{" else -1 for bracket in brackets)


def _is_message(value: Json) -> bool:
    return isinstance(value, dict) and "role" in value and not any(key in value for key in MESSAGE_KEYS)


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record: JsonObject = {"messages": value} if isinstance(value, list) else place.obj(value)
    steps, labels = _steps(place, record, is_bare=isinstance(value, list))
    goal = _goal(place, record, steps)
    success, reward, label_source = _outcome(place, record)
    if "metadata" in record:
        labels["metadata"] = record["metadata"]
    setting = record.get("environment")
    if isinstance(setting, dict) and "kind" in setting:
        labels["environment"] = setting
    if isinstance(record.get("gold_calls"), list):
        labels["gold_calls"] = record["gold_calls"]
    name = record.get("id")
    return Trajectory(
        id=str(name) if isinstance(name, str | int) else run_id(place.path, index),
        source=source(place.path, "openai", index),
        task_id=_text_or_none(record.get("task_id")),
        goal=goal,
        goal_at=locate_goal(steps, goal),
        tools=_tools(place, record),
        steps=steps,
        success=success,
        reward=reward,
        label_source=label_source,
        labels=labels,
        agent=_text_or_none(record.get("model")),
    )


def _steps(place: Place, record: JsonObject, *, is_bare: bool) -> tuple[tuple[Step, ...], JsonObject]:
    key = next((key for key in MESSAGE_KEYS if key in record), None)
    if key is None and "output" in record and "input" in record:
        return response_steps(place, record)
    if key is None:
        raise place.error(f"one of the fields {', '.join(MESSAGE_KEYS)}", sorted(record))
    listed = place if is_bare else place.at(key)
    messages = listed.list(record[key])
    if not messages:
        raise listed.error("at least one message", [])
    steps, labels = chat_steps(listed, messages)
    return _with_system(place.at("system"), record.get("system"), steps), labels


def _with_system(place: Place, system: Json, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps behind the system text that a record keeps beside its messages, if it does."""
    text = content_text(place, system, []) if isinstance(system, str | list) else ""
    if not text or steps[0].source == "system":
        return steps
    moved = (step.model_copy(update={"step_id": step.step_id + 1}) for step in steps)
    return (Step(step_id=1, source="system", message=text), *moved)


def _text_or_none(value: Json) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def _goal(place: Place, record: JsonObject, steps: tuple[Step, ...]) -> str:
    if record.get("goal") is not None:
        return place.at("goal").str(record["goal"])
    return next((step.message for step in steps if step.source == "user"), "")


def _outcome(place: Place, record: JsonObject) -> tuple[bool | None, float | None, str | None]:
    raw, success = record.get("reward"), record.get("success")
    reward = None if raw is None else place.at("reward").number(raw)
    if success is not None and not isinstance(success, bool):
        raise place.at("success").error("true, false or null", success)
    if success is not None:
        return success, reward, "openai.success"
    return (None, None, None) if reward is None else (reward >= 1, reward, "openai.reward")


def _tools(place: Place, record: JsonObject) -> tuple[JsonObject, ...]:
    key = "functions" if record.get("tools") is None else "tools"
    return tool_schemas(place.at(key), record.get(key))
