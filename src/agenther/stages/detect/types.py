"""Which of the six failure types a failed run shows, and which step was decisive.

Read from signs and, where the log holds them, from the right actions. What only the meaning of the run could tell is
called `wrong_result`: it ended in a result, and the result was not right.
"""

from __future__ import annotations

import re

from agenther.conclusions import FailureType
from agenther.stages.detect.gold_actions import Departed, Departure
from agenther.stages.detect.signs import Sign, Signs, Turn, repeats
from agenther.stages.language.words import holds_any
from agenther.trajectory import GoalHolder, Trajectory

_BY_SIGN = {
    Sign.NO_TURN: FailureType.INCOMPLETE,
    Sign.LAST_OUTPUT_IS_ERROR: FailureType.TOOL_ERROR,
    Sign.UNSUPPORTED_ANSWER: FailureType.HALLUCINATION,
    Sign.NO_PURCHASE: FailureType.INCOMPLETE,
    Sign.NO_ANSWER: FailureType.INCOMPLETE,
    Sign.GAVE_UP: FailureType.INCOMPLETE,
    Sign.REPEATS: FailureType.INCOMPLETE,
    Sign.MOSTLY_ERRORS: FailureType.TOOL_ERROR,
}
"""Sign to type; the first that is present decides."""

_BY_DEPARTURE = {
    Departure.WRONG_VALUES: FailureType.WRONG_RESULT,
    Departure.EXTRA: FailureType.CONSTRAINT_VIOLATION,
    Departure.MISSING: FailureType.INCOMPLETE,
}
_WORD = re.compile(r"[^\W_]{4,}")
_LEAST_WORDS = 4


def failure_type(
    trajectory: Trajectory, turns: tuple[Turn, ...], signs: Signs, departed: Departed | None
) -> FailureType:
    """Return how a failed run failed."""
    if departed is not None:
        return _BY_DEPARTURE[departed.how]
    for sign, kind in _BY_SIGN.items():
        if sign in signs:
            return kind
    return FailureType.OFF_TOPIC if is_off_topic(trajectory, turns) else FailureType.WRONG_RESULT


def is_off_topic(trajectory: Trajectory, turns: tuple[Turn, ...]) -> bool:
    """Tell whether the agent never took up a single word of its goal, in what it did or said."""
    if trajectory.goal_holder is GoalHolder.SIMULATED_USER:
        return False
    wanted = {word[:5] for word in _WORD.findall(trajectory.goal.casefold())}
    if len(wanted) < _LEAST_WORDS or len(turns) < 2:
        return False
    done = (f"{turn.action} {turn.step.message} {turn.step.reasoning or ''}".casefold() for turn in turns)
    return not any(holds_any(text, wanted) for text in done)


def critical_step(turns: tuple[Turn, ...], signs: Signs, departed: Departed | None) -> int | None:
    """Return the step of the decisive mistake: the first wrong change, the first error that the agent never got over,
    the first repeat of a loop, or the turn that gave up or made something up; None when none of these shows.
    """
    if departed is not None:
        return departed.step
    if (error := first_lasting_error(turns)) is not None:
        return error
    if Sign.REPEATS in signs:
        return repeats(turns)[0].step.step_id
    for sign in (Sign.UNSUPPORTED_ANSWER, Sign.GAVE_UP):
        if sign in signs:
            return signs[sign][0].step
    return None


def first_lasting_error(turns: tuple[Turn, ...]) -> int | None:
    """Return the first turn of the unbroken row of errors in which a run ends; None when it ends otherwise."""
    first: int | None = None
    for turn in reversed(turns):
        if turn.failed:
            first = turn.step.step_id
        elif turn.n_outputs:
            break
    return first
