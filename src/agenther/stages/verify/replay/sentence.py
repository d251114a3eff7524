"""Does a sentence say what calls did, all of it and no more: its words against the diff, in both directions.

Replay shows that the calls reach a state. That the sentence means this state is a matter of its words: what this file cannot
read it leaves unscored, which refuses as surely as what it finds false, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from agenther.conclusions import Score
from agenther.record import JsonObject
from agenther.stages.verify.replay.asked.reading import Found, Reading
from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.policy import Policy

BY = "check:replay.sentence"


def says(
    goal: str,
    performed: Performed,
    tools: Sequence[JsonObject] = (),
    policy: Policy | None = None,
    turns: Sequence[tuple[int, str]] = (),
) -> Score:
    """Compare a goal's sentence with what a replay shows.

    The vote is 1 when the sentence asks for every call that changed something, and every value and deed that it names is
    found in the calls; 0 with `Reason.UNSCORED` when it cannot be read, 0 with another reason when it says something else.
    No vote at all (`value` None, no reason) when the run changed nothing: then replay shows no more than that the
    observations come back the same, and abstains.

    Args:
        goal: a human's or a proposer's, one sentence or several.
        performed: what `replay_run` found.
        tools: schemas of the tools that the agent had, OpenAI form; they say what calls are for.
        policy: what side effects are harmful; the default one when None.
        turns: step_id and text of each user turn, where several of them are the goal: each is compared with the calls that
            follow it. Empty when the goal stands in one place.
    """
    reading = Reading(goal, performed, tools, policy, turns)
    return _score(performed, reading, reading.refusal())


def spares(goal: str, performed: Performed, tools: Sequence[JsonObject] = (), policy: Policy | None = None) -> Score:
    """Look only for changes that a goal does not ask for: the vote on one that asks to be told something.

    Arguments and votes as for `says`; what is asked to be told is left to others.
    """
    reading = Reading(goal, performed, tools, policy)
    return _score(performed, reading, reading.unasked())


def _score(performed: Performed, reading: Reading, found: Found | None) -> Score:
    """Return the vote, with the changes sorted into those that the goal names and side effects."""
    changes = performed.replay.changes
    named = tuple(n for n, change in enumerate(changes) if reading.names(change))
    aside = tuple(number for number in range(len(changes)) if number not in named)
    replay = performed.replay.model_copy(update={"named": named, "side_effects": aside})
    if found is not None:
        return Score(by=BY, value=0.0, reason=found.reason, explanation=found.why, replay=replay)
    n_calls, n_effects = len(replay.calls), len(replay.oracle)
    if not replay.changes:
        why = f"abstains: {n_calls} calls change nothing; shown is only that what they observe comes back the same"
        return Score(by=BY, value=None, explanation=why, replay=replay)
    shown = (
        f"shown by execution: {n_effects} of {n_calls} calls reach the end state, doing nothing does not; by words alone: "
        f"the goal names {len(named)} of {len(changes)} changes, {len(aside)} are side effects"
    )
    return Score(by=BY, value=1.0, explanation=shown, replay=replay)
