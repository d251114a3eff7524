"""The checks for every domain: each passes on an honest run and refuses when the evidence is tampered with."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agenther.conclusions import Claim, GoalPart, Proposal, Reason, Rewritten, Score
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.answers import check_answer_hidden, check_answer_told
from agenther.stages.verify.context import check_context
from agenther.stages.verify.effort import check_effort, check_no_trained_error
from agenther.stages.verify.grounding import check_grounding, contains, held_in
from agenther.stages.verify.leaks import check_actions, check_prose
from agenther.stages.verify.novelty import check_novelty
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

OLD = "Which ferries leave Sorvik before 9:00 on Sunday?"
NEW = 'How many piers in "Old Harbour" are longer than 120 metres?'
ARGUMENTS = '{"area": "Old Harbour", "min_length": 120}'


def honest(
    *,
    arguments: str = ARGUMENTS,
    content: str = '{"count": 4}',
    reasoning: str | None = "I filter piers by length.",
    answer: str = "There are 4 piers.",
    new: str = NEW,
    prompt: str = OLD,
    **changes: object,
) -> Rewritten:
    """Return a run that counts long piers, as it would be trained on."""
    steps = (
        Step(step_id=1, source="user", message=prompt),
        Step(
            step_id=2,
            source="agent",
            reasoning=reasoning,
            tool_calls=(ToolCall(tool_call_id="a", function_name="count_piers", arguments=arguments),),
            observations=(Observation(content=content, source_call_id="a"),),
        ),
        Step(step_id=3, source="agent", message=answer),
    )
    run = Trajectory(
        id="r",
        source=Source(path="p", format="f", index=0),
        goal=OLD,
        goal_at=(Span(step=1, field="message", start=prompt.index(OLD), end=prompt.index(OLD) + len(OLD)),),
        steps=steps,
        success=False,
    )
    span = Span(step=2, field="tool_calls[0].arguments", start=0, end=len(arguments))
    result = Span(step=2, field="observations[0].content", start=0, end=len(content))
    proposal = Proposal(
        goal=new,
        strategy="final",
        domain="test",
        claims=(Claim(text="4 piers", kind="test.fact", evidence=(result,)),),
        parts=(GoalPart(start=0, end=len(new), kind="condition", evidence=(span,)),),
        last_step=2,
        answer_step=3,
        useful_steps=(2, 3),
        answers=("4",),
    )
    rewritten = rewrite(run, proposal.model_copy(update=changes))
    assert isinstance(rewritten, Rewritten)
    return rewritten


CHECKS = (
    check_grounding,
    check_novelty,
    check_answer_hidden,
    check_answer_told,
    check_effort,
    check_no_trained_error,
    check_context,
    check_prose,
    check_actions,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_honest_run_passes(check: object) -> None:
    score = check(honest())  # type: ignore[operator]
    assert score.value == 1.0, score.explanation


def expect(score: Score, reason: Reason) -> None:
    assert (score.value, score.reason) == (0.0, reason), score.explanation


@pytest.mark.parametrize(
    "arguments",
    [
        '{"area": "Old Harbour", "min_length": 12}',
        '{"area": "Old Harbour", "min_length": 1200}',
        '{"area": "New Harbour", "min_length": 120}',
        "{}",
    ],
)
def test_grounding_refuses_a_number_or_name_that_evidence_lacks(arguments: str) -> None:
    expect(check_grounding(honest(arguments=arguments)), Reason.UNGROUNDED)


def test_grounding_refuses_a_fact_outside_every_part() -> None:
    part = GoalPart(
        start=0, end=10, kind="object", evidence=(Span(step=2, field="tool_calls[0].arguments", start=0, end=30),)
    )
    expect(check_grounding(honest(parts=(part,))), Reason.UNGROUNDED)


@pytest.mark.parametrize(
    "span",
    [
        Span(step=2, field="tool_calls[3].arguments", start=0, end=5),
        Span(step=2, field="tool_calls[0].arguments", start=900, end=990),
        Span(step=9, field="message", start=0, end=5),
    ],
)
def test_grounding_refuses_evidence_that_points_at_nothing(span: Span) -> None:
    part = GoalPart(start=0, end=len(NEW), kind="condition", evidence=(span,))
    expect(check_grounding(honest(parts=(part,))), Reason.UNGROUNDED)


def test_grounding_refuses_unbound_parts_and_failed_calls() -> None:
    expect(check_grounding(honest(parts=())), Reason.UNGROUNDED)
    expect(check_grounding(honest(parts=(GoalPart(start=0, end=4, kind="object", evidence=()),))), Reason.UNGROUNDED)
    expect(check_grounding(honest(content="Error: no such table")), Reason.EVIDENCE_FAILED)


def test_a_rounded_bound_must_lie_above_its_evidence() -> None:
    goal = "Buy a lamp, and price lower than 40.00 dollars"
    for price, value in (("31.49", 1.0), ("40.00", 1.0), ("44.10", 0.0)):
        arguments = f'{{"price": "${price}"}}'
        span = Span(step=2, field="tool_calls[0].arguments", start=0, end=len(arguments))
        part = GoalPart(start=0, end=len(goal), kind="upper_bound", evidence=(span,))
        assert check_grounding(honest(arguments=arguments, new=goal, parts=(part,))).value == value


@pytest.mark.parametrize(
    ("text", "fact", "found"),
    [
        ("WHERE age > 30", "30", True),
        ("WHERE age > 305", "30", False),
        ("limit 5,000.0", "5000", True),
        ('name = \\"North\\"', "North", True),
        ("Northern", "North", False),
        ("*.log", ".log", True),
    ],
)
def test_contains(text: str, fact: str, found: bool) -> None:
    assert contains(text, fact) is found


@example("of 1,000", ["1000", "1000.0", "100"])
@given(st.text('aA1.0, \\"é', max_size=9), st.lists(st.text('aA1.0,"é', min_size=1, max_size=4)))
def test_held_in_is_contains_of_each(text: str, facts: list[str]) -> None:
    assert list(held_in(text, facts)) == [fact for fact in facts if contains(text, fact)]


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        "Find which ferries leave Sorvik before 9:00 on Sunday",
        "Which ferry is leaving Sorvik on Sunday before 9:00?",
    ],
)
def test_novelty_refuses_the_old_goal_in_other_words(new: str) -> None:
    expect(check_novelty(honest(new=new)), Reason.REWORDING)


def test_novelty_lets_another_value_pass() -> None:
    assert check_novelty(honest(new="Which ferries leave Sorvik before 11:00 on Sunday?")).value == 1.0


def test_an_answer_in_the_goal_is_refused() -> None:
    expect(check_answer_hidden(honest(answers=("120",))), Reason.ANSWER_IN_GOAL)


def test_an_answer_must_be_told_and_be_the_result() -> None:
    expect(check_answer_told(honest(answer_step=None)), Reason.NO_RECORDED_ANSWER)
    expect(check_answer_told(honest(answer="There are 7 piers.")), Reason.ANSWER_MISSES_GOAL)
    expect(check_answer_told(honest(answer="There are 4 piers, 95 metres each.")), Reason.NOT_TRUE)
    assert check_answer_told(honest(answer_step=None, effect=True)).value == 1.0


def test_effort_refuses_goals_met_in_passing() -> None:
    expect(check_effort(honest(useful_steps=())), Reason.BY_CHANCE)


def test_errors_are_not_trained_on() -> None:
    expect(check_no_trained_error(honest(content="Error: unknown column")), Reason.EVIDENCE_FAILED)
    assert check_no_trained_error(honest(content="Error: unknown column", mask_steps=(2,))).value == 1.0


def test_prose_that_speaks_of_the_old_goal_is_refused_when_it_survives_rewriting() -> None:
    leaking = honest()
    step = leaking.steps[1].model_copy(update={"reasoning": "Before Sunday ferries, I count."})
    leaking = leaking.model_copy(update={"steps": (leaking.steps[0], step, leaking.steps[2])})
    expect(check_prose(leaking), Reason.STILL_SPEAKS_OF_OLD_GOAL)


def test_an_action_that_speaks_of_the_old_goal_is_refused_unless_it_carries_no_loss() -> None:
    arguments = '{"area": "Old Harbour", "min_length": 120, "note": "for sunday ferries"}'
    expect(check_actions(honest(arguments=arguments)), Reason.STILL_SPEAKS_OF_OLD_GOAL)
    assert check_actions(honest(arguments=arguments, mask_steps=(2,))).value == 1.0


@pytest.mark.parametrize(
    "prompt",
    [
        f"{OLD} Then book two tickets for my wife.",
        f"{OLD}\n\nAnd then send the receipt to her.",
        f"{OLD} I prefer the Sunday service.",
        f"I want to know about ferries leaving Sorvik early on Sunday, before 9:00. {OLD}",
    ],
)
def test_a_user_text_that_asks_for_more_than_the_new_goal_is_refused(prompt: str) -> None:
    expect(check_context(honest(prompt=prompt)), Reason.USER_TURNS_CONTRADICT)


@pytest.mark.parametrize(
    "prompt", [f"Answer with the tools you have.\nTask: {OLD}\nThink step by step.", f"Instruction: {OLD} [Search]"]
)
def test_a_harness_around_the_goal_passes(prompt: str) -> None:
    assert check_context(honest(prompt=prompt)).value == 1.0


def test_a_worked_example_in_the_prompt_is_nobodys_request() -> None:
    example = "Which ferries leave Lund before 9:00 on Sunday? None do."
    prompt = f"{example}\n\nTask: {OLD}"
    lesson = honest(prompt=prompt)
    expect(check_context(lesson), Reason.USER_TURNS_CONTRADICT)
    place = (Span(step=1, field="message", start=0, end=len(example)),)
    told = lesson.model_copy(update={"trajectory": lesson.trajectory.model_copy(update={"worked_at": place})})
    assert check_context(told).value == 1.0
