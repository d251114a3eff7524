"""Preferences that sources recorded: two runs of one goal with different outcome, and single runs with a label.

A cut prefix is never called a failure: it might have succeeded. Only whole recorded runs are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from agenther.conclusions import Detection, Example
from agenther.preferences import Pair, Unpaired
from agenther.record import content_key
from agenther.stages.package.candidates import (
    Candidate,
    acts_alike,
    asks_the_same,
    common_prefix,
    is_own_failure,
    spread,
    whole_run,
)
from agenther.stages.package.example import tools_json
from agenther.stages.recording import cut_log, shared_steps
from agenther.trajectory import Trajectory


def same_goal_pairs(candidates: Iterable[Candidate], most: int) -> Iterator[Pair]:
    """Pair successful with failed runs of one task: same goal, same tools, each run in as few pairs as possible.

    Args:
        candidates: those among the runs of one task, equal runs once.
        most: most pairs that one task may give, so that an often-run task does not outweigh the others.
    """
    everyone = list(candidates)
    good = [one for one in everyone if one.role == "better"]
    bad = [one for one in everyone if one.role == "worse"]
    pairs = (_pair(better, worse) for better, worse in spread(good, bad))
    yield from islice((pair for pair in pairs if pair is not None), most)


def _pair(good: Candidate, bad: Candidate) -> Pair | None:
    """Return the pair; None where goals or tools differ, nothing is shared (simulated users differ) or both do the same."""
    better, worse = good.run, bad.run
    if not asks_the_same(better, worse):
        return None
    chosen, rejected = good.messages, bad.messages
    n = common_prefix(good.plain, bad.plain)
    if n == 0 or not chosen[n:] or not rejected[n:] or acts_alike(good.plain, bad.plain):
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
