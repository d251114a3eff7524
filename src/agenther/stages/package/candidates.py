"""The runs of one task as partners of a pair: what they can be in it, and where two of them part.

Which of the two is better, and why, belongs to the files of the kinds of pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

from agenther.conclusions import Detection, Outcome
from agenther.messages import to_messages
from agenther.record import Json, JsonObject
from agenther.stages.package.example import up_to_last_agent_turn
from agenther.stages.recording import cut_log, without_retried_thoughts
from agenther.trajectory import Trajectory

PairRole = Literal["better", "worse"]
"""Which of the two a run can be in a pair."""


@dataclass(frozen=True)
class Candidate:
    """A run that can stand in a pair, read only when a pair may come of it."""

    key: str
    """Of the run's content: equal runs count once."""
    role: PairRole
    weight: float
    """Severity weight w."""
    load: Callable[[], Trajectory]

    @cached_property
    def run(self) -> Trajectory:
        """The run."""
        return self.load()

    @cached_property
    def messages(self) -> list[JsonObject]:
        """The messages of the whole run."""
        return whole_run(self.run)

    @cached_property
    def plain(self) -> list[JsonObject]:
        """The messages as they are compared."""
        return [plain(message) for message in self.messages]


def pair_role(run: Trajectory, detection: Detection) -> PairRole | None:
    """Return what a recorded run can be in a pair; None when its log is cut or its failure may not be its own."""
    if cut_log(run) is not None:
        return None
    if run.success is False and is_own_failure(detection):
        return "worse"
    return "better" if run.success is True else None


def is_own_failure(detection: Detection) -> bool:
    """Tell whether a run failed by the agent's own doing and beyond doubt."""
    return detection.outcome is Outcome.FAILED and not detection.infrastructure and not detection.false_failure


def spread(good: Sequence[Candidate], others: Sequence[Candidate]) -> Iterator[tuple[Candidate, Candidate]]:
    """Yield each of some runs with each of others, in an order in which the first pairs hold different runs."""
    for shift in range(len(good)):
        for number, other in enumerate(others):
            yield good[(number + shift) % len(good)], other


def asks_the_same(one: Trajectory, other: Trajectory) -> bool:
    """Tell whether two runs of a task have the same goal and the same tools."""
    return one.goal == other.goal and one.tools == other.tools


def whole_run(run: Trajectory) -> list[JsonObject]:
    """Return the messages of a recorded run up to the agent's last turn; empty when the agent never spoke."""
    return to_messages(up_to_last_agent_turn(without_retried_thoughts(run)), with_step=True)


def plain(message: JsonObject) -> JsonObject:
    """Return what a message says, without the step it came from and the ids of its calls, which differ by chance."""
    kept = {key: value for key, value in message.items() if key not in ("step", "tool_call_id")}
    calls = kept.get("tool_calls")
    if isinstance(calls, list):
        kept["tool_calls"] = [_without_id(call) for call in calls]
    return kept


def _without_id(call: Json) -> Json:
    return {key: value for key, value in cast(JsonObject, call).items() if key != "id"}


def acts_alike(one: Sequence[JsonObject], other: Sequence[JsonObject]) -> bool:
    """Tell whether the agent says and does the same in two runs, whatever came back: nothing it did makes one better.

    Args:
        one: messages as `plain` gives them.
        other: those of another.
    """
    first, second = ([m for m in side if m["role"] == "assistant"] for side in (one, other))
    return first == second


def common_prefix(one: Sequence[JsonObject], other: Sequence[JsonObject]) -> int:
    """Return how many leading messages two runs share, up to the agent's turn with which they part.

    Args:
        one: the messages of a run as `plain` gives them.
        other: those of another.
    """
    n = 0
    while n < min(len(one), len(other)) and one[n] == other[n]:
        n += 1
    while n > 0 and not (n < len(one) and n < len(other) and one[n]["role"] == other[n]["role"] == "assistant"):
        n -= 1
    return n
