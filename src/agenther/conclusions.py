"""What AgentHER concludes about a run: detection, claims, proposals, verdicts, examples, drops.

Records only; who reaches these conclusions stands in `stages`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import Field

from agenther.record import JsonObject, Record, StorableObject
from agenther.replay import Replay
from agenther.trajectory import Source, Span, Step, Trajectory


class FailureType(StrEnum):
    """How the agent failed (paper, section 3.1)."""

    INCOMPLETE = "incomplete"
    CONSTRAINT_VIOLATION = "constraint_violation"
    WRONG_RESULT = "wrong_result"
    TOOL_ERROR = "tool_error"
    HALLUCINATION = "hallucination"
    OFF_TOPIC = "off_topic"


class Outcome(StrEnum):
    """What became of the run's own goal."""

    FAILED = "failed"
    SUCCEEDED = "succeeded"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Where a run was dropped."""

    DETECT = "detect"
    EXTRACT = "extract"
    PROPOSE = "propose"
    REWRITE = "rewrite"
    CHECK = "check"
    JUDGE = "judge"
    PACKAGE = "package"


class Reason(StrEnum):
    """Why a run was dropped: the closed list."""

    NOT_FAILED = "not_failed"
    OUTCOME_UNKNOWN = "outcome_unknown"
    PROBABLY_SUCCEEDED = "probably_succeeded"
    INFRASTRUCTURE = "infrastructure"
    IRRECOVERABLE = "irrecoverable"
    TOO_SEVERE = "too_severe"
    NO_ACTION = "no_action"
    NOTHING_ACHIEVED = "nothing_achieved"
    NO_NATURAL_GOAL = "no_natural_goal"
    USER_TURNS_CONTRADICT = "user_turns_contradict"
    GOAL_NOT_LOCATED = "goal_not_located"
    NO_RECORDED_ANSWER = "no_recorded_answer"
    STILL_SPEAKS_OF_OLD_GOAL = "still_speaks_of_old_goal"
    UNGROUNDED = "ungrounded"
    EVIDENCE_FAILED = "evidence_failed"
    REWORDING = "rewording"
    ANSWER_IN_GOAL = "answer_in_goal"
    ANSWER_MISSES_GOAL = "answer_misses_goal"
    TRIVIAL = "trivial"
    BY_CHANCE = "by_chance"
    SIDE_EFFECT = "side_effect"
    AMBIGUOUS = "ambiguous"
    NOT_TRUE = "not_true"
    UNNATURAL = "unnatural"
    JUDGE_REFUSED = "judge_refused"
    UNSCORED = "unscored"
    TOO_LONG = "too_long"
    NOT_CONFIDENT = "not_confident"
    NEAR_DUPLICATE = "near_duplicate"


class Detection(Record):
    """Did the run fail its own goal, how, and how badly."""

    outcome: Outcome
    failure_type: FailureType | None = Field(default=None, description="None unless the run failed")
    recoverable: bool = Field(default=True, description="False: nothing in the run can be used")
    weight: float = Field(default=1.0, ge=0, le=1, description="severity weight w: 1 mild, near 0 catastrophic")
    critical_step: int | None = Field(
        default=None, description="step_id of the decisive mistake; None when it cannot be told"
    )
    infrastructure: bool = Field(default=False, description="the environment failed, not the agent")
    false_failure: bool = Field(default=False, description="labelled a failure, but holds the whole right answer")
    evidence: tuple[Span, ...] = ()
    explanation: str = ""
    by: str = Field(
        description="who says so: `label:<source>`, `rule:<name>`, `model:<name>`; `label:<source>, model:<name>` where a label "
        "gives the outcome and a model the rest"
    )


class Claim(Record):
    """A statement about what the run achieved, with the characters that support it."""

    text: str
    kind: str = Field(description="`effect`, `fact` or `answer`, with the domain before it: `sql.fact`")
    evidence: tuple[Span, ...] = Field(min_length=1)
    data: StorableObject = Field(
        default_factory=dict, description="the parsed substance, for the composer of the domain"
    )


class GoalPart(Record):
    """A part of a proposed goal that states something, bound to what supports it."""

    start: int = Field(ge=0, description="first character in the goal")
    end: int = Field(ge=0, description="one past the last character in the goal")
    kind: str = Field(description="`object`, `condition`, `value`, `order`, `place`, `quantity`, ...")
    evidence: tuple[Span, ...] = Field(
        description="where a kept action or its observation says the same; never empty when bound"
    )


class Proposal(Record):
    """A hindsight goal and the part of the run that demonstrates it."""

    goal: str
    strategy: Literal["final", "future"]
    domain: str
    claims: tuple[Claim, ...] = Field(min_length=1)
    parts: tuple[GoalPart, ...]
    last_step: int = Field(description="step_id of the achieving step: the run is cut after it")
    answer_step: int | None = Field(
        default=None, description="agent step that tells the user the answer; None when none is owed"
    )
    drop_steps: tuple[int, ...] = Field(
        default=(), description="steps that changed nothing and serve nothing: left out"
    )
    mask_steps: tuple[int, ...] = Field(default=(), description="steps kept for the record that carry no loss")
    useful_steps: tuple[int, ...] = Field(default=(), description="kept agent steps that serve the goal")
    answers: tuple[str, ...] = Field(default=(), description="values that answer the goal and must not stand in it")
    effect: bool = Field(default=False, description="the goal asks for a change, not for an answer")
    goal_in_turns: bool = Field(
        default=False,
        description="the kept user turns already ask for it: the goal is their summary and is written nowhere",
    )
    by: str = Field(default="rules", description="who proposes it: `rules` or `model:<name>`")
    valid: bool = Field(default=True, description="the proposer's own verdict")
    confidence: float | None = Field(
        default=None, ge=0, le=1, allow_inf_nan=False, description="the proposer's, in its verdict; None for rules"
    )
    synthesized: str | None = Field(
        default=None, description="a final answer that the proposer wrote, not the agent; None when it wrote none"
    )


class Refusal(Record):
    """Why a proposal, or a whole run, was not used."""

    stage: Stage
    reason: Reason
    detail: str = ""
    evidence: tuple[Span, ...] = ()


class Score(Record):
    """One vote on a rewritten run."""

    by: str
    value: float | None = Field(
        ge=0, le=1, allow_inf_nan=False, description="1 passes, 0 refuses, between: confidence; None: unscored"
    )
    explanation: str = ""
    evidence: tuple[Span, ...] = ()
    reason: Reason | None = Field(default=None, description="why it refuses; None when it does not")
    replay: Replay | None = Field(
        default=None, description="what was shown by execution; None where nothing was executed"
    )


class Verdict(Record):
    """The decision of all checks and judges."""

    accepted: bool
    support: float = Field(ge=0, le=1, description="share of the goal's parts bound to evidence")
    stated_confidence: float | None = Field(default=None, description="lowest judge score; None in rule mode")
    scores: tuple[Score, ...]


class Rewritten(Record):
    """What would be trained on: the run with the hindsight goal in the old one's place."""

    trajectory: Trajectory = Field(description="the run as stored; spans point into it")
    proposal: Proposal
    steps: tuple[Step, ...] = Field(description="kept steps, edited; they keep their step_id")
    train_on: tuple[int, ...] = Field(description="step_ids that carry loss")
    repairs: tuple[str, ...] = Field(default=(), description="what was changed and why, one line each")


class Attempt(Record):
    """One proposal and what became of it."""

    number: int
    goal: str
    verdict: Verdict | None = Field(default=None, description="None when rewriting already refused")
    refusal: Refusal | None = Field(default=None, description="None when accepted")


class Example(Record):
    """A training example that carries its evidence."""

    id: str
    trajectory_id: str
    task_id: str | None
    origin: Literal["hindsight", "success"]
    source: Source
    desired_goal: str
    hindsight_goal: str
    strategy: Literal["final", "future"]
    domain: str
    detection: Detection
    claims: tuple[Claim, ...]
    verdict: Verdict
    weight: float
    messages: tuple[JsonObject, ...]
    tools: str = Field(description="tool schemas as one JSON string")
    train_on: tuple[int, ...]
    repairs: tuple[str, ...]
    provenance: JsonObject
    answers: tuple[str, ...] = Field(
        default=(), description="values that answer the hindsight goal; kept in the store for tasks, in no file"
    )


class Result(Record):
    """Everything that happened to a run. Kept when it has examples, dropped when it has a drop, failed on an error."""

    detection: Detection | None = None
    claims: tuple[Claim, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    examples: tuple[Example, ...] = ()
    drop: Refusal | None = None
    error: str | None = None


def passed(by: str, explanation: str, evidence: Iterable[Span] = ()) -> Score:
    """Return the vote of a check that found nothing wrong."""
    return Score(by=by, value=1.0, explanation=explanation, evidence=tuple(evidence))


def refused(by: str, reason: Reason, explanation: str, evidence: Iterable[Span] = ()) -> Score:
    """Return the vote of a check that refuses."""
    return Score(by=by, value=0.0, reason=reason, explanation=explanation, evidence=tuple(evidence))
