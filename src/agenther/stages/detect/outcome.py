"""Failed, succeeded or unknown, for a run that nothing labels: what the run itself shows.

Precision before coverage. A wrong result looks like a right one, so most runs that end in a result stay unknown, and the
words of the user's request decide nothing.
"""

from __future__ import annotations

import re

from agenther.conclusions import Outcome
from agenther.stages.detect.signs import Sign, Signs, Turn, answer_call
from agenther.stages.language.words import holds_any
from agenther.trajectory import Span, Trajectory

DECISIVE = (
    Sign.NO_TURN,
    Sign.LAST_OUTPUT_IS_ERROR,
    Sign.REPEATS,
    Sign.NO_PURCHASE,
    Sign.NO_ANSWER,
    Sign.GAVE_UP,
)
"""Signs that alone tell a failure. An empty result is none, nor is an error that the agent got over."""

_DONE = re.compile(
    r"\btask (?:is |was )?(?:completed|complete|accomplished|solved)(?: successfully)?\b|\btask success(?:ful)?\b"
    r"|\byou (?:have )?w(?:o|i)n\b"
    r"|\b(?:all|\d+) tests? passed\b|^=+ \d+ passed(?:, \d+ (?:warnings?|skipped))* in [\d.]+s|^OK(?: \(skipped=\d+\))?\s*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_DONE_WORDS = ("task ", "you w", "you have w", "passed", "ok")
"""ASCII texts without one of which, in lower case, nothing is said to be done: cheaper to look for."""
_NOT_DONE = re.compile(r"\bfail(?:ed|ures?|s)?\b|\berrors?\b|\bnot\b", re.IGNORECASE)


def judge(
    trajectory: Trajectory, turns: tuple[Turn, ...], signs: Signs, *, turn_limit: bool
) -> tuple[Outcome, str, tuple[Span, ...]]:
    """Return the outcome, the name of the rule that gave it, and the evidence.

    Args:
        trajectory: the run.
        turns: its agent turns.
        signs: what it shows.
        turn_limit: also judge by the harness's limit of turns: used up is a failure, ended before it by the harness a success.
    """
    decisive = [sign for sign in DECISIVE if sign in signs]
    if decisive:
        return Outcome.FAILED, decisive[0].name.lower(), tuple(span for sign in decisive for span in signs[sign])
    if turn_limit and Sign.TURN_LIMIT in signs:
        return Outcome.FAILED, Sign.TURN_LIMIT.name.lower(), ()
    if (place := _done_at(turns)) is not None:
        return Outcome.SUCCEEDED, "environment_says_done", (place,)
    if turn_limit and _ended_by_harness(trajectory, turns):
        return Outcome.SUCCEEDED, "ended_before_its_limit", ()
    return Outcome.UNKNOWN, "none", ()


def _done_at(turns: tuple[Turn, ...]) -> Span | None:
    """Return where the last output says that the task is done or that all tests pass."""
    last = next((turn for turn in reversed(turns) if turn.n_outputs), None)
    if last is None or last.errors:
        return None
    content = last.step.observations[-1].content
    if content.isascii() and not holds_any(content.lower(), _DONE_WORDS):
        return None
    match = _DONE.search(content)
    if match is None or _NOT_DONE.search(content):
        return None
    field = f"observations[{len(last.step.observations) - 1}].content"
    return Span(step=last.step.step_id, field=field, start=match.start(), end=match.end())


def _ended_by_harness(trajectory: Trajectory, turns: tuple[Turn, ...]) -> bool:
    """Tell whether a run stopped before its limit although the agent did not end it: such harnesses stop at a success."""
    limit = trajectory.labels.get("turns_max")
    if trajectory.answer_by != "action" or not isinstance(limit, int | float) or not turns or len(turns) >= limit:
        return False
    last = turns[-1]
    return bool(last.step.tool_calls) and last.n_outputs > 0 and answer_call(last.step) is None
