"""The gate over all combinations of votes, crashes, broken contracts, thetas and quorums."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.stages.open_runs import model, proposed

from agenther.conclusions import Reason, Refusal, Rewritten, Score, Stage, Verdict, passed, refused
from agenther.config import Config
from agenther.errors import BudgetExceeded, ParseError, Pending, ProviderError, StageError
from agenther.stages.protocols import Parts
from agenther.stages.verify.panel import Panel, decide, own_verdict, panel_kind

REWRITTEN = proposed(confidence=1.0)
BY_RULES = proposed(by="rules", confidence=None)
THETAS = (0.0, 0.3, 0.5, 0.9, 1.0)


def vote(value: float | None, reason: Reason | None = None) -> Score:
    return Score(by="judge:test", value=value, reason=reason, explanation="because")


def unlawful(value: object) -> Score:
    return Score.model_construct(by="judge:test", value=value, explanation="", evidence=(), reason=None)  # type: ignore[arg-type]


FOR = (vote(1.0), vote(0.9), vote(0.5), vote(0.31))
NEVER = (
    vote(0.0),
    vote(None),
    vote(0.0, Reason.JUDGE_REFUSED),
    vote(1.0, Reason.NOT_TRUE),
    unlawful(float("nan")),
    unlawful(7.0),
    unlawful(-1.0),
    ProviderError("gone"),
    ParseError("no JSON"),
    StageError("broken"),
)
"""Votes that consent to nothing, whatever theta is."""
Behaviour = Score | Exception


@dataclass
class Voice:
    """A judge that behaves as it is told, and counts how often it is asked."""

    behaviour: Behaviour
    asked: int = 0

    async def judge(self, rewritten: Rewritten) -> Score:
        self.asked += 1
        if isinstance(self.behaviour, Exception):
            raise self.behaviour
        return self.behaviour


def settings(theta: float, quorum: int | None = None) -> Config:
    """Return settings also where the quorum asks for more judges than are named: the gate must hold by itself."""
    return Config(theta=theta).model_copy(update={"quorum": quorum})


def gate(
    behaviours: Sequence[Behaviour], config: Config, rewritten: Rewritten = REWRITTEN, checks: Sequence[object] = ()
) -> tuple[Verdict, Refusal | None, list[int]]:
    voices = tuple(map(Voice, behaviours))
    parts = Parts(detector=None, extractor=None, proposer=None, checks=tuple(checks), judges=voices)  # type: ignore[arg-type]
    running = decide(rewritten, parts, config)
    try:
        running.send(None)
    except StopIteration as ended:
        verdict, refusal = ended.value
        return verdict, refusal, [voice.asked for voice in voices]
    raise AssertionError("the gate waits for something")


def consents(behaviour: Behaviour, theta: float) -> bool:
    return behaviour in FOR and isinstance(behaviour, Score) and (behaviour.value or 0) >= theta


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("quorum", [None, 1, 2, 3, 4])
def test_all_combinations_of_up_to_three_judges(theta: float, quorum: int | None) -> None:
    config = settings(theta, quorum)
    for behaviours in itertools.chain.from_iterable(itertools.product((*FOR, *NEVER), repeat=n) for n in range(4)):
        verdict, refusal, asked = gate(behaviours, config)
        n_for = sum(consents(b, theta) for b in behaviours)
        needed = len(behaviours) if quorum is None else quorum
        assert verdict.accepted is (refusal is None) is (n_for >= needed), behaviours
        assert all(times in (0, 1) for times in asked)
        if refusal is not None:
            assert refusal.stage is Stage.JUDGE


scores = st.one_of(st.none(), st.floats(0, 1))
behaviour = st.one_of(
    scores.map(vote),
    st.builds(vote, scores, st.sampled_from(Reason)),
    st.floats().map(unlawful),
    st.sampled_from([ProviderError("gone"), ParseError("no JSON"), StageError("broken")]),
)
panels = st.lists(behaviour, max_size=5)
theta = st.floats(0, 1)
quorum = st.one_of(st.none(), st.integers(1, 5))


@given(panels, st.integers(0, 4), st.sampled_from(NEVER), theta)
def test_one_judge_that_does_not_consent_refuses(others: list[Behaviour], at: int, no: Behaviour, theta: float) -> None:
    verdict, refusal, _ = gate([*others[:at], no, *others[at:]], settings(theta))
    assert not verdict.accepted
    assert refusal is not None


@given(st.lists(st.sampled_from(NEVER), min_size=1, max_size=5), theta, quorum)
def test_a_panel_that_always_refuses_accepts_nothing(
    behaviours: list[Behaviour], theta: float, quorum: int | None
) -> None:
    assert not gate(behaviours, settings(theta, quorum))[0].accepted


@given(panels, theta, theta, quorum, st.floats(0, 1))
def test_what_is_accepted_shrinks_as_theta_grows(
    behaviours: list[Behaviour], one: float, other: float, quorum: int | None, confidence: float
) -> None:
    lower, higher = sorted((one, other))
    rewritten = proposed(confidence=confidence)
    if gate(behaviours, settings(higher, quorum), rewritten)[0].accepted:
        assert gate(behaviours, settings(lower, quorum), rewritten)[0].accepted


@given(panels, theta, st.data())
def test_the_order_of_judges_decides_nothing(behaviours: list[Behaviour], theta: float, data: st.DataObject) -> None:
    config = settings(theta, data.draw(quorum))
    shuffled = data.draw(st.permutations(behaviours))
    assert gate(behaviours, config)[0].accepted is gate(shuffled, config)[0].accepted


@given(panels, theta, st.integers(1, 5))
def test_a_larger_quorum_accepts_no_more(behaviours: list[Behaviour], theta: float, n: int) -> None:
    if gate(behaviours, settings(theta, n + 1))[0].accepted:
        assert gate(behaviours, settings(theta, n))[0].accepted
    if behaviours and gate(behaviours, settings(theta))[0].accepted:
        assert gate(behaviours, settings(theta, min(n, len(behaviours))))[0].accepted


@given(panels, theta, quorum)
def test_the_stated_confidence_is_the_lowest_score_of_the_judges_asked(
    behaviours: list[Behaviour], theta: float, quorum: int | None
) -> None:
    verdict, _, asked = gate(behaviours, settings(theta, quorum), BY_RULES)
    values = [b.value for b, n in zip(behaviours, asked, strict=True) if n and isinstance(b, Score)]
    lawful = [value for value in values if value is not None and 0 <= value <= 1]
    assert verdict.stated_confidence == min(lawful, default=None)


def test_no_judge_is_paid_after_the_decision() -> None:
    yes, no = vote(1.0), vote(0.0)
    assert gate([yes, no, yes], settings(0.5))[2] == [1, 1, 0]
    assert gate([yes, no, yes, yes], settings(0.5, 2))[2] == [1, 1, 1, 0]
    assert gate([no, no, yes], settings(0.5, 2))[2] == [1, 1, 0]
    assert gate([yes, yes], settings(0.5), checks=[lambda _: refused("check:t", Reason.TRIVIAL, "no")])[2] == [0, 0]


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("confidence", [None, 0.0, 0.29, 0.5, 1.0])
def test_the_proposer_has_one_voice(theta: float, valid: bool, confidence: float | None) -> None:
    rewritten = proposed(valid=valid, confidence=confidence)
    verdict, refusal, asked = gate([vote(1.0)], settings(theta, 1), rewritten)
    own = valid and confidence is not None and confidence > 0 and confidence >= theta
    assert verdict.accepted is own
    assert asked == [int(own)]
    assert verdict.scores[0].by == "proposer"
    if refusal is not None:
        unstated = valid and confidence is None
        assert refusal.reason is (Reason.UNSCORED if unstated else Reason.NOT_CONFIDENT)


def test_rules_have_no_opinion_beside_their_checks() -> None:
    assert own_verdict(BY_RULES.proposal) is None
    verdict, refusal, _ = gate([], Config(theta=1.0), BY_RULES, [lambda _: passed("check:t", "fine")])
    assert (verdict.accepted, refusal, [s.by for s in verdict.scores]) == (True, None, ["check:t"])


@pytest.mark.parametrize("check", [vote(None), vote(0.99), vote(1.0, Reason.NOT_TRUE), unlawful(float("nan"))])
def test_a_check_consents_by_1_alone(check: Score) -> None:
    verdict, refusal, asked = gate([vote(1.0)], settings(0.0), BY_RULES, [lambda _: check])
    assert (verdict.accepted, asked) == (False, [0])
    assert refusal is not None
    assert refusal.stage is Stage.CHECK


@pytest.mark.parametrize("quorum", [None, 1])
@pytest.mark.parametrize("error", [Pending("in a batch"), BudgetExceeded("spent"), RuntimeError("a fault of ours")])
def test_what_postpones_a_run_or_is_a_fault_of_ours_is_no_vote(error: Exception, quorum: int | None) -> None:
    with pytest.raises(type(error)):
        gate([error, vote(1.0)], settings(0.0, quorum))


def test_a_gate_that_nobody_holds_up_works_in_any_loop() -> None:
    parts = Parts(detector=None, extractor=None, proposer=None, checks=(), judges=(Voice(vote(1.0)),))  # type: ignore[arg-type]
    verdict, _ = asyncio.run(decide(REWRITTEN, parts, Config()))
    assert verdict.accepted


A, B, C = model("a"), model("b"), model("c")


@pytest.mark.parametrize(
    ("proposer", "judges", "kind"),
    [
        (None, [], None),
        (A, [], Panel.NONE),
        (A, [B], Panel.INDEPENDENT),
        (A, [B, C], Panel.INDEPENDENT),
        (None, [A], Panel.INDEPENDENT),
        (A, [A], Panel.SAME_MODEL),
        (A, [B, B], Panel.SAME_MODEL),
        (None, [A, A], Panel.SAME_MODEL),
        (A, [B, A], Panel.SAME_MODEL),
    ],
)
def test_a_panel_is_independent_when_all_models_differ(proposer: object, judges: list[object], kind: Panel) -> None:
    assert panel_kind(proposer, judges) is kind  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "alias",
    [
        "pilot-7b",
        "Pilot-7B",
        "harbour/pilot-7b",
        "pilot-7b-2031-05-09",
        "pilot-7b-20310509",
        "pilot-7b:latest",
        "harbour/Pilot-7B-AWQ",
        "pilot-7b-q4_k_m",
        "pilot-7b-fp8-0531",
    ],
)
def test_a_model_under_another_name_is_the_same_model(alias: str) -> None:
    judge = model("somebody-else", served_as=alias)
    assert panel_kind(model("p", served_as="pilot-7b"), [judge]) is Panel.SAME_MODEL


@pytest.mark.parametrize("other", ["pilot-72b", "pilot-7b-mini", "pilot-7b:instruct", "copilot-7b", "pilot"])
def test_another_size_or_kind_is_another_model(other: str) -> None:
    assert panel_kind(model("pilot-7b"), [model(other)]) is Panel.INDEPENDENT
