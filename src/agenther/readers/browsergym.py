"""What the readers of BrowserGym runs share: turns in, steps out; actions written as Python calls; a run's summary.

An action is parsed, never evaluated. Its effect is the page of the next turn.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson

from agenther.readers.base import locate_opening_goal
from agenther.record import Json, JsonObject
from agenther.texts import storable
from agenther.trajectory import Observation, Span, Step, ToolCall

_CLICK = ("bid", "button", "modifiers")
_AT = ("x", "y", "button")
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("click", "dblclick"), _CLICK),
    **dict.fromkeys(("hover", "check", "uncheck", "focus", "clear"), ("bid",)),
    "fill": ("bid", "value", "enable_autocomplete_menu"),
    "select_option": ("bid", "options"),
    "press": ("bid", "key_comb"),
    "drag_and_drop": ("from_bid", "to_bid"),
    "upload_file": ("bid", "file"),
    "scroll": ("delta_x", "delta_y"),
    "scroll_at": ("x", "y", "dx", "dy"),
    "mouse_move": ("x", "y"),
    **dict.fromkeys(("mouse_up", "mouse_down", "mouse_click", "mouse_dblclick"), _AT),
    "mouse_drag_and_drop": ("from_x", "from_y", "to_x", "to_y"),
    "mouse_upload_file": ("x", "y", "file"),
    **dict.fromkeys(("keyboard_press", "keyboard_up", "keyboard_down"), ("key",)),
    **dict.fromkeys(("keyboard_type", "keyboard_insert_text"), ("text",)),
    "goto": ("url",),
    "tab_focus": ("index",),
    "send_msg_to_user": ("text",),
    "report_infeasible": ("reason",),
    "noop": ("wait_ms",),
}
"""Actions that take arguments, with the names of these in their order; others are called with names or without any."""
_LONGEST = 20_000
"""An action with more characters is not parsed: Python's parser takes memory out of proportion."""
_UNPARSABLE = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Page:
    """A page as the agent saw it; None where the log does not say."""

    url: str | None = None
    title: str | None = None
    error: str | None = None
    """How the action failed that led here; empty or None when it did not."""
    text: str | None = None
    """Accessibility tree or HTML."""

    def show(self) -> str:
        """Return the page as text: URL, title and error, a blank line, the content."""
        told = (("URL", self.url), ("Title", self.title), ("Error", self.error))
        head = [f"{name}: {' '.join(value.split())}" for name, value in told if value and value.strip()]
        return "\n".join((*head, "", self.text or ""))


@dataclass(frozen=True)
class Turn:
    """A page, and what the agent did on it."""

    page: Page | None = None
    thought: str | None = None
    action: str | None = None
    """None at the end, and where the agent found no action."""
    said: tuple[str, ...] = ()
    """What the user has said in the chat since the turn before."""


@dataclass
class WebRun:
    """The steps of a run: the goal with the first page, then the agent's turns, each with the page after it."""

    steps: list[Step] = field(default_factory=list[Step])
    goal_at: tuple[Span, ...] = ()
    shown_at: tuple[Span, ...] = ()
    labels: JsonObject = field(default_factory=dict[str, Json])


def build_steps(goal: str, turns: Sequence[Turn]) -> WebRun:
    """Build the steps of a run from its goal and its turns, neither of them empty."""
    run = WebRun()
    page = turns[0].page
    opening = goal if page is None else f"{goal}\n\n{page.show()}"
    run.steps.append(Step(step_id=1, source="user", message=opening))
    if page is not None:
        run.shown_at = (Span(step=1, field="message", start=len(goal) + 2, end=len(opening)),)
    for i, turn in enumerate(turns):
        if i and turn.said:
            _add_said(run, turn)
        if turn.action is not None or (turn.thought or "").strip():
            after = turns[i + 1].page if i + 1 < len(turns) else None
            run.steps.append(_agent_step(len(run.steps) + 1, turn, after))
    textless = sum(turn.page is not None and not turn.page.text for turn in turns)
    run.labels |= {"pages_without_text": textless} if textless else {}
    run.goal_at = locate_opening_goal(tuple(run.steps), goal)
    return run


def _add_said(run: WebRun, turn: Turn) -> None:
    """Add what the user said, where the agent went on after it; at the end it is a comment on the run."""
    said = "\n\n".join(turn.said)
    if turn.action is None:
        run.labels["last_user_message"] = said
    else:
        run.steps.append(Step(step_id=len(run.steps) + 1, source="user", message=said))


def _agent_step(number: int, turn: Turn, after: Page | None) -> Step:
    made = calls_in(turn.action or "")
    calls = tuple(
        ToolCall(tool_call_id=f"call_{number}_{i}", function_name=name, arguments=arguments)
        for i, (name, arguments) in enumerate(made, start=1)
    )
    pages = ("",) * (len(calls) - 1) + ("" if after is None else after.show(),)
    observations = tuple(
        Observation(content=content, source_call_id=call.tool_call_id)
        for call, content in zip(calls, pages, strict=False)
        if after is not None
    )
    if not calls and after is not None:
        observations = (Observation(content=after.show(), role="user"),)
    return Step(step_id=number, source="agent", reasoning=turn.thought, tool_calls=calls, observations=observations)


def calls_in(action: str) -> tuple[tuple[str, str], ...]:
    """Return name and arguments (JSON) of each call in an action; text that is no such calls becomes one call of `python`."""
    if not action.strip():
        return ()
    try:
        if len(action) > _LONGEST:
            raise ValueError("too long")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(action.strip()).body
        return tuple(_call(statement) for statement in body) or (_raw(action),)
    except _UNPARSABLE:
        return (_raw(action),)


def _raw(action: str) -> tuple[str, str]:
    return "python", orjson.dumps({"code": storable(action.strip())}).decode()


def _call(statement: ast.stmt) -> tuple[str, str]:
    """Return a call of a plain name with literal arguments; raises ValueError or TypeError for anything else."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError("no call")
    known = _ARGUMENTS.get(call.func.id, ())
    names = (*known, *(f"arg{i}" for i in range(len(known) + 1, len(call.args) + 1)))
    arguments: dict[str, object] = {
        name: cast(object, ast.literal_eval(value)) for name, value in zip(names, call.args, strict=False)
    }
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in arguments:
            raise ValueError("no argument of its own")
        arguments[keyword.arg] = cast(object, ast.literal_eval(keyword.value))
    return call.func.id, orjson.dumps(arguments).decode()


def outcome(summary: JsonObject) -> tuple[bool | None, float | None, JsonObject]:
    """Return success, reward and labels of a run from its summary.

    All rewards together are 1 or more: success. A run that broke before its end is neither; a run that was cut off failed, and
    its labels say that it was cut off.
    """
    given = summary.get("cum_reward")
    reward = float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None
    labels: JsonObject = {
        name: summary[name]
        for name in ("n_steps", "terminated", "truncated")
        if isinstance(summary.get(name), bool | int)
    }
    error = summary.get("err_msg")
    if error:
        labels["harness_error"] = error if isinstance(error, str) else "an error without a text"
    if reward is None:
        return None, None, labels
    if reward >= 1 - _ROUNDING:
        return True, reward, labels
    return None if error and not summary.get("terminated") else False, reward, labels
