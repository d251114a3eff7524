"""The environment that a run's own record makes: its calls of documented tools, each with what came back.

A recording stands for an environment only where the same call is always answered in the same way and another agent could make
it: tools that are documented, arguments that are values and no free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agenther.conclusions import Example
from agenther.record import JsonObject, canonical_json
from agenther.replay import Setting
from agenther.tasks.base import RECORDED, SetAside, TaskCall, Unfit, kept_steps
from agenther.tasks.harness import call_key
from agenther.trajectory import Trajectory

LONGEST_ARGUMENT = 120
PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]{2,}(?:_\d+)?>")
"""What redaction leaves in the place of secrets and personal data."""
_FREE = frozenset("command cmd code query sql script program statement keystrokes input".split())
_LOOKS = re.compile(
    r"(?:get|find|list|search|look|check|calculate|think|fetch|read|show|view|verify|query|retrieve|count|describe"
    r"|authenticate|identify|convert|transfer_to)(?:_|$|[A-Z])",
    re.IGNORECASE,
)


def recording_of(example: Example, run: Trajectory) -> Setting | SetAside:
    """Return the environment that the kept calls of a run make; or why they make none."""
    known = _documented(run)
    responses: JsonObject = {}
    for call, answer in kept_calls(example, run):
        if call is None or call.name not in known:
            return SetAside(Unfit.FREE_TEXT, "a call is no call of a documented tool")
        if PLACEHOLDER.search(canonical_json(call.arguments).decode()) is not None:
            return SetAside(Unfit.REDACTED, f"the arguments of {call.name} hold what was redacted")
        if any(name.casefold() in _FREE or _is_long(value) for name, value in call.arguments.items()):
            return SetAside(Unfit.FREE_TEXT, f"{call.name} takes a free text: a recording answers one wording alone")
        if responses.setdefault(call_key(call.name, call.arguments), answer) != answer:
            return SetAside(Unfit.NOT_RECORDED, f"the same call of {call.name} was answered in two ways")
    if not responses:
        return SetAside(Unfit.NOT_RECORDED, "no call was recorded with its answer")
    return Setting(kind=RECORDED, initial={"responses": responses, "effects": [*effects_of(run)]})


def effects_of(run: Trajectory) -> list[str]:
    """Return the names of the tools that change something, of those that are documented or were called."""
    called = {call.function_name for step in run.agent_steps for call in step.tool_calls}
    return sorted(name for name in _documented(run) | called if changes_something(name))


def _documented(run: Trajectory) -> set[str]:
    return {str(name) for schema in run.tools if (name := _name(schema)) is not None}


def kept_calls(example: Example, run: Trajectory) -> Iterator[tuple[TaskCall | None, str]]:
    """Yield the calls of the kept steps with what came back; None for one whose arguments are no object."""
    for step in kept_steps(example, run):
        answers = {o.source_call_id: o.content for o in step.observations if o.source_call_id}
        paired = len(step.observations) == len(step.tool_calls)
        for number, call in enumerate(step.tool_calls):
            answer = answers.get(call.tool_call_id) if call.tool_call_id else None
            if answer is None and paired:
                answer = step.observations[number].content
            if answer is None:
                continue
            sound = call.at is None and (call.values or call.arguments.strip() in ("", "{}"))
            yield (TaskCall(name=call.function_name, arguments=call.values) if sound else None), answer


def changes_something(name: str) -> bool:
    """Tell by its name whether a tool does more than look something up."""
    return _LOOKS.match(name) is None


def oracle_calls(calls: Iterable[tuple[TaskCall | None, str]]) -> tuple[TaskCall, ...]:
    """Return calls without their answers."""
    return tuple(call for call, _ in calls if call is not None)


def _name(schema: JsonObject) -> object:
    function = schema.get("function")
    return function.get("name") if isinstance(function, dict) else schema.get("name")


def _is_long(value: object) -> bool:
    return isinstance(value, str) and (len(value) > LONGEST_ARGUMENT or "\n" in value)
