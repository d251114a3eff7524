"""Which errors make a call worse than another that worked: the environment refused it, and the agent was to blame.

A crash is no such error where programs are run in a shell: to reproduce a bug is to crash. Nor is a service that did not
answer, or an output that holds more than the error. And only a look-up that showed something is known to have worked: a
change without an error may be the wrong one.
"""

from __future__ import annotations

import re
from itertools import islice

from agenther.stages.detect.errors import error_at, is_only_error
from agenther.stages.language import household
from agenther.stages.language.deeds import why_no_change
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.shell.calls import command_of
from agenther.stages.language.shell.wrappings import unwrap
from agenther.stages.recording import error_code
from agenther.trajectory import Span, Step, ToolCall, Trajectory

_BLAMELESS = re.compile(
    r"time[d ]?\s?-?out|rate.?limit|too many requests|quota|temporar|unavailable|connection|network|overloaded|try again later"
    r"|unauthorized|forbidden|api.?key|subscri|server error|gateway|service|\b(?:401|403|429|50[0-4])\b|out of memory|disk",
    re.IGNORECASE,
)
"""What a service says that did not answer, or not this caller."""
_OF_THE_CALL = (1, 2)
"""Codes of ToolBench that blame the call: no such function, bad input."""
_EMPTY = re.compile(r"(?:\W|None|null|Observation:)*")
"""A result without a value: no rows, an empty list, nothing printed."""
_SILENT = re.compile(
    r"\bno (?:output|results?|rows?|records?|match(?:es)?|data|such)\b|\bnot found\b|\bnothing found\b", re.IGNORECASE
)
_CRASH = ("Traceback (", 'File "')
_RUNNERS = re.compile(r"python|pytest|node\b|npm|make\b|tox|cargo|go\b|mvn|gradle|ruby|perl|java|bash\b|sh\b|\./")
"""Programs that run others: what these print is no refusal."""


def refusal_of(run: Trajectory, step: Step) -> Span | None:
    """Return where a turn's results say that all of its calls were refused, or None where they do not."""
    if not step.tool_calls or len(step.observations) != len(step.tool_calls):
        return None
    spans = [_refusal(run, step, number) for number in range(len(step.observations))]
    return spans[0] if all(spans) else None


def _refusal(run: Trajectory, step: Step, number: int) -> Span | None:
    text, call = step.observations[number].content, step.tool_calls[number]
    found = error_at(text)
    code = error_code(run, step)
    if code is not None and code not in _OF_THE_CALL:
        return None
    if found is None or not is_only_error(text, found) or _BLAMELESS.search(text):
        return None
    if command_of(call) is not None and (any(mark in text for mark in _CRASH) or _RUNNERS.match(_program(call))):
        return None
    if any(event.kind != "refused" for event in household.events(step)):
        return None
    return Span(step=step.step_id, field=f"observations[{number}].content", start=found[0], end=found[1])


def has_worked(run: Trajectory, step: Step) -> bool:
    """Tell whether a turn made calls that all showed something, told of no error and changed nothing."""
    if not step.tool_calls or len(step.observations) != len(step.tool_calls) or error_code(run, step) is not None:
        return False
    if any(event.kind in ("refused", *household.CHANGES) for event in household.events(step)):
        return False
    return all(
        _shows_something(one.content) and why_no_change(run, step, number) is not None
        for number, one in enumerate(step.observations)
    )


def _shows_something(text: str) -> bool:
    printed = unwrap(text)
    if printed.complained or error_at(text) or is_error(text):
        return False
    return _EMPTY.fullmatch(printed.text) is None and _SILENT.search(printed.text) is None


def same_use(one: Step, other: Step) -> bool:
    """Tell whether two turns use the same tools, and in a shell the same programs."""
    return [_kind(call) for call in one.tool_calls] == [_kind(call) for call in other.tool_calls]


def _kind(call: ToolCall) -> str:
    return f"{call.function_name} {_program(call)}"


def _program(call: ToolCall) -> str:
    """Return the program that a shell command begins with; empty for other calls."""
    words = (command_of(call) or "").split()
    return next(islice((word for word in words if "=" not in word and word != "sudo"), 1), "")
