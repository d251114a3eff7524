"""The algorithm of docs/concepts.md: one run in, its whole Result out. Touches no disk, thread or cluster."""

from __future__ import annotations

from agenther.conclusions import (
    Attempt,
    Claim,
    Detection,
    Outcome,
    Proposal,
    Reason,
    Refusal,
    Result,
    Rewritten,
    Stage,
)
from agenther.config import Config
from agenther.stages.extract.nothing import why_nothing
from agenther.stages.package.example import make_example, make_success
from agenther.stages.protocols import Parts
from agenther.stages.recording import cut_log, told_earlier
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.panel import decide
from agenther.trajectory import Trajectory


async def relabel(trajectory: Trajectory, parts: Parts, config: Config) -> Result:
    """Find hindsight goals that the run demonstrates, or the reason why there is none.

    Args:
        trajectory: one run, secrets already replaced.
        parts: who detects, extracts, proposes, checks and judges.
        config: thresholds and policies.
    """
    detection = await parts.detector.detect(trajectory)
    if not trajectory.agent_steps:
        return Result(
            detection=detection, drop=Refusal(stage=Stage.DETECT, reason=Reason.NO_ACTION, detail="no agent turn")
        )
    cut = cut_log(trajectory)
    wanted = config.include_successes and trajectory.success and cut is None
    if detection.outcome is Outcome.SUCCEEDED and wanted:
        return Result(detection=detection, examples=(make_success(trajectory, detection, config),))
    if (refusal := gate(detection, config) or cut) is not None:
        return Result(detection=detection, drop=refusal)

    claims = () if parts.extractor is None else await parts.extractor.extract(trajectory, detection)
    if isinstance(claims, Refusal):
        return Result(detection=detection, drop=claims)
    if not claims and parts.extractor is not None:
        nothing = Refusal(stage=Stage.EXTRACT, reason=Reason.NOTHING_ACHIEVED, detail=why_nothing(trajectory))
        return Result(detection=detection, drop=nothing)

    attempts: list[Attempt] = []
    accepted: list[Rewritten] = []
    for number in range(1, config.attempts + 1):
        proposals = await parts.proposer.propose(trajectory, claims, tuple(attempts))
        for proposal in proposals:
            attempt, rewritten = await try_proposal(trajectory, proposal, parts, config, number)
            attempts.append(attempt)
            if rewritten is not None:
                accepted.append(rewritten)
        if accepted or not proposals:
            break
    return conclude(trajectory, detection, claims, attempts, accepted, parts, config)


def gate(detection: Detection, config: Config) -> Refusal | None:
    """Return why a run is not worth relabeling, or None when it is."""
    match detection:
        case Detection(outcome=Outcome.SUCCEEDED):
            reason = Reason.NOT_FAILED
        case Detection(false_failure=True):
            reason = Reason.PROBABLY_SUCCEEDED
        case Detection(infrastructure=True):
            reason = Reason.INFRASTRUCTURE
        case Detection(outcome=Outcome.UNKNOWN):
            reason = Reason.OUTCOME_UNKNOWN
        case Detection(recoverable=False):
            reason = Reason.IRRECOVERABLE
        case Detection(weight=w) if w < config.delta:
            reason = Reason.TOO_SEVERE
        case _:
            return None
    return Refusal(stage=Stage.DETECT, reason=reason, detail=detection.explanation, evidence=detection.evidence)


async def try_proposal(
    trajectory: Trajectory, proposal: Proposal | Refusal, parts: Parts, config: Config, number: int
) -> tuple[Attempt, Rewritten | None]:
    """Rewrite one proposal and put it to the checks and judges; the run comes back only when all accept it."""
    if isinstance(proposal, Refusal):
        return Attempt(number=number, goal="", refusal=proposal), None
    rewritten = told_earlier(trajectory, proposal) or rewrite(trajectory, proposal)
    if isinstance(rewritten, Refusal):
        return Attempt(number=number, goal=proposal.goal, refusal=rewritten), None
    verdict, refusal = await decide(rewritten, parts, config)
    attempt = Attempt(number=number, goal=proposal.goal, verdict=verdict, refusal=refusal)
    return attempt, rewritten if refusal is None else None


def conclude(
    trajectory: Trajectory,
    detection: Detection,
    claims: tuple[Claim, ...],
    attempts: list[Attempt],
    accepted: list[Rewritten],
    parts: Parts,
    config: Config,
) -> Result:
    """Turn what was accepted into examples, or the furthest refusal into the reason of the drop."""
    if accepted:
        verdicts = [a.verdict for a in attempts if a.refusal is None and a.verdict is not None]
        examples = tuple(
            make_example(one, detection, verdict, config, parts.panel)
            for one, verdict in zip(accepted, verdicts, strict=True)
        )
        return Result(detection=detection, claims=claims, attempts=tuple(attempts), examples=examples)
    order = list(Stage)
    refusals = [a.refusal for a in attempts if a.refusal is not None]
    no_goal = Refusal(
        stage=Stage.PROPOSE, reason=Reason.NO_NATURAL_GOAL, detail="no goal could be composed from the claims"
    )
    furthest = max(refusals, key=lambda r: order.index(r.stage), default=no_goal)
    return Result(detection=detection, claims=claims, attempts=tuple(attempts), drop=furthest)
