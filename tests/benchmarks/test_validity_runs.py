"""Calls read and runs spoilt: each fault is the one that its kind names."""

from __future__ import annotations

import random

import pytest
from tests.benchmarks.validity_material import OTHERS, TASK

from validity_calls import Call, Turns, as_run, parse_call
from validity_pairs import another, halves, laid_out
from validity_perturb import KINDS, Pool, as_text, runs_of

POOL = Pool(OTHERS)
GOLD = [call for turn in TASK.gold for call in turn]


def made(kind: str, seed: int = 1) -> list[Call]:
    turns = KINDS[kind][0](TASK, random.Random(seed), POOL)
    assert turns is not None
    assert len(turns) == len(TASK.gold)
    return [call for turn in turns for call in turn]


def test_calls_are_read_as_literals_with_the_names_of_the_schema() -> None:
    assert parse_call("bake('stew', minutes=9)", TASK.tools) == Call("bake", {"dish": "stew", "minutes": 9})


@pytest.mark.parametrize("text", ["bake(open('x'))", "oven.bake('stew')", "bake", "bake('a', 1, True, 2)"])
def test_anything_else_is_no_call(text: str) -> None:
    with pytest.raises(ValueError):
        parse_call(text, TASK.tools)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("wrong argument")])
def test_a_wrong_argument_changes_one_call_and_no_tool(kind: str, seed: int) -> None:
    calls = made(kind, seed)
    assert [call.name for call in calls] == [call.name for call in GOLD]
    assert sum(a != b for a, b in zip(calls, GOLD, strict=True)) == 1


def test_steps_go_missing_come_twice_or_go_to_another_tool() -> None:
    assert len(made("missing step")) == len(GOLD) - 1
    assert GOLD[-1] not in made("missing last step of a turn")
    assert len(made("repeated step")) == len(made("extra step")) == len(GOLD) + 1
    other = [call for call in made("wrong tool") if call not in GOLD]
    assert other == [Call("thank_friend", {"sender": "Ada", "friend": "Eve"})]
    assert all(call.name == "list_dishes" for call in made("wandering") if call not in GOLD)


def test_a_run_stops() -> None:
    assert made("stopped before the last turn") == GOLD[:1]
    assert made("stopped early") in (GOLD[:1], GOLD[:2])


def test_a_misspelt_call_is_made_again_or_not() -> None:
    assert len(made("ignored error")) == len(GOLD)
    mended = made("mended error")
    assert len(mended) == len(GOLD) + 1
    assert [call for call in mended if call in GOLD] == GOLD


def test_runs_are_drawn_by_the_seed_and_differ() -> None:
    runs = list(runs_of(TASK, 7, POOL))
    assert runs == list(runs_of(TASK, 7, POOL))
    assert runs[0] == ("correct", TASK.gold)
    assert len({as_text(turns) for _, turns in runs}) == len(runs)


def test_halves_share_no_task_and_are_drawn_by_the_seed() -> None:
    tasks = tuple(TASK.__class__(**{**vars(TASK), "id": f"kitchen_{n}"}) for n in range(11))
    one, two = halves(tasks, 3)
    assert {*(t.id for t in one), *(t.id for t in two)} == {t.id for t in tasks}
    assert (len(one), len(two)) == (5, 6)
    assert halves(tasks, 3) == (one, two) != halves(tasks, 4)


def test_other_runs_are_laid_out_in_as_many_turns() -> None:
    turns: Turns = ((GOLD[0],), (GOLD[1],), (GOLD[2],))
    assert laid_out(turns, 2) == ((GOLD[0],), (GOLD[1], GOLD[2]))
    assert laid_out(turns, 4) == (*turns, ())


@pytest.mark.parametrize("value", ["40", "2.5", "rye_bread", "Ada"])
def test_another_value_differs_and_looks_alike(value: str) -> None:
    other = another(value, random.Random(2))
    assert other != value
    assert other.replace(".", "", 1).isdigit() == value.replace(".", "", 1).isdigit()


def test_a_run_is_told_turn_by_turn() -> None:
    run = as_run(TASK, TASK.question, TASK.gold, [["ok"], ["[]", "sent"]])
    assert [step.source for step in run.steps] == ["user", "agent", "user", "agent", "agent"]
    assert [step.message for step in run.user_steps] == list(TASK.question)
    assert run.agent_steps[-1].observations[0].content == "sent"
