"""Agent Data Protocol, standardized form: records `{id, content: [{class_, ...}], details}`.

An action is an agent turn, the observation after it what came back, whoever it is said to be from. The protocol closes a
won run with a word of praise and a `<finish>` message: the praise is taken out and kept as the verdict that labels the run.
The goal is the first user text, or the issue that it marks inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.readers.base import Place, locate_goal, run_id, source
from agenther.readers.content import arguments_text
from agenther.readers.records import Build, RecordReader
from agenther.readers.swe_agent import issue_of
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_SNIFF = re.compile(rb'"class_"\s*:\s*"(?:text_observation|web_observation|code_action|api_action|message_action)"')
_SHELLS = frozenset({"bash", "sh", "shell"})
_PRAISE = re.compile(
    r"(?i)\A(?=[^\n]{1,120}\s*\Z)(?!.*\b(?:not|n't|fail\w*|incorrect|wrong|ran|command)\b)"
    r".*\b(?:verified as correct|satisf\w+|task|success\w*|well done|congratulations)\b"
)


class AdpReader(RecordReader):
    """Reads standardized Agent Data Protocol files."""

    format = "adp"
    about = "Agent Data Protocol, standardized JSON or JSONL; labelled by the closing verdict when there is one"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the class of an action or observation."""
        return bool(_SNIFF.search(head))

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    listed = place.at("content")
    content = [listed.at(i).obj(item) for i, item in enumerate(listed.list(record.get("content")))]
    if not content:
        raise listed.error("at least one action or observation", [])
    praise = _praise(content)
    steps = tuple(_steps(listed, content, None if praise is None else len(content) - 2))
    goal = issue_of(next((step.message for step in steps if step.source == "user"), ""))
    details, name = record.get("details"), record.get("id")
    labels: JsonObject = {"details": details} if isinstance(details, dict) and details else {}
    labels |= {"verdicts": [praise]} if praise is not None else {}
    return Trajectory(
        id=name if isinstance(name, str) and name else run_id(place.path, index),
        source=source(place.path, "adp", index),
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=None if praise is None else True,
        label_source=None if praise is None else "adp.verdict",
        labels=labels,
    )


def _praise(content: list[JsonObject]) -> str | None:
    """Return the verdict: a line of praise from the user between the last action and a closing `<finish>` message."""
    if len(content) < 3:
        return None
    before, praise, last = content[-3:]
    text, closing = praise.get("content"), last.get("content")
    ends = last.get("class_") == "message_action" and isinstance(closing, str) and closing.startswith("<finish>")
    said = praise.get("class_") == "text_observation" and praise.get("source") == "user"
    acted = before.get("class_") in ("api_action", "code_action", "message_action")
    return text if ends and said and acted and isinstance(text, str) and _PRAISE.match(text) else None


def _steps(place: Place, content: list[JsonObject], left_out: int | None) -> Iterator[Step]:
    """Yield the steps; what follows a call joins its turn."""
    agent: Step | None = None
    number = 0
    for i, item in enumerate(content):
        if i == left_out:
            continue
        where, kind = place.at(i), item.get("class_")
        if kind == "text_observation" and agent is not None and agent.tool_calls:
            yield agent.model_copy(update={"observations": (_observation(where, item, agent),)})
            agent = None
            continue
        if agent is not None:
            yield agent
            agent = None
        number += 1
        if kind == "text_observation":
            yield Step(step_id=number, source="user", message=where.at("content").str(item.get("content")))
        else:
            agent = _agent_step(where, item, number)
    if agent is not None:
        yield agent


def _observation(place: Place, item: JsonObject, agent: Step) -> Observation:
    text = place.at("content").str(item.get("content"))
    return Observation(content=text, source_call_id=agent.tool_calls[0].tool_call_id)


def _agent_step(place: Place, item: JsonObject, number: int) -> Step:
    match item.get("class_"):
        case "message_action":
            return Step(step_id=number, source="agent", message=place.at("content").str(item.get("content")))
        case "code_action":
            name, arguments = _code(place, item)
        case "api_action":
            name, arguments = place.at("function").str(item.get("function")), arguments_text(item.get("kwargs"))
        case kind:
            raise place.at("class_").error("text_observation, code_action, api_action or message_action", kind)
    call = ToolCall(tool_call_id=f"call_{number}", function_name=name, arguments=arguments)
    said = item.get("description")
    message = said if isinstance(said, str) else ""
    return Step(step_id=number, source="agent", message=message, tool_calls=(call,))


def _code(place: Place, item: JsonObject) -> tuple[str, str]:
    """Return the tool and arguments that run a piece of code."""
    language = place.at("language").str(item.get("language"))
    code = place.at("content").str(item.get("content"))
    return language, orjson.dumps({"command" if language in _SHELLS else "code": code}).decode()
