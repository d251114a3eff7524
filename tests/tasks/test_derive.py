"""Which labels make tasks, and what becomes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tasks.material import (
    SAMPLES,
    SHELF_CODE,
    SITE,
    aside,
    desk_example,
    desk_run,
    example_of,
    install,
    label,
    page,
    shelf_example,
    shelf_run,
    shop_run,
    task_of,
    tide_run,
)

import agenther
from agenther.conclusions import Claim
from agenther.environments import plugins
from agenther.errors import ReadError
from agenther.record import Json
from agenther.tasks.answers import find_answer
from agenther.tasks.base import Oracle, Task, TaskCall, Unfit
from agenther.tasks.check import check
from agenther.tasks.controls import attempts, controlled
from agenther.tasks.derive import derive
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Trajectory, whole_field


def test_the_samples_make_tasks_or_say_why_not() -> None:
    found: Counter[str] = Counter()
    for done in agenther.run(SAMPLES):
        assert not isinstance(done, ReadError)
        for example in done.result.examples:
            made = derive(example, done.trajectory)
            kind = f"{made.checker.kind}/{made.environment.kind}" if isinstance(made, Task) else made.why.value
            found[f"{example.domain} {kind}"] += 1
            if isinstance(made, Task):
                assert made.controls["oracle"] == 1
                assert made.controls["noop"] == made.controls["wrong_goal"] == 0
    assert found["rest answer/recorded"] == 1
    assert found["sql answer/original"] >= 3
    assert found["dialogue calls/original"] == 1
    assert found["shopping several_ways"] == 2
    assert found["household no_state"] == 4


def test_a_document_is_asked_for_by_its_members() -> None:
    task = task_of(tide_run())
    assert task.goal == "Get the times of high and low tide at Skarvik on 2026-05-14."
    assert task.checker.spec["answer"] == {"high": "05:42", "low": "11:55"}
    assert "`high`, `low`" in task.answer_format
    assert task.environment.kind == "recorded"
    assert task.told_to == "agent"
    assert check(task, answer={"low": "11:55", "high": "05:42"}).value == 1
    assert check(task, answer={"high": "05:42"}).value == 0
    assert check(task, answer=None).value == 0


def test_what_a_run_told_in_part_is_no_answer() -> None:
    run = tide_run("High water is at 05:42.", low=["11:55", "23:58"], high=["05:42", "18:10"])
    claim = Claim(text="asked", kind="rest.fact", evidence=(whole_field(run.step(2), "observations[0].content"),))
    found = aside(derive(example_of(run, "Get the times.", "rest", claim, answers=("05:42",)), run))
    assert (found.why, "only a part" in found.detail) == (Unfit.OPEN_ANSWER, True)


def asked(
    content: str, goal: str = "How many jars are there?", answers: tuple[str, ...] = ("14",), query: str = "count"
) -> Task | Unfit:
    run = make_trajectory(
        user("Weigh the jars."), assistant("", tool_call("ask", q=query)), tool(content), assistant("There are 14.")
    )
    claim = Claim(text="asked", kind="sql.fact", evidence=(whole_field(run.step(2), "observations[0].content"),))
    found = derive(example_of(run, goal, "sql", claim, answers=answers), run)
    return found if isinstance(found, Task) else found.why


def test_a_table_is_the_answer_where_the_goal_says_what_it_holds() -> None:
    one = asked("[(14,)]")
    assert isinstance(one, Task)
    assert one.checker.spec == {"answer": 14, "ordered": False}
    listed = asked("[('a', 3), ('b', 4)]", "What are the name and size of each jar?", ("a", "b"))
    assert isinstance(listed, Task)
    assert listed.checker.spec["answer"] == [["a", 3], ["b", 4]]
    counted = asked("[[3, 'a'], [4, 'b']]", "For each shelf, how many jars are there?", ("3", "4"))
    assert isinstance(counted, Task)
    assert counted.checker.spec["answer"] == [["a", 3], ["b", 4]]
    in_order = asked("[[4], [3]]", "List the sizes of all jars, sorted by size in descending order.", ("3", "4"))
    assert isinstance(in_order, Task)
    assert in_order.checker.spec["ordered"] is True


@pytest.mark.parametrize(
    ("content", "goal", "why"),
    [
        ("[(14, 'x')]", "Show all the details of the jar.", Unfit.OPEN_ANSWER),
        ("[(14,), (None,)]", "How many jars are there?", Unfit.OPEN_ANSWER),
        ("14 rows", "How many jars are there?", Unfit.OPEN_ANSWER),
        (str([(n,) for n in range(20)]), "List the sizes of all jars.", Unfit.OPEN_ANSWER),
        ("[(14,)]", "Which jar is the heaviest? If there is a tie, one is enough.", Unfit.SEVERAL_WAYS),
        ("[(14, 3)]", "For each shelf, how many jars are there?", Unfit.OPEN_ANSWER),
        (
            "[('a', 4), ('c', 3), ('b', 3)]",
            "For each shelf, count the jars, sorted by their number in descending order.",
            Unfit.SEVERAL_WAYS,
        ),
        ("[('<EMAIL_1>',)]", "Whose jar is it?", Unfit.REDACTED),
    ],
)
def test_what_is_left_open_makes_no_task(content: str, goal: str, why: Unfit) -> None:
    assert asked(content, goal) == why


def answered(content: str, argument: str, domain: str = "qa") -> str:
    run = make_trajectory(
        user("Weigh the jars."), assistant("", tool_call("search", q=argument)), tool(content), assistant("Torvik")
    )
    claim = Claim(text="read", kind="qa.answer", evidence=(whole_field(run.step(2), "observations[0].content"),))
    found = find_answer(example_of(run, "Where is the kiln?", domain, claim, answers=("Torvik",)), run)
    return found.why.value if hasattr(found, "why") else "answer"  # type: ignore[union-attr]


def test_an_answer_must_stand_in_an_observation_that_is_no_echo() -> None:
    assert answered("The kiln stands in Torvik.", "kiln") == "answer"
    assert answered("No result for Torvik.", "kiln in Torvik") == "not_observed"
    assert answered("The kiln stands in Torvikby.", "kiln") == "not_observed"


def test_the_last_page_is_asked_for_by_its_address() -> None:
    task = task_of(shop_run("/glazes/ash-blue?colour=7&form_key=xY1&p=2#top"))
    assert task.checker.model_dump() == {"kind": "url", "spec": {"url": f"{SITE}/glazes/ash-blue?colour=7"}}
    assert task.evidence == "url_log"
    assert [one.url.partition("?")[0] for one in task.oracle.requests] == [
        f"{SITE}/",
        f"{SITE}/glazes",
        f"{SITE}/glazes/ash-blue",
    ]
    there = task.oracle.requests[-1]
    same = there.model_copy(update={"url": f"{SITE}/Glazes/ash-blue/?p=9&colour=7"})
    other = there.model_copy(update={"url": f"{SITE}/glazes/ash-blue?colour=8"})
    assert check(task, requests=[same]).value == 1
    assert check(task, requests=[there, other]).value == 0
    assert check(task).value == 0


def test_a_page_that_is_the_first_one_makes_no_task() -> None:
    run = shop_run("/")
    claim = Claim(text="at home", kind="web.page", evidence=(whole_field(run.step(3), "observations[0].content"),))
    found = aside(derive(example_of(run, "Open the first page.", "web", claim), run))
    assert (found.why, found.detail) == (Unfit.CONTROL_FAILED, "noop passes")


def test_a_page_by_its_number_or_order_makes_no_task() -> None:
    run = shop_run("/stock?p=2")
    claim = Claim(text="second", kind="web.page", evidence=(whole_field(run.step(3), "observations[0].content"),))
    assert aside(derive(example_of(run, "Open page 2 of the stock.", "web", claim), run)).why is Unfit.SEVERAL_WAYS
    assert isinstance(derive(example_of(run, "Open the stock of 2029.", "web", claim), run), Task)


def test_a_key_of_the_session_in_the_path_makes_no_task() -> None:
    run = shop_run("/admin/customer/index/key/0123456789abcdef0123/")
    assert aside(derive(label(run), run)).why is Unfit.NOT_RECORDED


def network_run(status: str, shown: str = "/wheels/save") -> Trajectory:
    seen, sent = f"URL: {SITE}{shown}\nStatus: {status}", {"name": "Wheel 2", "id": "9"}
    return make_trajectory(
        user("Delete the old wheel."),
        assistant("", tool_call("goto", url=f"{SITE}/wheels")), tool(page("/wheels", "Wheels")),
        assistant("", tool_call("submit_form", "call_2", url=f"{SITE}/wheels/save", method="POST", data=sent)),
        tool(seen, "call_2"), labels={"steps_from": "network"},
    )  # fmt: skip


def network_task(run: Trajectory, goal: str = 'Rename the wheel to "Wheel 2".') -> Task | Unfit:
    claim = Claim(text="saved", kind="open.effect", evidence=(whole_field(run.step(3), "observations[0].content"),))
    found = derive(example_of(run, goal, "web", claim), run)
    return found if isinstance(found, Task) else found.why


def test_what_was_sent_is_asked_for_by_what_the_goal_names() -> None:
    task = network_task(network_run("200 OK"))
    assert isinstance(task, Task)
    assert task.checker.spec == {
        "method": "POST",
        "url": f"{SITE}/wheels/save",
        "sent": {"name": "Wheel 2"},
        "status": 200,
    }
    assert task.evidence == "network_log"
    last = task.oracle.requests[-1]
    assert check(task, requests=[last.model_copy(update={"sent": {"name": "wheel 2", "id": "7"}})]).value == 1
    assert check(task, requests=[last.model_copy(update={"sent": {"name": "Wheel 3", "id": "9"}})]).value == 0


def test_what_the_log_does_not_tell_of_a_change_makes_no_task() -> None:
    assert network_task(network_run("500 Oops")) is Unfit.NOT_OBSERVED
    assert network_task(network_run("200 OK", "/wheels/9")) is Unfit.NOT_RECORDED
    assert network_task(network_run("200 OK"), "Rename the wheel.") is Unfit.SEVERAL_WAYS
    assert network_task(network_run("200 OK"), "Rename the wheel of 1999.") is Unfit.SEVERAL_WAYS


def test_a_dialogue_carries_the_goal_as_the_users_instruction() -> None:
    run = desk_run()
    task = derive(desk_example(run), run)
    assert isinstance(task, Task)
    assert (task.told_to, task.checker.kind, task.environment.kind) == ("simulated_user", "calls", "recorded")
    assert task.checker.spec["effects"] == ["cancel_order", "refund_order"]
    refund = TaskCall(name="refund_order", arguments={"order_id": "W77"})
    assert check(task, calls=task.oracle.calls).value == 1
    assert check(task, calls=[*task.oracle.calls, refund]).value == 0


def test_a_right_solution_of_the_original_goal_must_fail() -> None:
    solution: Json = [{"name": "cancel_order", "arguments": {"order_id": "W77", "reason": "ordered by mistake"}}]
    run = desk_run(actions=solution)
    found = aside(derive(desk_example(run), run))
    assert (found.why, found.detail) == (Unfit.CONTROL_FAILED, "original_gold passes")
    other: Json = [{"name": "return_items", "arguments": {"order_id": "W77"}}]
    run = desk_run(actions=other)
    task = derive(desk_example(run), run)
    assert isinstance(task, Task)
    assert task.controls == {"oracle": 1, "noop": 0, "wrong_goal": 0, "original_gold": 0}


def test_an_oracle_that_does_not_pass_is_set_aside() -> None:
    task = task_of(tide_run())
    broken = task.model_copy(update={"oracle": Oracle(answer={"high": "06:00"})})
    found = aside(controlled(broken, tide_run()))
    assert (found.why, found.detail) == (Unfit.CONTROL_FAILED, "oracle fails")


def test_every_kind_of_task_is_tried_by_near_misses() -> None:
    run = desk_run()
    desk = derive(desk_example(run), run)
    assert isinstance(desk, Task)
    for task in (task_of(tide_run()), task_of(shop_run()), desk):
        assert [name for name, _, _ in attempts(task, run)].count("wrong_goal") >= 1


def test_an_environment_that_nobody_brings_makes_no_task() -> None:
    run = shelf_run()
    assert aside(derive(shelf_example(run), run)).why is Unfit.NO_ENVIRONMENT


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    install(tmp_path, "Shelf", SHELF_CODE)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._outside.cache_clear()  # pyright: ignore[reportPrivateUsage]
    yield
    plugins._outside.cache_clear()  # pyright: ignore[reportPrivateUsage]


@pytest.mark.usefixtures("shelf")
def test_the_state_that_a_replay_showed_decides() -> None:
    run = shelf_run(gold_calls=[{"name": "put", "arguments": {"place": "b", "value": 9}}])
    task = derive(shelf_example(run), run)
    assert isinstance(task, Task)
    assert (task.checker.kind, task.evidence) == ("state_diff", "replay")
    assert task.controls == {"oracle": 1, "noop": 0, "wrong_goal": 0, "original_gold": 0}
    put, look = task.oracle.calls[0], TaskCall(name="look", arguments={})
    twice = put.model_copy(update={"arguments": {"place": "a", "value": 7}})
    unknown = TaskCall(name="burn", arguments={})
    attempts = ([look, put, look], [twice, put], [put, twice], [twice], [unknown, put])
    assert [check(task, calls=calls).value for calls in attempts] == [1, 1, 0, 0, 0]


@pytest.mark.usefixtures("shelf")
def test_a_replay_that_the_original_solution_reaches_too_decides_nothing() -> None:
    run = shelf_run(gold_calls=[{"name": "put", "arguments": {"place": "a", "value": 5}}])
    found = aside(derive(shelf_example(run), run))
    assert (found.why, found.detail) == (Unfit.CONTROL_FAILED, "original_gold passes")


@pytest.mark.usefixtures("shelf")
def test_a_replay_that_does_not_consent_decides_nothing() -> None:
    run = shelf_run()
    made = shelf_example(run)
    silent = made.verdict.scores[0].model_copy(update={"value": None})
    unsure = made.model_copy(update={"verdict": made.verdict.model_copy(update={"scores": (silent,)})})
    assert aside(derive(unsure, run)).why is Unfit.OPEN_ANSWER
    both = made.model_copy(update={"answers": ("5",)})
    assert aside(derive(both, run)).why is Unfit.OPEN_ANSWER
