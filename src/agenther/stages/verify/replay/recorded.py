"""The calls of a run as a replay takes them: those to the environment, each with the observation that answers it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agenther.environments.calls import arguments_of, gold_of
from agenther.stages.citations import answered_by
from agenther.stages.detect.signs import answer_call
from agenther.stages.verify.replay.perform import RecordedCall
from agenther.trajectory import Step, Trajectory


def recorded_calls(steps: Iterable[Step]) -> tuple[RecordedCall, ...]:
    """Return the calls of some steps, without those by which the agent hands in its answer.

    Raises:
        ParseError: the arguments of one cannot be told.
    """
    return tuple(call for step in steps for call in _calls_of(step))


def gold_calls(run: Trajectory) -> tuple[RecordedCall, ...] | None:
    """Return the calls that are known to reach the run's own goal; None when none are."""
    gold = gold_of(run)
    return None if gold is None else tuple(RecordedCall(1, call.name, call.arguments) for call in gold)


def _calls_of(step: Step) -> Iterator[RecordedCall]:
    for number, call in enumerate(step.tool_calls):
        if number == answer_call(step):
            continue
        index = answered_by(step, number)
        seen = None if index is None else step.observations[index].content
        yield RecordedCall(step.step_id, call.function_name, arguments_of(call), seen)
