"""What a run itself shows of its failure, without a label: each sign with the characters that show it.

Signs are read from the agent's turns and what came back, never from the user's words. Which of them decide the outcome,
the type and the weight is said by the modules beside this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from agenther.stages.detect.errors import error_at, is_only_error
from agenther.stages.language.words import holds_any
from agenther.stages.recording import error_code
from agenther.trajectory import GoalHolder, Span, Step, Trajectory, whole_field


class Sign(StrEnum):
    """A sign of failure. The order is that in which the first one explains the run."""

    NO_TURN = "the agent did nothing"
    LAST_OUTPUT_IS_ERROR = "the last output is an error"
    REPEATS = "half of the turns repeat an earlier one"
    NO_PURCHASE = "nothing was bought"
    NO_ANSWER = "no answer was given"
    GAVE_UP = "the agent says that it could not do it"
    TURN_LIMIT = "all turns were used"
    MOSTLY_ERRORS = "most outputs are errors"
    NOTHING_WORKED = "every output is an error"
    UNSUPPORTED_ANSWER = "the answer names what was never seen"
    DESTRUCTIVE = "something was deleted"


class Turn(NamedTuple):
    """An agent turn: what it did, and the errors in which its outputs end."""

    step: Step
    action: str
    errors: tuple[Span, ...]
    n_outputs: int
    only_errors: bool

    @property
    def failed(self) -> bool:
        """Every output of the turn ends in an error."""
        return 0 < self.n_outputs == len(self.errors)


Signs = dict[Sign, tuple[Span, ...]]

LEAST_TURNS = 4
"""A run shorter than this is no loop."""

ANSWERING = frozenset(
    "answer finish final_answer solution submit respond done complete exit reply stop send_msg_to_user report_infeasible".split()
)
_BUYING = re.compile(r"\bbuy\b|purchase|check_?out|place_order", re.IGNORECASE)
_SHOP = re.compile(r"(?<!\w)(?:Buy Now|Add to Cart)\b", re.IGNORECASE)
_COULD_NOT = (
    r"(?:could(?: ?n['’]t| not)|can(?:not|['’]t| not)|am (?:un|not )able|was (?:un|not )able|unable|were (?:un|not )able"
    r"|did(?:n['’]t| not)"
    r"|do(?:n['’]t| not) have|have(?:n['’]t| not)|has not|fail(?:s|ed))"
)
_GAVE_UP = re.compile(
    rf"\b(?:sorry|apologi[sz]e|apologies|unfortunately|regret(?:tably)?)\b[^.!?\n]{{0,160}}\b{_COULD_NOT}"
    rf"|\b(?:I|we)(?: was| am)? {_COULD_NOT} (?:to )?"
    r"(?:find|determine|complete|answer|locate|retrieve|identify|finish|solve|provide|get)"
    r"|\b(?:I|we) (?:give|gave) up\b|\b(?:impossible|not possible) (?:for me )?to (?:answer|determine|complete|find)"
    r"|\bno (?:relevant )?information (?:is|was) (?:available|found)",
    re.IGNORECASE,
)
_EMPTY_ANSWER = re.compile(
    r"\W*(?:unknown|not found|none|n/?a|no answer|no information(?: found| available)?|i (?:do not|don't) know|null"
    r"|give[ _]up(?:[ _]and[ _]restart)?"
    r"|(?:can(?:not|'t)|unable to) (?:be )?determined?|insufficient information|not available)\W*",
    re.IGNORECASE,
)
_DESTRUCTIVE = re.compile(
    r"\brm\s+-\w*[rf]|\bDROP\s+(?:TABLE|DATABASE)\b|\bTRUNCATE\s+TABLE\b|\bDELETE\s+FROM\s+\w+\s*(?:;|\Z|\")|\bgit\s+reset\s+--hard"
    r"|\bshutil\.rmtree\b|\bmkfs\b|\bdd\s+if=.*\bof=/dev/"
)
_DESTRUCTIVE_WORDS = ("rm", "DROP", "TRUNCATE", "DELETE", "reset", "mkfs", "of=/dev/")
"""Texts without one of which nothing is deleted: a look for them costs a fifth of the search."""
_NAMED_THING = re.compile(r"https?://[^\s)\]>\"']+|#?\b[A-Z]{1,4}-?\d{4,}\b|\b\d{5,}\b")


def turns_of(trajectory: Trajectory) -> tuple[Turn, ...]:
    """Return the agent's turns with their errors."""
    return tuple(_turn(step, told_failed=error_code(trajectory, step) is not None) for step in trajectory.agent_steps)


def _turn(step: Step, *, told_failed: bool) -> Turn:
    """Return a turn. `told_failed`: the environment said by a code, not in words, that the call failed."""
    calls = " ".join(f"{call.function_name} {' '.join(call.arguments.split())}" for call in step.tool_calls)
    errors: list[Span] = []
    only_errors = bool(step.observations)
    for i, observation in enumerate(step.observations):
        text = observation.content
        bounds = (0, len(text)) if told_failed else error_at(text)
        if bounds is not None:
            errors.append(Span(step=step.step_id, field=f"observations[{i}].content", start=bounds[0], end=bounds[1]))
        only_errors = only_errors and bounds is not None and (told_failed or is_only_error(text, bounds))
    return Turn(
        step=step,
        action=calls or " ".join(step.message.split()),
        errors=tuple(errors),
        n_outputs=len(step.observations),
        only_errors=only_errors,
    )


def signs_of(trajectory: Trajectory, turns: tuple[Turn, ...]) -> Signs:
    """Return every sign of failure that the run shows, with its evidence."""
    if not any(turn.action or turn.step.message for turn in turns):
        return {Sign.NO_TURN: ()}
    found = dict(_signs(trajectory, turns))
    return {sign: found[sign] for sign in Sign if sign in found}


def _signs(trajectory: Trajectory, turns: tuple[Turn, ...]) -> Iterator[tuple[Sign, tuple[Span, ...]]]:
    with_output = [turn for turn in turns if turn.n_outputs]
    failed = [turn for turn in with_output if turn.failed]
    if turns[-1].failed:
        yield Sign.LAST_OUTPUT_IS_ERROR, turns[-1].errors[-1:]
    if len(failed) >= 2 and 2 * len(failed) >= len(with_output):
        yield Sign.MOSTLY_ERRORS, tuple(turn.errors[0] for turn in failed[:3])
    if with_output and all(turn.only_errors for turn in with_output):
        yield Sign.NOTHING_WORKED, tuple(turn.errors[0] for turn in with_output[:1])
    repeated = repeats(turns)
    if len(turns) >= LEAST_TURNS and 2 * len(repeated) >= len(turns):
        yield Sign.REPEATS, (where_acted(repeated[0].step),)
    if is_shopping(trajectory) and not any(bought(turn.step) for turn in turns):
        yield Sign.NO_PURCHASE, (where_acted(turns[-1].step),)
    if not _has_answer(trajectory, turns):
        yield Sign.NO_ANSWER, (where_acted(turns[-1].step),)
    if (place := gave_up_at(turns[-1].step)) is not None:
        yield Sign.GAVE_UP, (place,)
    if (deleted := _deleted(turns)) is not None:
        yield Sign.DESTRUCTIVE, (deleted,)
    if (invented := unsupported(trajectory, turns)) is not None:
        yield Sign.UNSUPPORTED_ANSWER, (invented,)
    if _used_all_turns(trajectory, turns):
        yield Sign.TURN_LIMIT, ()


def repeats(turns: tuple[Turn, ...]) -> list[Turn]:
    """Return the turns that do what an earlier turn did."""
    seen: set[str] = set()
    again: list[Turn] = []
    for turn in turns:
        if turn.action and turn.action in seen:
            again.append(turn)
        seen.add(turn.action)
    return again


def where_acted(step: Step) -> Span:
    """Return the place of a turn's action: its first call, or its message."""
    return whole_field(step, "tool_calls[0].arguments" if step.tool_calls else "message")


def prose(step: Step) -> list[tuple[int, int]]:
    """Return the parts of an agent's message that are neither thought nor call."""
    taken = sorted([*step.thought_at, *(call.at for call in step.tool_calls if call.at is not None)])
    parts: list[tuple[int, int]] = []
    at = 0
    for start, end in taken:
        parts.append((at, start))
        at = max(at, end)
    return [(a, b) for a, b in [*parts, (at, len(step.message))] if step.message[a:b].strip()]


def answer_call(step: Step) -> int | None:
    """Return the number of the call by which a turn answers; None when it does not."""
    names = (call.function_name.casefold().rsplit(".", 1)[-1] for call in step.tool_calls)
    return next((i for i, name in enumerate(names) if name in ANSWERING), None)


def is_shopping(trajectory: Trajectory) -> bool:
    """Tell a shop by a page that offers to buy."""
    return any(offers_to_buy(o.content) for step in trajectory.agent_steps for o in step.observations)


def offers_to_buy(page: str) -> bool:
    """Tell whether a page has a button that buys."""
    lowered = page.lower()
    return ("buy now" in lowered or "add to cart" in lowered) and _SHOP.search(page) is not None


def bought(step: Step) -> bool:
    """Tell whether a turn buys."""
    return any(_BUYING.search(f"{call.function_name} {call.arguments}") for call in step.tool_calls)


def gave_up_at(step: Step) -> Span | None:
    """Return where the agent's last turn says that it did not do it."""
    number = answer_call(step)
    if number is not None:
        field, text = f"tool_calls[{number}].arguments", step.tool_calls[number].arguments
        values = [v for v in step.tool_calls[number].values.values() if isinstance(v, str)]
        if values and all(_EMPTY_ANSWER.fullmatch(v) for v in values):
            return whole_field(step, field)
        match = _GAVE_UP.search(text)
        return Span(step=step.step_id, field=field, start=match.start(), end=match.end()) if match else None
    if step.tool_calls:
        return None
    for start, end in prose(step):
        if (match := _GAVE_UP.search(step.message, start, end)) is not None:
            return Span(step=step.step_id, field="message", start=match.start(), end=match.end())
    return None


def _has_answer(trajectory: Trajectory, turns: tuple[Turn, ...]) -> bool:
    """Tell whether a run that owes an answer in words gave one; others owe none."""
    talks = trajectory.goal_holder is GoalHolder.SIMULATED_USER or len(trajectory.user_steps) > 1
    if trajectory.answer_by == "action" or talks or not any(turn.step.tool_calls for turn in turns):
        return True
    last = turns[-1].step
    if answer_call(last) is not None:
        return True
    return not last.tool_calls and not turns[-1].n_outputs and bool(prose(last))


def _deleted(turns: tuple[Turn, ...]) -> Span | None:
    for turn in turns:
        for i, call in enumerate(turn.step.tool_calls):
            if turn.failed or not holds_any(call.arguments, _DESTRUCTIVE_WORDS):
                continue
            if (match := _DESTRUCTIVE.search(call.arguments)) is not None:
                field = f"tool_calls[{i}].arguments"
                return Span(step=turn.step.step_id, field=field, start=match.start(), end=match.end())
    return None


def unsupported(trajectory: Trajectory, turns: tuple[Turn, ...]) -> Span | None:
    """Return a link, id or long number of the final answer that stands nowhere in what came before."""
    last = turns[-1].step
    number = answer_call(last)
    if number is not None:
        field, bounds = f"tool_calls[{number}].arguments", [(0, len(last.tool_calls[number].arguments))]
    elif last.tool_calls or not any(turn.n_outputs for turn in turns):
        return None
    else:
        field, bounds = "message", prose(last)
    text = last.text_of(field)
    things = [m for start, end in bounds for m in _NAMED_THING.finditer(text, start, end)]
    if not things:
        return None
    before = "\n".join(_told_before(trajectory, last)).replace(",", "")
    for thing in things:
        if thing.group().lstrip("#").rstrip(".,") not in before:
            return Span(step=last.step_id, field=field, start=thing.start(), end=thing.end())
    return None


def _told_before(trajectory: Trajectory, last: Step) -> Iterator[str]:
    yield trajectory.goal
    for step in trajectory.steps:
        for observation in step.observations:
            yield observation.content
        if step.source != "agent":
            yield step.message
        elif step is not last:
            yield from (call.arguments for call in step.tool_calls)


def _used_all_turns(trajectory: Trajectory, turns: tuple[Turn, ...]) -> bool:
    limit = trajectory.labels.get("turns_max")
    return isinstance(limit, int | float) and limit > 0 and len(turns) >= limit
