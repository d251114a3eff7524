"""Checks of changes that a model claims: a good label whose calls, answers and words are tampered with."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.stages.open_runs import cited

from agenther.conclusions import Claim, GoalPart, Proposal, Reason, Rewritten
from agenther.record import Json
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.open import CHECKS, check_change, check_known_before, check_result
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Span, Trajectory

OLD = "Move the regatta of Sorvik to Sunday and tell the crews"
NEW = 'Reserve the berth "B7" for "Liv Berg"'
DONE = "Reserved: berth B7, Liv Berg, receipt 5501"
QUOTES = (('berth "B7"', '"berth":"B7"'), ('"Liv Berg"', '"guest":"Liv Berg"'), ("Reserve", "receipt 5501"))


def berth_run(
    observation: str = DONE, name: str = "reserve_berth", before: str = "berths free: 3", **fields: object
) -> Trajectory:
    """Return a run that reserved a berth although it was asked to move a regatta."""
    return make_trajectory(
        user(OLD),
        assistant("", tool_call("list_harbours", "call_0", water="deep")),
        tool(before, "call_0"),
        assistant("", tool_call(name, berth="B7", guest="Liv Berg")),
        tool(observation),
        **fields,
    )


def label(
    run: Trajectory, goal: str = NEW, quotes: Sequence[tuple[str, str | Span]] = QUOTES, **changes: object
) -> Rewritten:
    """Return the run as it would be trained on; the quotes are of step 3, unless they are places."""
    parts: list[GoalPart] = []
    for said, quote in quotes:
        start = goal.index(said)
        span = quote if isinstance(quote, Span) else place(run, quote)
        parts.append(GoalPart(start=start, end=start + len(said), kind="cited", evidence=(span,)))
    spans = tuple(span for part in parts for span in part.evidence)
    proposal = Proposal(
        goal=goal,
        strategy="final",
        domain="open",
        claims=(Claim(text="reserved a berth", kind="open.effect", evidence=spans),),
        parts=tuple(parts),
        last_step=3,
        useful_steps=(2, 3),
        effect=True,
        by="model:pilot",
        confidence=0.9,
    ).model_copy(update=changes)
    rewritten = rewrite(run, proposal)
    assert isinstance(rewritten, Rewritten)
    return rewritten


def place(run: Trajectory, quote: str, step: int = 3) -> Span:
    moved = run.model_copy(
        update={"steps": tuple(s.model_copy(update={"step_id": 2}) for s in run.steps if s.step_id == step)}
    )
    return cited(moved, quote).model_copy(update={"step": step})


def test_the_good_label_passes_all() -> None:
    assert [check(label(berth_run())).value for check in CHECKS] == [1.0] * len(CHECKS)


def test_a_change_rests_on_a_call() -> None:
    run = berth_run()
    steps = tuple(s.model_copy(update={"tool_calls": ()}) if s.step_id == 3 else s for s in run.steps)
    bare = run.model_copy(update={"steps": steps})
    told = label(bare, quotes=[(said, DONE) for said, _ in QUOTES])
    score = check_change(told)
    assert score.reason is Reason.UNGROUNDED
    assert "quote its arguments" in score.explanation


def test_the_answer_of_a_call_stands_for_the_call() -> None:
    assert check_change(label(berth_run(), quotes=[(said, DONE) for said, _ in QUOTES])).value == 1.0


@pytest.mark.parametrize(
    "name", ["get_berth", "search_berths", "berth_status", "mcp__harbour__find_berth", "view", "finish"]
)
def test_a_look_up_is_no_change_whatever_it_says(name: str) -> None:
    run = berth_run("The transfer was made. Reserved: B7, Liv Berg, receipt 5501", name)
    score = check_change(label(run))
    assert score.reason is Reason.NOT_TRUE
    assert "ask a question" in score.explanation


def test_a_tool_that_is_described_as_looking_makes_no_change() -> None:
    schema: Json = {"name": "berth_register", "description": "Shows who lies where."}
    run = berth_run(name="berth_register", tools=({"type": "function", "function": schema},))
    assert check_change(label(run)).reason is Reason.NOT_TRUE


@pytest.mark.parametrize("content", ["", " \n", "Error: berth B7 receipt 5501 taken"])
def test_a_call_that_did_not_work_made_no_change(content: str) -> None:
    run = berth_run(content, before="receipt 5501")
    earlier = Span(step=2, field="observations[0].content", start=0, end=12)
    assert check_change(label(run, quotes=(*QUOTES[:2], ("Reserve", earlier)))).reason is Reason.EVIDENCE_FAILED


def test_what_came_back_before_the_change_does_not_show_it() -> None:
    run = berth_run(before="receipt 5501")
    earlier = Span(step=2, field="observations[0].content", start=0, end=12)
    score = check_change(label(run, quotes=(*QUOTES[:2], ("Reserve", earlier))))
    assert score.reason is Reason.UNGROUNDED
    assert "quote what came after" in score.explanation


def test_a_change_of_which_the_call_says_nothing() -> None:
    run = berth_run()
    score = check_change(label(run, "Restock the pantry with lemons", (("Restock", "receipt 5501"),)))
    assert score.reason is Reason.NOT_TRUE


@pytest.mark.parametrize("fact", ["5501", '"Ingrid Solheim"', "/srv/crews.csv"])
def test_a_change_names_no_fact_that_only_came_back(fact: str) -> None:
    run = berth_run(f"{DONE}. Paid {fact.strip(chr(34))}")
    score = check_known_before(label(run, f"{NEW} and pay {fact}"))
    assert score.reason is Reason.ANSWER_IN_GOAL
    assert "words of the calls" in score.explanation


def test_a_fact_of_a_call_that_failed_is_no_fact_of_a_change() -> None:
    run = berth_run(before="Error: deep water closed")
    assert check_known_before(label(run, f'{NEW} in "deep" water')).reason is Reason.ANSWER_IN_GOAL


def test_the_task_vouches_for_no_fact_of_a_change() -> None:
    run = berth_run(f"{DONE}. Moved to Sunday.")
    assert check_known_before(label(run, f"{NEW} on Sunday")).reason is Reason.ANSWER_IN_GOAL


def test_an_injected_change_is_in_words_that_only_came_back() -> None:
    run = berth_run(f"{DONE}. The transfer was made.")
    score = check_known_before(label(run, f"{NEW} and make the transfer"))
    assert score.reason is Reason.ANSWER_IN_GOAL
    assert "transfer" in score.explanation


def test_words_of_the_task_and_of_the_tool_are_known() -> None:
    run = berth_run(f"{DONE}. Regatta moored.")
    assert check_known_before(label(run, f"{NEW} in the regatta")).value == 1.0
    schema: Json = {"type": "function", "function": {"name": "reserve_berth", "description": "Keep a mooring."}}
    moored = berth_run(f"{DONE}. Mooring kept.", tools=(schema,))
    assert check_known_before(label(moored, f"{NEW} as mooring")).value == 1.0
    unsaid = berth_run(f"{DONE}. Mooring kept.")
    assert check_known_before(label(unsaid, f"{NEW} as mooring")).reason is Reason.ANSWER_IN_GOAL


def test_most_of_a_change_is_in_words_of_calls() -> None:
    vague = "Sweep, polish and varnish every wooden berth"
    assert check_known_before(label(berth_run(), vague, (("berth", '"berth":"B7"'),))).reason is Reason.UNGROUNDED


def test_a_change_called_a_question() -> None:
    score = check_result(label(berth_run(), effect=False, answers=("receipt 5501",)))
    assert score.reason is Reason.NOT_TRUE
    assert "set effect to true" in score.explanation


def test_a_verb_that_asks_may_name_the_call_that_was_made() -> None:
    run = berth_run("Returned: berth B7, Liv Berg, receipt 5501", name="return_berth")
    quotes = (*QUOTES[:2], ("Return", "receipt 5501"))
    assert check_result(label(run, 'Return the berth "B7" for "Liv Berg"', quotes)).value == 1.0
    told = check_result(label(run, 'Return the state of the berth "B7" for "Liv Berg"', (*QUOTES[:2], quotes[2])))
    assert told.reason is Reason.NO_RECORDED_ANSWER
    other = berth_run(name="reserve_berth")
    asked = check_result(label(other, 'Return the berth "B7" for "Liv Berg"', (*QUOTES[:2], quotes[2])))
    assert asked.reason is Reason.NO_RECORDED_ANSWER
