"""The algorithm with parts made to order: what is asked, in which order, and what becomes of refusals."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from pydantic import ValidationError

from agenther.conclusions import (
    Attempt,
    Claim,
    Detection,
    FailureType,
    GoalPart,
    Outcome,
    Proposal,
    Reason,
    Refusal,
    Result,
    Rewritten,
    Score,
    Stage,
    passed,
    refused,
)
from agenther.config import Config
from agenther.errors import ProviderError
from agenther.pipeline import gate, relabel
from agenther.stages.protocols import Parts
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

GOAL = "Which barges are late?"
SPAN = Span(step=2, field="observations[0].content", start=0, end=2)
FAILED = Detection(outcome=Outcome.FAILED, failure_type=FailureType.WRONG_RESULT, weight=0.7, by="test")
CLAIM = Claim(text="counted", kind="test.fact", evidence=(SPAN,))


def make_run(success: bool | None = False) -> Trajectory:
    call = ToolCall(tool_call_id="c", function_name="count", arguments="{}")
    steps = (
        Step(step_id=1, source="user", message=GOAL),
        Step(
            step_id=2, source="agent", tool_calls=(call,), observations=(Observation(content="12", source_call_id="c"),)
        ),
    )
    place = (Span(step=1, field="message", start=0, end=len(GOAL)),)
    source = Source(path="p", format="f", index=0)
    return Trajectory(id="r", source=source, goal=GOAL, goal_at=place, steps=steps, success=success)


def make_proposal(goal: str = "How many locks are there?", **changes: object) -> Proposal:
    proposal = Proposal(
        goal=goal,
        strategy="final",
        domain="test",
        claims=(CLAIM,),
        parts=(GoalPart(start=0, end=4, kind="object", evidence=(SPAN,)),),
        last_step=2,
        useful_steps=(2,),
    )
    return proposal.model_copy(update=changes)


class Fixed:
    """Detector, extractor and proposer with fixed answers; remembers what the proposer was told."""

    def __init__(
        self,
        *rounds: tuple[Proposal | Refusal, ...],
        claims: tuple[Claim, ...] = (CLAIM,),
        detection: Detection = FAILED,
    ) -> None:
        self.rounds, self.claims, self.detection = list(rounds), claims, detection
        self.told: list[tuple[Attempt, ...]] = []

    async def detect(self, trajectory: Trajectory) -> Detection:
        return self.detection

    async def extract(self, trajectory: Trajectory, detection: Detection) -> tuple[Claim, ...]:
        return self.claims

    async def propose(
        self, trajectory: Trajectory, claims: tuple[Claim, ...], attempts: tuple[Attempt, ...]
    ) -> tuple[Proposal | Refusal, ...]:
        self.told.append(attempts)
        return self.rounds.pop(0) if self.rounds else ()


class Vote:
    """A judge with a fixed vote; counts how often it is asked."""

    def __init__(self, value: float | None) -> None:
        self.value, self.asked = value, 0

    async def judge(self, rewritten: Rewritten) -> Score:
        self.asked += 1
        return Score(by="judge:test", value=self.value)


def conclude(fixed: Fixed, *judges: Vote, checks: tuple[object, ...] = (), config: Config | None = None) -> Result:
    parts = Parts(detector=fixed, extractor=fixed, proposer=fixed, checks=checks, judges=judges)  # type: ignore[arg-type]
    return asyncio.run(relabel(make_run(), parts, config or Config()))


def test_an_accepted_goal_becomes_an_example_with_its_weight() -> None:
    result = conclude(Fixed((make_proposal(),)))
    (example,) = result.examples
    assert example.hindsight_goal == "How many locks are there?"
    assert example.weight == 0.7
    assert example.messages[0]["content"] == example.hindsight_goal
    assert result.drop is None


@pytest.mark.parametrize("votes", list(itertools.product([1.0, 0.6, 0.4, 0.0, None], repeat=2)))
def test_one_judge_that_does_not_consent_refuses(votes: tuple[float | None, ...]) -> None:
    result = conclude(Fixed((make_proposal(),)), *map(Vote, votes))
    consent = all(vote is not None and vote >= 0.5 for vote in votes)
    assert bool(result.examples) is consent
    if consent:
        assert result.examples[0].verdict.stated_confidence == min(v for v in votes if v is not None)


def test_a_judge_that_breaks_down_leaves_the_run_unscored() -> None:
    class Broken:
        async def judge(self, rewritten: Rewritten) -> Score:
            raise ProviderError("no answer")

    result = conclude(Fixed((make_proposal(),)), Broken())  # type: ignore[arg-type]
    assert result.drop is not None
    assert (result.drop.stage, result.drop.reason) == (Stage.JUDGE, Reason.UNSCORED)


@pytest.mark.parametrize("value", [float("nan"), -0.1, 1.1])
def test_a_score_lies_between_0_and_1(value: float) -> None:
    with pytest.raises(ValidationError):
        Score(by="judge:test", value=value)


def test_a_run_without_an_agent_turn_gives_nothing() -> None:
    fixed = Fixed((make_proposal(),))
    run = make_run(success=True)
    silent = run.model_copy(update={"steps": run.steps[:1]})
    parts = Parts(detector=fixed, extractor=fixed, proposer=fixed, checks=())
    drop = asyncio.run(relabel(silent, parts, Config(include_successes=True))).drop
    assert drop is not None
    assert drop.reason is Reason.NO_ACTION


def test_judges_are_not_asked_when_a_check_refuses() -> None:
    judge = Vote(1.0)
    result = conclude(
        Fixed((make_proposal(),)), judge, checks=(lambda _: refused("check:test", Reason.REWORDING, "no"),)
    )
    assert judge.asked == 0
    assert result.drop is not None
    assert (result.drop.stage, result.drop.reason) == (Stage.CHECK, Reason.REWORDING)


def test_a_check_that_does_not_apply_abstains() -> None:
    result = conclude(Fixed((make_proposal(),)), checks=(lambda _: None, lambda _: passed("check:test", "yes")))
    assert [score.by for score in result.examples[0].verdict.scores] == ["check:test"]


def test_the_proposer_is_told_why_it_was_refused_and_may_try_again() -> None:
    refusal = Refusal(stage=Stage.PROPOSE, reason=Reason.UNNATURAL)
    fixed = Fixed((refusal,), (make_proposal(),))
    result = conclude(fixed)
    assert fixed.told == [(), (Attempt(number=1, goal="", refusal=refusal),)]
    assert [attempt.number for attempt in result.attempts] == [1, 2]
    assert len(result.examples) == 1


def test_no_more_than_k_attempts() -> None:
    refusal = Refusal(stage=Stage.PROPOSE, reason=Reason.UNNATURAL)
    fixed = Fixed(*[(refusal,)] * 9)
    assert conclude(fixed, config=Config(attempts=2)).drop == refusal
    assert len(fixed.told) == 2


def test_the_drop_names_the_refusal_that_came_furthest() -> None:
    early = Refusal(stage=Stage.PROPOSE, reason=Reason.UNNATURAL)
    fixed = Fixed((make_proposal(), early))
    result = conclude(fixed, checks=(lambda _: refused("check:test", Reason.TRIVIAL, "no"),))
    assert result.drop is not None
    assert result.drop.reason is Reason.TRIVIAL


def test_several_goals_of_one_run_are_all_kept() -> None:
    result = conclude(Fixed((make_proposal(), make_proposal("How many gates are there?"))))
    assert len({example.id for example in result.examples}) == 2


def test_nothing_achieved_is_a_reason() -> None:
    result = conclude(Fixed(claims=()))
    assert result.drop is not None
    assert result.drop.reason is Reason.NOTHING_ACHIEVED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outcome": Outcome.SUCCEEDED}, Reason.NOT_FAILED),
        ({"outcome": Outcome.UNKNOWN}, Reason.OUTCOME_UNKNOWN),
        ({"infrastructure": True}, Reason.INFRASTRUCTURE),
        ({"false_failure": True}, Reason.PROBABLY_SUCCEEDED),
        ({"recoverable": False}, Reason.IRRECOVERABLE),
        ({"weight": 0.29}, Reason.TOO_SEVERE),
        ({"weight": 0.3}, None),
    ],
)
def test_gate(changes: dict[str, object], reason: Reason | None) -> None:
    refusal = gate(FAILED.model_copy(update=changes), Config())
    assert (refusal.reason if refusal else None) is reason


def test_successes_are_written_whole_when_asked_for() -> None:
    fixed = Fixed(detection=Detection(outcome=Outcome.SUCCEEDED, by="label:test"))
    parts = Parts(detector=fixed, extractor=fixed, proposer=fixed, checks=())
    result = asyncio.run(relabel(make_run(success=True), parts, Config(include_successes=True)))
    (example,) = result.examples
    assert (example.origin, example.hindsight_goal, example.train_on) == ("success", GOAL, (2,))
    assert asyncio.run(relabel(make_run(success=True), parts, Config())).drop is not None
