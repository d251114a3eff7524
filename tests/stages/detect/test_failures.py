"""How a failed run failed: type, critical step, weight, false failures."""

from __future__ import annotations

import pytest
from tests.stages.detect.runs import UNKNOWN_TABLE, detect, sql_run

from agenther.conclusions import FailureType, Outcome
from agenther.config import Config
from agenther.pipeline import gate
from agenther.stages.detect.false_failure import holds_answer
from agenther.testing.make import assistant, make_trajectory, tool, tool_call, user

GOOD = ("SELECT count(*) FROM ships", "[(12,)]")
BAD = ("SELECT count(*) FROM boats", UNKNOWN_TABLE)


def test_a_result_that_was_not_right() -> None:
    found = detect(sql_run(GOOD))
    assert (found.failure_type, found.weight, found.critical_step) == (FailureType.WRONG_RESULT, 0.7, None)


def test_a_run_that_ends_in_errors_never_got_over_the_first_of_them() -> None:
    run = sql_run(BAD, GOOD, ("SELECT a FROM b", UNKNOWN_TABLE), ("SELECT c FROM b", UNKNOWN_TABLE))
    found = detect(run)
    assert found.failure_type is FailureType.TOOL_ERROR
    assert found.critical_step == run.agent_steps[2].step_id


def test_a_loop_begins_with_its_first_repeat() -> None:
    other = ("SELECT name FROM ships", "[('Ada',)]")
    run = sql_run(other, GOOD, GOOD, GOOD)
    found = detect(run)
    assert found.failure_type is FailureType.INCOMPLETE
    assert found.critical_step == run.agent_steps[2].step_id


def test_nothing_can_be_used_when_every_output_is_an_error() -> None:
    assert not detect(sql_run(BAD, BAD)).recoverable
    assert detect(sql_run(BAD, GOOD)).recoverable


def test_an_answer_that_names_what_was_never_seen() -> None:
    messages = [
        user("When did ship 77 sail?"),
        assistant("", tool_call("find", "c", ship=77)),
        tool("sailed: 1931", "c"),
    ]
    run = make_trajectory(*messages, assistant("It sailed in 1931, see https://ships.example/log/9."))
    found = detect(run)
    assert found.failure_type is FailureType.HALLUCINATION
    assert run.text_at(found.evidence[0]).startswith("https://ships.example")
    assert found.critical_step == run.steps[-1].step_id
    seen = make_trajectory(
        *messages[:2], tool("1931, https://ships.example/log/9", "c"), assistant("https://ships.example/log/9.")
    )
    assert detect(seen).failure_type is not FailureType.HALLUCINATION


@pytest.mark.parametrize(
    ("second", "kind"),
    [("SELECT 2", FailureType.OFF_TOPIC), ("SELECT 2 AS captain", FailureType.WRONG_RESULT)],
)
def test_an_agent_that_never_took_up_its_goal(second: str, kind: FailureType) -> None:
    run = sql_run(
        ("SELECT 1", "[(1,)]"),
        (second, "[(2,)]"),
        request="Which captains command more than three sailing vessels?",
    )
    assert detect(run).failure_type is kind


def returns_run(**values: object):
    messages = [
        user("Return the red kettle"),
        assistant("", tool_call("get_order", "a", order_id="#K1")),
        tool("kettle", "a"),
    ]
    messages += [
        assistant("", tool_call("return_items", "b", **values)),
        tool("done", "b"),
        assistant("It is returned."),
    ]
    right = [{"name": "get_order", "kwargs": {"order_id": "#K1"}}]
    right.append({"name": "return_items", "kwargs": {"order_id": "#K1", "item_ids": ["1", "2"]}})
    return make_trajectory(*messages, labels={"actions": right})


def test_recorded_right_actions_tell_the_type_and_the_step() -> None:
    wrong = returns_run(order_id="#K2", item_ids=["1"])
    found = detect(wrong)
    assert (found.failure_type, found.critical_step) == (FailureType.WRONG_RESULT, 3)
    right = returns_run(order_id="#K1", item_ids=["2", "1"])
    assert detect(right).critical_step is None
    extra = right.model_copy(update={"labels": {"actions": []}})
    assert detect(extra).failure_type is FailureType.CONSTRAINT_VIOLATION
    missing = right.model_copy(
        update={"labels": {"actions": [*right.labels["actions"], {"name": "cancel_order", "kwargs": {}}]}}  # type: ignore[misc]
    )
    assert detect(missing).failure_type is FailureType.INCOMPLETE


def test_weight_falls_with_every_distinct_sign_and_not_with_the_length_of_the_log() -> None:
    one = detect(sql_run(GOOD, BAD)).weight
    assert one == 0.6
    many = detect(sql_run(GOOD, *[(f"SELECT {i} FROM boats", UNKNOWN_TABLE) for i in range(9)])).weight
    more = detect(sql_run(GOOD, *[(f"SELECT {i} FROM boats", UNKNOWN_TABLE) for i in range(19)])).weight
    assert one > many == more
    assert many >= Config().delta


def test_three_signs_stay_and_five_are_dropped() -> None:
    loop = [GOOD, BAD, BAD, BAD, BAD]
    three = detect(sql_run(*loop))
    assert three.weight == 0.4
    assert gate(three, Config()) is None
    wiped = detect(sql_run(("DROP TABLE ships", "[]"), ("SELECT x", "[('Buy Now',)]"), *loop[1:]))
    assert wiped.weight < Config().delta
    refusal = gate(wiped, Config())
    assert refusal is not None
    assert refusal.reason == "too_severe"


def test_partial_reward_is_milder_but_a_floor_is_no_progress() -> None:
    plain = detect(sql_run(GOOD, BAD)).weight
    assert detect(sql_run(GOOD, BAD, reward=0.5)).weight > plain
    floor = sql_run(GOOD, BAD, reward=0.67, labels={"rewards": [0.67, 0.67]})
    assert detect(floor).weight == plain
    risen = sql_run(GOOD, BAD, reward=0.9, labels={"rewards": [0.67, 0.9]})
    assert detect(risen).weight > plain


def answered(text: str, **labels: object):
    messages = [
        user("Which harbour?"),
        assistant("", tool_call("search", "c", query="harbour")),
        tool("Page: Port Lund", "c"),
    ]
    return make_trajectory(*messages, assistant("", tool_call("finish", "d", answer=text)), labels=labels)


def test_a_labelled_failure_that_holds_the_right_answer_is_a_false_failure() -> None:
    run = answered("The harbour is Port Lund.", gold="port lund")
    found = detect(run)
    assert found.outcome is Outcome.FAILED
    assert found.false_failure
    assert "Port Lund" in run.text_at(found.evidence[0])
    refusal = gate(found, Config())
    assert refusal is not None
    assert refusal.reason == "probably_succeeded"
    assert detect(answered("somewhere", f1=0.6)).false_failure
    assert not detect(answered("somewhere", f1=0.4)).false_failure
    assert not detect(answered("Port Alma", gold="port lund")).false_failure
    assert not detect(answered("Port Lund", reference="a program " * 40)).false_failure


@pytest.mark.parametrize(
    ("text", "gold", "holds"),
    [
        ("-150", "-150.0", True),
        ("The answer is 2,300.", "2300", True),
        ("150", "-150", False),
        ("42, 11", "42", False),
        ("no", "no", True),
        ("There is no such harbour", "no", False),
        ("Northport", "north", False),
        ("the North Port", "north port", True),
        ("It may be Lund, " + "or another town entirely, " * 8, "lund", False),
    ],
)
def test_whole_right_answers(text: str, gold: str, holds: bool) -> None:
    assert holds_answer(text, gold) is holds
