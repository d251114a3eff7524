"""Each check of a model's goal, with a good label whose evidence is tampered with."""

from __future__ import annotations

import pytest
from tests.stages.open_runs import FOUND, open_run, proposed

from agenther.conclusions import Reason, Rewritten, Score
from agenther.stages.citations import is_echo
from agenther.stages.verify.open import (
    CHECKS,
    check_bound,
    check_citations,
    check_known_before,
    check_request,
    check_result,
)
from agenther.trajectory import Observation, Span, Trajectory


def with_goal(rewritten: Rewritten, **changes: object) -> Rewritten:
    return rewritten.model_copy(update={"proposal": rewritten.proposal.model_copy(update=changes)})


def citing(rewritten: Rewritten, *spans: Span) -> Rewritten:
    proposal = rewritten.proposal
    parts = tuple(part.model_copy(update={"evidence": spans}) for part in proposal.parts)
    return with_goal(rewritten, parts=parts, claims=(proposal.claims[0].model_copy(update={"evidence": spans}),))


def with_output(rewritten: Rewritten, content: str, **labels: object) -> Rewritten:
    """Return the label on a run in which step 2 came back with something else."""
    run = rewritten.trajectory
    steps = tuple(
        s.model_copy(update={"observations": (Observation(content=content, source_call_id="call_1"),)})
        if s.step_id == 2
        else s
        for s in run.steps
    )
    return rewritten.model_copy(update={"trajectory": run.model_copy(update={"steps": steps, "labels": labels})})


def output(start: int = 0, end: int = len(FOUND)) -> Span:
    return Span(step=2, field="observations[0].content", start=start, end=end)


def call(run: Trajectory) -> Span:
    arguments = run.step(2).tool_calls[0].arguments
    return Span(step=2, field="tool_calls[0].arguments", start=0, end=len(arguments))


def reason_of(score: Score) -> Reason | None:
    assert (score.value == 1.0) == (score.reason is None)
    return score.reason


def test_the_good_label_passes_all() -> None:
    assert [check(proposed()).value for check in CHECKS] == [1.0] * len(CHECKS)


@pytest.mark.parametrize(
    "goal",
    [
        "The agent counted the piers in Old Harbour",
        "Count things",
        "How many piers\u200b are in Old Harbour?",
        "How many piers <|im_end|> are there in Old Harbour?",
    ],
)
def test_no_request(goal: str) -> None:
    assert reason_of(check_request(with_goal(proposed(), goal=goal))) is Reason.UNNATURAL


def test_words_without_a_citation() -> None:
    good = proposed()
    bare = with_goal(good, parts=good.proposal.parts[1:2])
    assert reason_of(check_bound(bare)) is Reason.UNGROUNDED


def test_citations_of_the_agents_own_words() -> None:
    own = Span(step=3, field="message", start=0, end=5)
    assert reason_of(check_citations(citing(proposed(), own))) is Reason.UNGROUNDED


def test_citations_of_calls_that_failed_by_their_code() -> None:
    coded = with_output(proposed(), FOUND, observation_codes={"2": 5})
    assert reason_of(check_citations(coded)) is Reason.EVIDENCE_FAILED


@pytest.mark.parametrize("content", ["", "  \n", "Error: no such area"])
def test_citations_of_calls_that_show_nothing(content: str) -> None:
    good = proposed()
    tampered = with_output(citing(good, call(good.trajectory)), content)
    assert reason_of(check_citations(tampered)) is Reason.EVIDENCE_FAILED


def test_citations_of_errors() -> None:
    tampered = with_output(citing(proposed(), output(0, 5)), "Error: no such area")
    assert reason_of(check_citations(tampered)) is Reason.EVIDENCE_FAILED


@pytest.mark.parametrize("content", ["Old Harbour, min length 120", "count_piers(Old Harbour)", "ferries in Sorvik"])
def test_echoes(content: str) -> None:
    tampered = with_output(citing(proposed(), output(0, len(content))), content)
    assert is_echo(tampered.trajectory, output(0, len(content)))
    assert reason_of(check_citations(tampered)) is Reason.UNGROUNDED


def test_a_line_with_something_new_is_no_echo() -> None:
    run = open_run("Old Harbour\nOld Harbour: 4 piers\nOld Harbour")
    assert is_echo(run, output(0, 11))
    assert not is_echo(run, output(12, 23))


def test_a_result_that_no_observation_shows() -> None:
    good = proposed()
    assert reason_of(check_result(citing(good, call(good.trajectory)))) is Reason.UNGROUNDED


def test_an_answer_that_stands_in_no_cited_characters() -> None:
    good = proposed()
    assert reason_of(check_result(citing(good, output(0, 8)))) is Reason.UNGROUNDED
    assert reason_of(check_result(with_output(good, '{"count": 7}'))) is Reason.UNGROUNDED
    assert reason_of(check_result(with_goal(good, answers=()))) is Reason.UNGROUNDED


def test_a_question_called_a_change() -> None:
    assert reason_of(check_result(with_goal(proposed(), effect=True))) is Reason.NO_RECORDED_ANSWER


def test_a_question_that_names_what_came_back_with_its_answer() -> None:
    good = with_output(citing(proposed(), output(0, 30)), "Old Harbour: 4 piers, 1 of Stone Quay")
    given = with_goal(good, goal='How many piers other than "Stone Quay" are in "Old Harbour"?')
    assert reason_of(check_known_before(given)) is Reason.ANSWER_IN_GOAL
    assert reason_of(check_known_before(good)) is None
