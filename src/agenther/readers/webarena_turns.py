"""What the two readers of the original WebArena share: recorded turns in, the steps of a run and its ending out.

A turn is a page, what the model wrote on it, and what the harness made of that. The last turn may be the harness's own: it
stops a run that takes too long, or whose model failed. That is no step of the agent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from agenther.readers.base import Place
from agenther.readers.webarena_actions import WebAction, taken_action
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Span, Step, ToolCall

_STOPPED = re.compile(r"stop \[(?P<why>Early stop|ERROR): ?(?P<detail>.*)\]\s*\Z", re.DOTALL)
_LIMIT = re.compile(r"Reach max steps (?P<limit>\d{1,6})\b")
_LONGEST_ERROR = 500
_NO_ANSWER = "N/A"
"""The right answer of a task that cannot be done."""


@dataclass(frozen=True)
class Turn:
    """A page and what was done on it."""

    url: str
    page: str
    """The page as the agent saw it."""
    wrote: str
    """What the model wrote; empty when the harness acted."""
    printed: str | None = None
    """The action as the harness printed it; None when the log does not say."""
    error: str = ""
    """What the harness told the agent about this action having failed; empty when nothing."""


@dataclass(frozen=True)
class Built:
    """The steps of a run, where its first page stands, and how it ended."""

    steps: tuple[Step, ...]
    shown_at: tuple[Span, ...]
    ending: JsonObject
    """Labels; empty when the agent stopped by itself."""


def build(place: Place, goal: str, turns: Sequence[Turn]) -> Built:
    """Build the steps of a run.

    Raises:
        ReadError: there is no turn of an agent.
    """
    ending = _ending(turns[-1]) if turns else {}
    acted = turns[:-1] if ending else turns
    if not acted:
        raise place.error("at least one turn of an agent", ending or "none")
    first = _shown(turns[0])
    steps = [Step(step_id=1, source="user", message=f"{goal}\n\n{first}")]
    for number, turn in enumerate(acted, start=2):
        after = turns[number - 1] if number - 1 < len(turns) else None
        steps.append(_step(number, turn, after))
    start = len(goal) + 2
    shown = Span(step=1, field="message", start=start, end=start + len(first))
    return Built(tuple(steps), (shown,), ending)


def stopped(steps: Sequence[Step]) -> bool:
    """Tell whether the agent ended its run itself."""
    return any(call.function_name == "stop" for call in steps[-1].tool_calls)


def right_answer(kinds: Json, answers: Json) -> JsonObject:
    """Return the right answer as a label, where the answer alone is judged, and by its words; else nothing."""
    if kinds != ["string_match"] or not isinstance(answers, dict):
        return {}
    right = answers.get("exact_match", answers.get("must_include"))
    if _NO_ANSWER in (right, answers.get("fuzzy_match")):
        return {"achievable": False}
    return {} if right is None else {"reference": right}


def _ending(turn: Turn) -> JsonObject:
    """Return what the harness says where it stopped the run; empty where the agent acted.

    A limit of steps is the harness's own. An agent that it stopped for repeating itself, or for writing no action, failed.
    """
    found = _STOPPED.match((turn.wrote or turn.printed or "").strip())
    if found is None:
        return {}
    detail = found["detail"].strip()[:_LONGEST_ERROR]
    if found["why"] == "ERROR":
        return {"harness_error": detail}
    limit = _LIMIT.match(detail)
    return {"terminate_reason": detail} | ({"truncated": True, "max_steps": int(limit["limit"])} if limit else {})


def _shown(turn: Turn, error: str = "") -> str:
    told = f"Error: {' '.join(error.split())}\n" if error else ""
    return f"URL: {turn.url}\n{told}\n{turn.page}"


def _step(number: int, turn: Turn, after: Turn | None) -> Step:
    action = taken_action(turn.wrote, turn.printed)
    call = None if action is None else _call(number, action)
    seen = () if after is None else (_observation(_shown(after, turn.error), call),)
    return Step(
        step_id=number,
        source="agent",
        message=turn.wrote,
        thought_at=_thought(turn.wrote, call),
        tool_calls=() if call is None else (call,),
        observations=seen,
    )


def _call(number: int, action: WebAction) -> ToolCall:
    return ToolCall(
        tool_call_id=f"call_{number}",
        function_name=action.name,
        arguments=orjson.dumps(action.arguments).decode(),
        at=action.at,
    )


def _observation(text: str, call: ToolCall | None) -> Observation:
    """Return what came back: a user turn, unless the call was not written in the text."""
    structured = call is not None and call.at is None
    return Observation(
        content=text,
        source_call_id=None if call is None else call.tool_call_id,
        role="tool" if structured else "user",
    )


def _thought(text: str, call: ToolCall | None) -> tuple[tuple[int, int], ...]:
    """Return the place of what a turn says before its action and the fence that opens it."""
    if call is None or call.at is None:
        return ()
    before = text[: call.at[0]].rstrip()
    end = len(before.removesuffix("```").rstrip()) if before.endswith("```") else len(before)
    return ((0, end),) if end else ()
