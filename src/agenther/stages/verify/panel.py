"""The gate: all checks, the proposer's own verdict, then the judges. Whoever cannot tell does not consent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

from agenther.conclusions import Proposal, Reason, Refusal, Rewritten, Score, Stage, Verdict
from agenther.config import Config
from agenther.errors import StageError
from agenther.llm.models import Model
from agenther.stages.protocols import Check, Judge, Parts

_RELEASE = re.compile(
    r"(?:[-_:@.](?:latest|\d{4}-?\d\d-?\d\d|\d{4}|awq|gptq|gguf|mlx|fp8|fp16|bf16|int4|int8|4bit|8bit|q\d\w*))+\Z"
)
"""Ends of a model's name that say which release or packing of it is served."""


class Panel(StrEnum):
    """Who vouches for a label that a model proposed or judged."""

    NONE = "none"
    """Nobody but the model that proposed it."""
    SAME_MODEL = "same_model"
    """Two of the voices are one model: where it errs, both do."""
    INDEPENDENT = "independent"
    """All voices are different models."""


def panel_kind(proposer: Model | None, judges: Sequence[Model]) -> Panel | None:
    """Return what kind of panel decides; None where no model has a voice.

    Args:
        proposer: the model that proposed; None when rules did.
        judges: all models that are asked to judge.
    """
    if not judges:
        return None if proposer is None else Panel.NONE
    voices = [*judges] if proposer is None else [proposer, *judges]
    different = {_weights(model) for model in voices}
    return Panel.INDEPENDENT if len(different) == len(voices) else Panel.SAME_MODEL


def _weights(model: Model) -> str:
    """Return the name of what is served, without its publisher, release and packing: in doubt two models are one."""
    return _RELEASE.sub("", model.served_as.casefold().rpartition("/")[2])


async def decide(rewritten: Rewritten, parts: Parts, config: Config) -> tuple[Verdict, Refusal | None]:
    """Return the verdict and, when something refused, the first refusal.

    Nobody is asked after a refusal: no judge is paid for what a check or the proposer itself refuses.
    """
    scores, refusal = _check(rewritten, (*parts.checks, *parts.checks_of(rewritten.proposal.domain)))
    if refusal is None and (own := own_verdict(rewritten.proposal)) is not None:
        scores.append(own)
        refusal = None if _consents(own, config.theta) else _refusal(Stage.JUDGE, own, Reason.NOT_CONFIDENT)
    judged: list[Score] = []
    if refusal is None:
        judged, refusal = await _vote(rewritten, parts.judges, config)
    stated = [score.value for score in judged if score.value is not None]
    bound = [part for part in rewritten.proposal.parts if part.evidence]
    verdict = Verdict(
        accepted=refusal is None,
        support=len(bound) / len(rewritten.proposal.parts) if rewritten.proposal.parts else 0.0,
        stated_confidence=min(stated) if stated else None,
        scores=(*scores, *judged),
    )
    return verdict, refusal


def own_verdict(proposal: Proposal) -> Score | None:
    """Return the vote of the model that proposed; None when rules did, which have no opinion beside their checks."""
    if proposal.by == "rules":
        return None
    if not proposal.valid:
        return Score(by="proposer", value=0.0, explanation="calls its own goal not valid", reason=Reason.NOT_CONFIDENT)
    if proposal.confidence is None:
        return Score(by="proposer", value=None, explanation="states no confidence")
    return Score(by="proposer", value=proposal.confidence, explanation=f"{proposal.by} calls it valid")


def _check(rewritten: Rewritten, checks: Sequence[Check]) -> tuple[list[Score], Refusal | None]:
    """Apply checks until one refuses; those that do not apply have no vote."""
    scores: list[Score] = []
    for check in checks:
        score = check(rewritten)
        if score is None:
            continue
        scores.append(score)
        if score.value != 1.0 or score.reason is not None:
            return scores, _refusal(Stage.CHECK, score, Reason.UNSCORED)
    return scores, None


async def _vote(rewritten: Rewritten, judges: Sequence[Judge], config: Config) -> tuple[list[Score], Refusal | None]:
    """Ask judges one by one until so many consent, or no longer can: all of them, or the quorum."""
    needed = len(judges) if config.quorum is None else config.quorum
    scores: list[Score] = []
    against: list[Score] = []
    for judge in judges:
        n_for, n_left = len(scores) - len(against), len(judges) - len(scores)
        if n_for >= needed or n_for + n_left < needed:
            break
        scores.append(score := await _ask(judge, rewritten))
        if not _consents(score, config.theta):
            against.append(score)
    if len(scores) - len(against) >= needed:
        return scores, None
    nobody = Score(by="panel", value=None, explanation=f"{needed} judges must consent and there are {len(judges)}")
    return scores, _refusal(Stage.JUDGE, (against or [nobody])[0], Reason.JUDGE_REFUSED)


async def _ask(judge: Judge, rewritten: Rewritten) -> Score:
    """Ask a judge; one that cannot do its work, or votes outside of 0 to 1, leaves the run unscored."""
    try:
        score = await judge.judge(rewritten)
    except StageError as error:
        return Score(by=type(judge).__name__, value=None, explanation=f"{type(error).__name__}: {error}")
    if score.value is None or 0.0 <= score.value <= 1.0:
        return score
    return Score(by=score.by, value=None, explanation=f"votes {score.value}")


def _consents(score: Score, theta: float) -> bool:
    """Tell whether a vote is for the goal: 0 refuses whatever theta is, and so does a vote with a reason against."""
    return score.value is not None and score.reason is None and score.value > 0.0 and score.value >= theta


def _refusal(stage: Stage, score: Score, default: Reason) -> Refusal:
    reason = score.reason or (Reason.UNSCORED if score.value is None else default)
    return Refusal(stage=stage, reason=reason, detail=f"{score.by}: {score.explanation}", evidence=score.evidence)
