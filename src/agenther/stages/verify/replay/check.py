"""The check: a label's calls are made again, and its goal must say what they did. What it shows hangs at its vote.

Knows environments as a lookup only; which there are and where they come from stands in `environments`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from agenther.conclusions import Reason, Rewritten, Score, refused
from agenther.environments.base import MakeEnvironment, NotAtHand
from agenther.errors import ParseError, ReplayError
from agenther.record import Json
from agenther.replay import Replay, Setting
from agenther.stages.redact import map_texts, redact_text
from agenther.stages.verify.replay.diff import same_state
from agenther.stages.verify.replay.perform import Performed, end_state, replay_run
from agenther.stages.verify.replay.policy import Policy
from agenther.stages.verify.replay.recorded import gold_calls, recorded_calls
from agenther.trajectory import Trajectory

BY = "check:replay"
NOT_AT_HAND = "check:replay.not_at_hand"
"""Votes for labels whose run names an environment that is not at hand: they stand, unreplayed."""
NOT_REPLAYED = "abstains, not replayed: the environment"
EnvironmentOf = Callable[[Trajectory], tuple[Setting, MakeEnvironment] | NotAtHand | None]
"""Finds the environment of a run; None when it names none."""


class CheckReplay:
    """Makes the calls of a label again. No vote where none is named; abstains where it is not at hand."""

    def __init__(self, environment_of: EnvironmentOf, policy: Policy, *, redact: bool = True) -> None:
        self._environment_of, self._policy, self._redact = environment_of, policy, redact

    def __call__(self, rewritten: Rewritten) -> Score | None:
        """Vote, where the run has an environment."""
        found = self._environment_of(rewritten.trajectory)
        if found is None:
            return None
        if isinstance(found, NotAtHand):
            return Score(by=NOT_AT_HAND, value=1.0, explanation=f"{NOT_REPLAYED} {found}")
        try:
            score = self._vote(rewritten, *found)
        except (ReplayError, ParseError) as error:
            why = f"cannot be replayed: {error}"
            return Score(by=BY, value=None, explanation=redact_text(why) if self._redact else why)
        if score.replay is None or not self._redact:
            return score
        return score.model_copy(
            update={"replay": without_secrets(score.replay), "explanation": redact_text(score.explanation)}
        )

    def _vote(self, rewritten: Rewritten, setting: Setting, make: MakeEnvironment) -> Score:
        run, kept = rewritten.trajectory, [step.step_id for step in rewritten.steps if step.source == "agent"]
        calls = recorded_calls(run.step(number) for number in kept if number <= run.steps[-1].step_id)
        performed = replay_run(make, setting, calls, gold=gold_calls(run))
        if rewritten.proposal.drop_steps:
            last = max(kept)
            every = recorded_calls(step for step in run.agent_steps if step.step_id <= last)
            if not same_state(end_state(make, setting, every), performed.final):
                return _veto(performed, Reason.EVIDENCE_FAILED, "a step that was left out changed the end state")
        veto = _fidelity(rewritten, performed) or _controls(rewritten, performed)
        return veto or _words(rewritten, performed, self._policy)


def asks_change(rewritten: Rewritten) -> bool:
    """Tell whether a goal asks for a change, not only to be told something."""
    proposal = rewritten.proposal
    return proposal.effect or any(claim.kind.endswith(".effect") for claim in proposal.claims)


def without_secrets(replay: Replay) -> Replay:
    """Return a replay whose texts, which the simulator may have made, hold no secrets and personal data."""
    return Replay.model_validate(map_texts(cast(Json, replay.model_dump(mode="json")), redact_text))


def _fidelity(rewritten: Rewritten, performed: Performed) -> Score | None:
    """Refuse when a change, or what the label cites, came back otherwise than recorded."""
    cited = {span.step for claim in rewritten.proposal.claims for span in claim.evidence}
    for call in performed.replay.calls:
        if call.drift is not None and (call.changed or call.step in cited):
            what = "changes something" if call.changed else "is cited"
            return _veto(performed, Reason.EVIDENCE_FAILED, f"{call.name} of step {call.step} {what}: {call.drift}")
    return None


def _controls(rewritten: Rewritten, performed: Performed) -> Score | None:
    """Refuse when a control comes out otherwise than it must."""
    found = {control.name: control.found for control in performed.replay.controls}
    if found.get("oracle") is False:
        return _veto(
            performed, Reason.EVIDENCE_FAILED, "the calls that changed something do not reach the end state alone"
        )
    if found["noop"]:
        if asks_change(rewritten):
            return _veto(
                performed, Reason.NOT_TRUE, "the goal asks for a change, and doing nothing reaches the end state"
            )
        return None
    if found.get("original_gold"):
        return _veto(performed, Reason.REWORDING, "the right calls of the old goal reach the end state of the new one")
    return None


def _words(rewritten: Rewritten, performed: Performed, policy: Policy) -> Score:
    """Compare the goal's sentence with what was changed."""
    from agenther.stages.verify.replay.sentence import says, spares

    goal, tools, replay = rewritten.proposal.goal, rewritten.trajectory.tools, performed.replay
    score = (says if asks_change(rewritten) else spares)(goal, performed, tools, policy)
    drifted = sum(call.drift is not None for call in replay.calls)
    more = f"; {drifted} look-ups came back otherwise than recorded, none of them cited" if drifted else ""
    if any(control.name == "without_one" and control.found for control in replay.controls):
        more += "; a call that changed something could be left out: the end state does not show it"
    if score.value is None:
        return Score(by=BY, value=1.0, explanation=score.explanation + more, replay=score.replay)
    return score.model_copy(update={"by": BY, "explanation": score.explanation + more})


def _veto(performed: Performed, reason: Reason, why: str) -> Score:
    return refused(BY, reason, why).model_copy(update={"replay": performed.replay})
