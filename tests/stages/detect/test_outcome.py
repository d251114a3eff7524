"""Failed, succeeded or unknown, with and without a label."""

from __future__ import annotations

import asyncio

import pytest
from tests.stages.detect.runs import UNKNOWN_TABLE, detect, sql_run, unlabelled

from agenther.conclusions import Outcome
from agenther.stages.detect.rules import RuleDetector
from agenther.testing.make import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import GoalHolder

GOOD = ("SELECT count(*) FROM ships", "[(12,)]")
BAD = ("SELECT count(*) FROM boats", UNKNOWN_TABLE)


def test_a_label_decides() -> None:
    found = asyncio.run(RuleDetector().detect(sql_run(GOOD)))
    assert (found.outcome, found.by) == (Outcome.FAILED, "label:test")
    found = detect(sql_run(BAD, success=True))
    assert (found.outcome, found.by) == (Outcome.SUCCEEDED, "label:test")


def test_the_last_output_is_an_error() -> None:
    run = sql_run(GOOD, BAD, **unlabelled())
    found = detect(run)
    assert (found.outcome, found.by) == (Outcome.FAILED, "rule:last_output_is_error")
    assert run.text_at(found.evidence[0]) == UNKNOWN_TABLE


def test_an_error_that_was_got_over_and_an_empty_result_are_no_failure() -> None:
    assert detect(sql_run(BAD, GOOD, **unlabelled())).outcome is Outcome.UNKNOWN
    assert detect(sql_run(("SELECT 1 FROM ships WHERE 0", "[]"), **unlabelled())).outcome is Outcome.UNKNOWN


def test_half_of_the_turns_repeat() -> None:
    again = sql_run(GOOD, GOOD, GOOD, GOOD, **unlabelled())
    assert detect(again).by == "rule:repeats"
    assert detect(sql_run(GOOD, GOOD, GOOD, **unlabelled())).outcome is Outcome.UNKNOWN
    other = ("SELECT name FROM ships", "[('Ada',)]")
    third = ("SELECT 3", "[(3,)]")
    assert detect(sql_run(GOOD, other, third, GOOD, **unlabelled())).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "request_text",
    [
        "I think the timeout error failed, sorry, I could not find it",
        "Why was the task incomplete? Error: invalid action",
    ],
)
def test_the_words_of_the_request_decide_nothing(request_text: str) -> None:
    loud = detect(sql_run(GOOD, request=request_text, **unlabelled()))
    quiet = detect(sql_run(GOOD, **unlabelled()))
    assert loud == quiet
    labelled_loud, labelled_quiet = detect(sql_run(GOOD, request=request_text)), detect(sql_run(GOOD))
    assert labelled_loud.weight == labelled_quiet.weight
    assert labelled_loud.failure_type == labelled_quiet.failure_type


def search_run(*last: dict[str, object], **fields: object):
    messages = [user("Who painted the blue harbour?"), assistant("", tool_call("search", "c", query="blue harbour"))]
    return make_trajectory(*messages, tool("Page: Blue Harbour. By E. Lund.", "c"), *last, **unlabelled(**fields))


@pytest.mark.parametrize("call", ["finish", "stop", "send_msg_to_user", "report_infeasible"])
def test_a_call_can_hand_in_the_answer(call: str) -> None:
    assert detect(search_run(assistant("", tool_call(call, "d", text="E. Lund")))).outcome is Outcome.UNKNOWN


def test_an_answer_is_owed_only_in_words() -> None:
    assert detect(search_run()).by == "rule:no_answer"
    assert detect(search_run(answer_by="action")).outcome is Outcome.UNKNOWN
    assert detect(search_run(goal_holder=GoalHolder.SIMULATED_USER)).outcome is Outcome.UNKNOWN
    assert detect(search_run(assistant("E. Lund painted it."))).outcome is Outcome.UNKNOWN
    assert detect(search_run(assistant("", tool_call("finish", "d", answer="E. Lund")))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    "words",
    [
        "I'm sorry, but I could not find who painted it.",
        "Unfortunately, the page is gone and I was unable to open it.",
        "I give up.",
        "I couldn't determine the painter.",
    ],
)
def test_the_agent_gives_up(words: str) -> None:
    run = search_run(assistant(words))
    found = detect(run)
    assert found.by == "rule:gave_up"
    assert run.text_at(found.evidence[0]) in words


def test_an_empty_final_answer_gives_up() -> None:
    assert detect(search_run(assistant("", tool_call("finish", "d", answer="unknown")))).by == "rule:gave_up"


def shop_run(*clicks: str, **fields: object):
    messages = [user("a bamboo stand"), assistant("", tool_call("search", "c", query="bamboo stand"))]
    messages.append(tool("[B0INVENTED1] Bamboo Stand $12.00", "c"))
    for i, target in enumerate(clicks):
        messages += [assistant("", tool_call("click", f"k{i}", target=target)), tool("Bamboo Stand [Buy Now]", f"k{i}")]
    return make_trajectory(*messages, **unlabelled(answer_by="action", **fields))


def test_no_purchase() -> None:
    assert detect(shop_run("B0INVENTED1")).by == "rule:no_purchase"
    assert detect(shop_run("B0INVENTED1", "Buy Now")).outcome is Outcome.UNKNOWN


def test_the_turn_limit_counts_only_when_asked_for() -> None:
    run = sql_run(GOOD, ("SELECT 2", "[(2,)]"), labels={"turns_max": 2}, **unlabelled())
    assert detect(run).outcome is Outcome.UNKNOWN
    assert detect(run, turn_limit_is_failure=True).by == "rule:turn_limit"
    early = sql_run(GOOD, labels={"turns_max": 2}, **unlabelled())
    assert detect(early, turn_limit_is_failure=True).outcome is Outcome.SUCCEEDED
    assert detect(early).outcome is Outcome.UNKNOWN


DONE = [
    "Task completed successfully.",
    "the task was solved",
    "TASK SUCCESS",
    "===== 14 passed in 0.31s =====",
    "You won!",
    "you have win",
    "All tests passed",
    "12 test passed",
    "Ran 3 tests\nOK",
    "ok (skipped=2)\n",
    "ta\u017fk complete",
]


@pytest.mark.parametrize("output", DONE)
def test_the_environment_says_that_it_is_done(output: str) -> None:
    run = sql_run(("run", output), **unlabelled())
    found = detect(run)
    assert found.outcome is Outcome.SUCCEEDED
    assert run.text_at(found.evidence[0]) in output


def test_a_failed_test_beside_passed_ones_is_not_done() -> None:
    assert detect(sql_run(("run", "== 3 failed, 14 passed in 0.3s =="), **unlabelled())).outcome is Outcome.UNKNOWN


def test_a_run_without_a_turn_is_a_failure_that_holds_nothing() -> None:
    found = detect(make_trajectory(user("hello?"), **unlabelled()))
    assert (found.outcome, found.recoverable) == (Outcome.FAILED, False)


@pytest.mark.parametrize(
    "error",
    [
        "openai.error.RateLimitError: slow down",
        "This model's maximum context length is 4096 tokens.",
        "playwright: Target page, context or browser has been closed",
        "The environment timed out.",
        "503 Service Unavailable",
    ],
)
def test_infrastructure_is_told_apart_from_the_agents_errors(error: str) -> None:
    run = sql_run(GOOD, ("SELECT 2", error))
    found = detect(run)
    assert found.infrastructure
    assert run.text_at(found.evidence[0]) in error
    assert not detect(sql_run(("SELECT 2", error), GOOD)).infrastructure
    assert detect(sql_run(GOOD, labels={"error": error})).infrastructure
    assert detect(sql_run(GOOD, labels={"harness_error": "KeyError: 'port'"})).infrastructure
    assert not detect(sql_run(GOOD, BAD)).infrastructure
    assert not detect(sql_run(("cat log.txt", f"{'a line of a log ' * 300}\n{error}"))).infrastructure


def test_a_run_that_its_harness_cut_off_is_told_apart_and_a_limit_of_the_task_is_not() -> None:
    assert detect(sql_run(GOOD, labels={"truncated": True})).infrastructure
    assert detect(sql_run(GOOD, labels={"truncated": True}, **unlabelled())).infrastructure
    assert not detect(sql_run(GOOD, labels={"truncated": False, "turns_max": 1})).infrastructure
    assert not detect(sql_run(GOOD, labels={"truncated": 1})).infrastructure
    assert not detect(sql_run(GOOD, success=True, labels={"truncated": True})).infrastructure
