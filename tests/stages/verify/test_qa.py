"""Relabeling of searched questions: an honest run gives one example, and each check refuses a tampered run."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from agenther.conclusions import Proposal, Reason, Result, Rewritten, Score
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.extract.qa import claims
from agenther.stages.parts import rule_parts
from agenther.stages.relabel.qa import compose
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify import qa
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

OLD = "When was the architect of the Larkspur Theatre born?"
QUERY = "who designed the Larkspur Theatre in Wendelby"
NEW = "Who designed the Larkspur Theatre in Wendelby?"
FOUND = "Wendelby has two stages. The Larkspur Theatre in Wendelby was designed by Orla Finch. It seats 300."


def search(number: int, query: str, found: str, name: str = "search") -> Step:
    """Return a turn that searches with a structured call."""
    call = ToolCall(
        tool_call_id=f"c{number}", function_name=name, arguments=orjson.dumps({"query": query}, option=0).decode()
    )
    observed = Observation(content=found, source_call_id=call.tool_call_id)
    return Step(step_id=number, source="agent", tool_calls=(call,), observations=(observed,))


def run(*steps: Step, goal: str = OLD) -> Trajectory:
    """Return a failed run of these agent steps, numbered from 2."""
    return Trajectory(
        id="qa/1",
        source=Source(path="qa.jsonl", format="openai", index=0),
        goal=goal,
        goal_at=(Span(step=1, field="message", start=0, end=len(goal)),),
        steps=(Step(step_id=1, source="user", message=goal), *steps),
        success=False,
        label_source="test",
    )


def honest(
    *, query: str = QUERY, found: str = FOUND, answer: str = "The answer is Orla Finch.", goal: str = OLD
) -> Trajectory:
    """Return a run that searches twice and then answers with a name where a year was asked for."""
    first = search(2, "Larkspur Theatre", "The Larkspur Theatre opened in 1931.")
    return run(first, search(3, query, found), Step(step_id=4, source="agent", message=answer), goal=goal)


def relabeled(trajectory: Trajectory) -> Result:
    config = Config(domains=("qa",))
    return asyncio.run(relabel(trajectory, rule_parts(config), config))


def rewritten(trajectory: Trajectory, **changes: object) -> Rewritten:
    (proposal,) = compose(trajectory, tuple(claims(trajectory)))
    assert isinstance(proposal, Proposal)
    made = rewrite(trajectory, proposal.model_copy(update=changes))
    assert isinstance(made, Rewritten)
    return made


def expect(score: Score, reason: Reason) -> None:
    assert (score.value, score.reason) == (0.0, reason), score.explanation


def test_the_last_question_that_was_searched_becomes_the_goal() -> None:
    result = relabeled(honest())
    assert [e.hindsight_goal for e in result.examples] == [NEW], result.drop
    assert [m["step"] for m in result.examples[0].messages] == [1, 3, 3, 4], "the other search is left out"


def test_a_search_in_code_and_a_tagged_solution_work_alike() -> None:
    code, told = f'print(wikipedia_search("{QUERY}"))', "Orla Finch"
    act, solve = f"<execute>{code}</execute>", f"<solution>{told}</solution>"
    made = run(
        Step(
            step_id=2,
            source="agent",
            message=act,
            tool_calls=(
                ToolCall(
                    tool_call_id="a",
                    function_name="python",
                    arguments=orjson.dumps({"code": code}).decode(),
                    at=(9, 9 + len(code)),
                ),
            ),
            observations=(Observation(content=FOUND, role="user"),),
        ),
        Step(
            step_id=3,
            source="agent",
            message=solve,
            tool_calls=(
                ToolCall(
                    function_name="solution",
                    arguments=orjson.dumps({"answer": told}).decode(),
                    at=(10, 10 + len(told)),
                ),
            ),
        ),
    )
    assert [e.hindsight_goal for e in relabeled(made).examples] == [NEW], relabeled(made).drop


def test_the_domain_is_off_by_default() -> None:
    config = Config()
    assert asyncio.run(relabel(honest(), rule_parts(config), config)).examples == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"query": "Larkspur Theatre designer"},
        {"query": "who designed it for the Larkspur Theatre"},
        {"query": "is the Larkspur Theatre designed by a local architect"},
        {"answer": "I do not know who designed the Larkspur Theatre, it may have been Orla Finch"},
        {"answer": "Yes"},
        {"answer": "Orla Fin"},
        {"found": "The Larkspur Theatre in Wendelby was designed in 1929."},
        {"found": "Could not find who designed the Larkspur Theatre. Similar: Orla Finch"},
    ],
    ids=["keywords", "loose", "yes or no", "long", "bare yes", "part of a word", "not given", "not found"],
)
def test_nothing_is_claimed(changes: dict[str, str]) -> None:
    assert list(claims(honest(**changes))) == []


def test_an_answer_from_another_search_is_no_support() -> None:
    elsewhere = run(
        search(2, "architects", FOUND),
        search(3, QUERY, "The Larkspur Theatre is closed."),
        Step(step_id=4, source="agent", message="Orla Finch"),
    )
    assert list(claims(elsewhere)) == []


@pytest.mark.parametrize("check", qa.CHECKS, ids=lambda c: c.__name__)
def test_an_honest_run_passes(check: object) -> None:
    score = check(rewritten(honest()))  # type: ignore[operator]
    assert score.value == 1.0, score.explanation


def test_another_question_or_an_answer_that_the_search_does_not_give() -> None:
    made = rewritten(honest())
    expect(qa.check_searched(rewritten(honest(), goal="Who owns the Larkspur Theatre?")), Reason.EVIDENCE_FAILED)
    other = honest(found=FOUND.replace("Orla Finch", "Per Holm"))
    expect(qa.check_searched(made.model_copy(update={"trajectory": other})), Reason.EVIDENCE_FAILED)
    expect(qa.check_searched(rewritten(honest(), answers=("Per Holm",))), Reason.ANSWER_MISSES_GOAL)


@pytest.mark.parametrize(
    ("goal", "reason"),
    [("Larkspur Theatre?", Reason.UNNATURAL), ("Who designed this theatre in Wendelby?", Reason.UNNATURAL)],
)
def test_no_full_question(goal: str, reason: Reason) -> None:
    expect(qa.check_shape(rewritten(honest(), goal=goal)), reason)


def test_a_long_answer() -> None:
    expect(qa.check_shape(rewritten(honest(), answers=("a b c d e f g h",))), Reason.ANSWER_MISSES_GOAL)


@pytest.mark.parametrize(
    ("goal", "answer"),
    [
        (NEW, "1931"),
        ("When did Orla Finch build the Larkspur Theatre?", "Wendelby"),
        ("How many seats does the Larkspur Theatre have?", "plenty of them"),
        ("In which city is the Larkspur Theatre located?", "1931"),
        ("What year was the Larkspur Theatre built?", "Orla Finch"),
    ],
)
def test_an_answer_of_another_sort(goal: str, answer: str) -> None:
    expect(qa.check_fits(rewritten(honest(), goal=goal, answers=(answer,))), Reason.ANSWER_MISSES_GOAL)


@pytest.mark.parametrize(
    "found",
    [
        "Orla Finch",
        "The Larkspur Theatre in Wendelby is closed. Orla Finch sings there.",
        "Larkspur Theatre, Wendelby: Orla Finch",
    ],
    ids=["answer box", "next sentence", "names alone"],
)
def test_a_passage_that_does_not_speak_of_the_question(found: str) -> None:
    made = rewritten(honest(query="who designed and built the famous round Larkspur Theatre in Wendelby", found=found))
    expect(qa.check_passage(made), Reason.EVIDENCE_FAILED)


@pytest.mark.parametrize(
    "goal",
    [
        "Who designed the famous Larkspur Theatre of Wendelby in the year 1930?",
        "Who designed the Larkspurr Theatre, which stands in Wendelby?",
    ],
    ids=["clause left out", "spelt otherwise"],
)
def test_the_old_question_with_a_clause_left_out(goal: str) -> None:
    expect(qa.check_other_question(rewritten(honest(goal=goal))), Reason.REWORDING)


def test_the_old_question_and_more() -> None:
    expect(qa.check_other_question(rewritten(honest(goal="Who designed the Larkspur Theatre?"))), Reason.REWORDING)
