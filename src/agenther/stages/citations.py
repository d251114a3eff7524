"""What a model cites as evidence: where it stands in the run, and whether it shows anything.

That a quote stands in a step at all belongs to `quotes`. Whether it means what is said of it is for judges.
"""

from __future__ import annotations

from collections.abc import Iterable

from agenther.conclusions import Reason
from agenther.record import Record
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.shell.calls import answer_index, command_of
from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.words import content_stems
from agenther.stages.quotes import bare, locate
from agenther.stages.recording import error_code
from agenther.stages.verify.leaks import text_of_call
from agenther.trajectory import Span, Step, Trajectory

_AROUND = 300
"""Characters of a line on each side of a quote that are read with it."""


class Quote(Record):
    """Characters that a model says it has read in a step."""

    step: int
    quote: str


def place_of(trajectory: Trajectory, step: int, quote: str) -> Span | None:
    """Return where a quote stands: in an observation, but for one that only repeats the call, in the call."""
    span = locate(trajectory, step, quote)
    if span is None or span.field.startswith("tool_calls[") or not is_echo(trajectory, span):
        return span
    return locate(trajectory, step, quote, ("tool_calls",)) or span


def why_no_evidence(trajectory: Trajectory, span: Span) -> tuple[Reason, str] | None:
    """Return why a cited place shows nothing: its call failed or came back with nothing, or it is a mere echo; else None."""
    step = trajectory.step(span.step)
    if (code := error_code(trajectory, step)) is not None:
        return Reason.EVIDENCE_FAILED, f"the call of step {span.step} has the code {code}"
    if span.field.startswith("tool_calls["):
        why = _why_no_result(step, span)
        return None if why is None else (Reason.EVIDENCE_FAILED, f"the cited call of step {span.step} {why}")
    if not span.field.startswith("observations["):
        return Reason.UNGROUNDED, f"step {span.step}: the agent's own words are no evidence"
    if is_error(step.text_of(span.field)):
        return Reason.EVIDENCE_FAILED, f"the cited observation of step {span.step} is an error"
    if is_echo(trajectory, span):
        said = bare(trajectory.text_at(span))[:80]
        return Reason.UNGROUNDED, f"step {span.step}: {said!r} only repeats the call or the task"
    return None


def cited_calls(trajectory: Trajectory, spans: Iterable[Span]) -> tuple[tuple[Step, int], ...]:
    """Return the calls, as steps and indices, whose arguments or whose answers are cited."""
    found: dict[tuple[int, int], tuple[Step, int]] = {}
    for span in spans:
        step = trajectory.step(span.step)
        for number in range(len(step.tool_calls)):
            index = answered_by(step, number)
            answer = None if index is None else f"observations[{index}].content"
            if span.field in (f"tool_calls[{number}].arguments", answer):
                found[step.step_id, number] = (step, number)
    return tuple(found[at] for at in sorted(found))


def call_number(span: Span) -> int:
    """Return the index of the call or observation that a place lies in."""
    return int(span.field.partition("[")[2].partition("]")[0])


def answered_by(step: Step, number: int) -> int | None:
    """Return the index of the observation that answers a call: the one that names it, else, where none names any, by order."""
    index = answer_index(step, number)
    in_order = len(step.observations) == len(step.tool_calls) and not any(o.source_call_id for o in step.observations)
    return number if index is None and in_order else index


def is_echo(trajectory: Trajectory, span: Span) -> bool:
    """Tell whether the line of an observation around a place says nothing that the call, the goal or the prompt did not say."""
    step = trajectory.step(span.step)
    text = step.text_of(span.field)
    start = max(text.rfind("\n", 0, span.start) + 1, span.start - _AROUND)
    end = min(_line_end(text, span.end), span.end + _AROUND)
    line = text[start:end]
    calls = (f"{call.function_name} {call.arguments} {text_of_call(call)}" for call in step.tool_calls)
    if not content_stems(line) - content_stems(" ".join((trajectory.goal, *calls))):
        return True
    told = bare(line)
    return any(told in bare(s.message) for s in trajectory.steps if s.source != "agent" and s.step_id < span.step)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _why_no_result(step: Step, span: Span) -> str | None:
    """Return why a cited call shows nothing; None when it came back with something, or only went to another directory."""
    number = call_number(span)
    index = answered_by(step, number)
    answers = step.observations if index is None else step.observations[index : index + 1]
    if any(is_error(observation.content) for observation in answers):
        return "came back with an error"
    command = command_of(step.tool_calls[number])
    moves = command is not None and effect_of(command, "") is Effect.MOVES
    return None if moves or any(o.content.strip() for o in answers) else "came back with nothing"
