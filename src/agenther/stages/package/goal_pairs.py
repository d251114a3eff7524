"""Pairs for hindsight goals: the relabelled run, and another run of its task that demonstrably misses the hindsight goal.

Both sides stand under the same words. What the other run still says of its own goal is taken out as it was on the better
side: else the two could be told apart by a slip of the tongue, and what they did would not be learnt. That it misses the
goal is for a check of the domain to say (`verify/missed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agenther.conclusions import Example
from agenther.messages import to_messages
from agenther.preferences import Pair, PairEvidence
from agenther.record import JsonObject, content_key
from agenther.stages.package.candidates import Candidate, acts_alike, asks_the_same, common_prefix, plain
from agenther.stages.relabel.rewrite import retell
from agenther.stages.verify.missed import DOMAINS, why_missed
from agenther.trajectory import Step, Trajectory

_MOST_TURNS = 2
"""A side may have so many times the turns of the better one, and one more: that one was cut where it reached its goal."""


def may_be_paired(domain: str) -> bool:
    """Tell whether there is a check that says of a run that it misses a goal of this domain."""
    return domain in DOMAINS


def hindsight_pair(example: Example, run: Trajectory, others: Iterable[Candidate]) -> Pair | None:
    """Return the pair of a relabelled run with the first of some runs that misses its goal; None where none does.

    Args:
        example: the run as relabelled.
        run: the same run as recorded.
        others: other runs of its task.
    """
    pairs = (_pair(example, run, other) for other in others)
    return next((pair for pair in pairs if pair is not None), None)


def _pair(example: Example, run: Trajectory, other: Candidate) -> Pair | None:
    worse = other.run
    if not asks_the_same(run, worse) or worse.key == run.key or (missed := why_missed(run, example, worse)) is None:
        return None
    steps = retell(worse, example.hindsight_goal)
    if steps is None:
        return None
    chosen, rejected = list(example.messages), to_messages(_without_handing_in(steps, example), with_step=True)
    ours, theirs = list(map(plain, chosen)), list(map(plain, rejected))
    n = common_prefix(ours, theirs)
    if n == 0 or acts_alike(ours, theirs) or not _are_comparable(chosen[n:], rejected[n:], example.train_on):
        return None
    return Pair(
        id=content_key([example.id, other.key, "hindsight_goal"])[:16],
        prompt=tuple(chosen[:n]),
        chosen=tuple(chosen[n:]),
        rejected=tuple(rejected[n:]),
        tools=example.tools,
        kind="hindsight_goal",
        why=f"the chosen run reaches the hindsight goal; of the other, {missed}",
        outcome_inferred=True,
        evidence=tuple(PairEvidence(trajectory_id=run.id, span=span) for span in example.claims[0].evidence),
        chosen_trajectory=run.id,
        rejected_trajectory=worse.id,
        task_id=run.task_id,
        weight=example.weight,
    )


def _without_handing_in(steps: Sequence[Step], example: Example) -> Sequence[Step]:
    """Leave out turns at the end that do nothing but call a tool without arguments which the relabelled run does not use.

    That run was cut where it reached its goal. A `submit` on the other side alone would be learnt as the mistake.
    """
    used = {name for message in example.messages for name in _tools_of(message)}
    kept = list(steps)
    while kept and kept[-1].source == "agent" and kept[-1].tool_calls and _is_idle(kept[-1], used):
        kept.pop()
    if kept and kept[-1].source == "agent":
        kept[-1] = kept[-1].model_copy(update={"observations": ()})
    return kept


def _is_idle(step: Step, used: set[str]) -> bool:
    return all(not call.values and call.function_name not in used for call in step.tool_calls)


def _tools_of(message: JsonObject) -> list[str]:
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return [str(one.get("name")) for one in functions if isinstance(one, dict)]


def _are_comparable(chosen: list[JsonObject], rejected: list[JsonObject], train_on: Sequence[int]) -> bool:
    """Tell whether all of the better side is to be imitated, and neither length nor thinking aloud gives the sides away."""
    better, worse = ([m for m in side if m["role"] == "assistant"] for side in (chosen, rejected))
    if not better or not worse or any(m["step"] not in train_on for m in better):
        return False
    return len(worse) <= _MOST_TURNS * len(better) + 1 and _thinks(better) == _thinks(worse)


def _thinks(turns: list[JsonObject]) -> bool:
    """Tell whether most turns say something beside a call."""
    return 2 * sum(bool(m.get("content") or m.get("reasoning_content")) for m in turns) > len(turns)
