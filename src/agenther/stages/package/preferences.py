"""Preferences that are sound: two runs of one goal with different outcome, and single runs with a label.

A cut prefix is never called a failure: it might have succeeded. Only whole recorded runs are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from agenther.conclusions import Detection, Example, Outcome
from agenther.messages import to_messages
from agenther.preferences import Pair, Unpaired
from agenther.record import JsonObject, content_key
from agenther.stages.package.example import tools_json, up_to_last_agent_turn
from agenther.stages.recording import cut_log, shared_steps, without_retried_thoughts
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


def pair_role(run: Trajectory, detection: Detection) -> PairRole | None:
    """Return what a recorded run can be in a pair; None when its log is cut or its failure may not be its own."""
    if cut_log(run) is not None:
        return None
    if run.success is False and is_own_failure(detection):
        return "worse"
    return "better" if run.success is True else None


def same_goal_pairs(candidates: Iterable[Candidate], most: int) -> Iterator[Pair]:
    """Pair successful with failed runs of one task: same goal, same tools, each run in as few pairs as possible.

    Args:
        candidates: those among the runs of one task.
        most: most pairs that one task may give, so that an often-run task does not outweigh the others.
    """
    yield from islice(_pairs(list({one.key: one for one in candidates}.values())), most)


def _pairs(candidates: list[Candidate]) -> Iterator[Pair]:
    good = [one for one in candidates if one.role == "better"]
    bad = [one for one in candidates if one.role == "worse"]
    for shift in range(len(good)):
        for i, worse in enumerate(bad):
            pair = _pair(good[(i + shift) % len(good)], worse)
            if pair is not None:
                yield pair


def is_own_failure(detection: Detection) -> bool:
    """Tell whether a run failed by the agent's own doing and beyond doubt."""
    return detection.outcome is Outcome.FAILED and not detection.infrastructure and not detection.false_failure


def _pair(good: Candidate, bad: Candidate) -> Pair | None:
    """Return the pair, or None where goals or tools differ, nothing is shared (simulated users differ) or all is."""
    better, worse = good.load(), bad.load()
    if better.goal != worse.goal or better.tools != worse.tools:
        return None
    chosen, rejected = whole_run(better), whole_run(worse)
    n = _common_prefix(chosen, rejected)
    if n == 0 or not chosen[n:] or not rejected[n:] or chosen == rejected:
        return None
    return Pair(
        id=content_key([good.key, bad.key])[:16],
        prompt=tuple(chosen[:n]),
        chosen=tuple(chosen[n:]),
        rejected=tuple(rejected[n:]),
        tools=tools_json(better),
        kind="same_goal",
        why=f"same goal, recorded outcomes differ ({better.label_source})",
        chosen_trajectory=better.id,
        rejected_trajectory=worse.id,
        task_id=better.task_id,
        weight=bad.weight,
    )


def whole_run(run: Trajectory) -> list[JsonObject]:
    """Return the messages of a recorded run up to the agent's last turn; empty when the agent never spoke."""
    return to_messages(up_to_last_agent_turn(without_retried_thoughts(run)), with_step=True)


def _common_prefix(one: Sequence[JsonObject], other: Sequence[JsonObject]) -> int:
    """Return how many leading messages two runs share, up to the agent's turn with which they part."""
    n = 0
    while n < min(len(one), len(other)) and one[n] == other[n]:
        n += 1
    while n > 0 and not (n < len(one) and n < len(other) and one[n]["role"] == other[n]["role"] == "assistant"):
        n -= 1
    return n


def desirable(example: Example) -> Unpaired | None:
    """Return an example as a continuation to be desired; it starts after the last agent turn that carries no loss."""
    trained = [m["role"] == "assistant" and m["step"] in example.train_on for m in example.messages]
    masked = [i for i, m in enumerate(example.messages) if m["role"] == "assistant" and not trained[i]]
    first = next((i for i, yes in enumerate(trained) if yes and i > max(masked, default=-1)), None)
    if first is None:
        return None
    return Unpaired(
        id=content_key([example.id, "desirable"])[:16],
        prompt=example.messages[:first],
        completion=example.messages[first:],
        label=True,
        tools=example.tools,
        kind=example.origin,
        trajectory_id=example.trajectory_id,
        task_id=example.task_id,
        weight=example.weight,
    )


def undesirable(run: Trajectory, detection: Detection) -> Unpaired | None:
    """Return a failed run under its own goal as a continuation to be avoided, from where no earlier run has its steps."""
    messages, elsewhere = whole_run(run), shared_steps(run)
    own = (i for i, m in enumerate(messages) if m["role"] == "assistant" and m["step"] not in elsewhere)
    first = next(own, None)
    if first is None or cut_log(run) is not None or not is_own_failure(detection):
        return None
    return Unpaired(
        id=content_key([run.key, "undesirable"])[:16],
        prompt=tuple(messages[:first]),
        completion=tuple(messages[first:]),
        label=False,
        tools=tools_json(run),
        kind="original",
        trajectory_id=run.id,
        task_id=run.task_id,
        weight=detection.weight,
    )
