"""What a log lacks or repeats, where its reader says so in the labels: cut texts, branches, the codes of calls.

`observations_cut`: texts were cut at so many characters. `shared_steps`: so many leading agent turns stand in an earlier
run too. `retried_steps`: turns taken after the agent had been shown texts that the log does not hold.
`observation_codes`: step to the code that the environment gave its call.
"""

from __future__ import annotations

from agenther.conclusions import Proposal, Reason, Refusal, Stage
from agenther.trajectory import Step, Trajectory

_NO_ERROR = (0, 3, 4)
"""Codes of ToolBench: it worked, the final answer, giving up. All others are errors of the call or of the service."""


def cut_log(trajectory: Trajectory) -> Refusal | None:
    """Return why a run cannot be trained on when the log holds only the beginnings of its texts."""
    limit = trajectory.labels.get("observations_cut")
    if limit is None:
        return None
    detail = f"the log holds only the first {limit} characters of each text"
    return Refusal(stage=Stage.DETECT, reason=Reason.EVIDENCE_FAILED, detail=detail)


def shared_steps(trajectory: Trajectory) -> frozenset[int]:
    """Return the agent's steps that an earlier run has too: context here, learned there."""
    number = trajectory.labels.get("shared_steps")
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        return frozenset()
    return frozenset(step.step_id for step in trajectory.agent_steps[:number])


def told_earlier(trajectory: Trajectory, proposal: Proposal) -> Refusal | None:
    """Return why a goal is not this run's to tell when all of what it keeps stands in an earlier run too."""
    last = max(proposal.last_step, proposal.answer_step or 0)
    if last not in shared_steps(trajectory):
        return None
    return Refusal(
        stage=Stage.PROPOSE,
        reason=Reason.NEAR_DUPLICATE,
        detail=f"an earlier branch has all steps up to {last}",
        evidence=proposal.claims[0].evidence,
    )


def retried_steps(trajectory: Trajectory) -> frozenset[int]:
    """Return the steps whose thoughts may speak of texts that the log does not hold."""
    steps = trajectory.labels.get("retried_steps")
    return frozenset(s for s in steps if isinstance(s, int)) if isinstance(steps, list) else frozenset()


def without_retried_thoughts(trajectory: Trajectory) -> tuple[Step, ...]:
    """Return the steps of a run without the thoughts of those steps; a turn that was nothing else is left out."""
    retried = retried_steps(trajectory)
    kept: list[Step] = []
    for step in trajectory.steps:
        if step.step_id not in retried or any(call.at is not None for call in step.tool_calls):
            kept.append(step)
        elif step.tool_calls:
            kept.append(step.model_copy(update={"message": "", "reasoning": None, "thought_at": ()}))
    return tuple(kept)


def error_code(trajectory: Trajectory, step: Step) -> int | None:
    """Return the code by which the environment said that a step's call failed; None when it did not."""
    codes = trajectory.labels.get("observation_codes")
    code = codes.get(str(step.step_id)) if isinstance(codes, dict) else None
    return code if isinstance(code, int) and code not in _NO_ERROR else None
