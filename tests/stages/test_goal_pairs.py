"""Pairs for hindsight goals: only against a run that demonstrably misses the goal, told apart by nothing but what it did."""

from __future__ import annotations

import asyncio

import pytest
from tests.stages import household_runs, shell_runs, sql_runs
from tests.stages.sql_runs import BAKERY, COUNT, LOAF, OLD, TABLES, turn

from agenther.conclusions import Example
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.preferences import Pair
from agenther.stages.package.candidates import Candidate
from agenther.stages.package.goal_pairs import hindsight_pair, may_be_paired
from agenther.stages.parts import rule_parts
from agenther.trajectory import Step, Trajectory


def example_of(run: Trajectory, domain: str) -> Example:
    """Return the first label of a run."""
    config = Config(domains=(domain,))
    made = asyncio.run(relabel(run, rule_parts(config, ()), config)).examples
    assert made
    return made[0]


def pair_of(run: Trajectory, *others: Trajectory, domain: str = "sql") -> Pair | None:
    candidates = [Candidate(other.key, "worse", 0.5, lambda other=other: other) for other in others]
    return hindsight_pair(example_of(run, domain), run, candidates)


GOOD = sql_runs.run(TABLES, LOAF, COUNT)
COURIER = ("SELECT name FROM courier", "Error executing query: Table 'bread.courier' doesn't exist")
ELSEWHERE = ("SELECT name FROM bakery WHERE opening_year = 2019", "[('Kiln',), ('Crumb',)]")


def test_the_relabelled_run_is_better_than_one_that_never_saw_its_answer() -> None:
    other = sql_runs.run(TABLES, COURIER, ELSEWHERE).model_copy(update={"id": "other"})
    pair = pair_of(GOOD, other)
    assert pair is not None
    example = example_of(GOOD, "sql")
    assert (pair.kind, pair.outcome_inferred, pair.weight) == ("hindsight_goal", True, example.weight)
    assert [*pair.prompt, *pair.chosen] == list(example.messages)
    assert pair.prompt[0]["content"] == example.hindsight_goal
    assert [m["role"] for m in pair.prompt] == ["user", "assistant", "tool"]
    assert (pair.chosen_trajectory, pair.rejected_trajectory) == ("run/1", "other")
    assert OLD not in str(pair.rejected)
    assert all(one.trajectory_id == "run/1" and GOOD.text_at(one.span) for one in pair.evidence)
    assert "none of its 3 statements" in pair.why


@pytest.mark.parametrize(
    ("last", "why"),
    [
        ((*COUNT, ""), "the same query"),
        (
            ("SELECT grain, COUNT(*) FROM loaf GROUP BY grain", "[('spelt', 4.0), ('rye', 9)]"),
            "the number among others",
        ),
        (("SELECT loaf_id FROM loaf WHERE weight > 700", "[(11,), (13,), (17,), (19,)]"), "as many rows as it counts"),
        (("SELECT loaf_id FROM loaf", str([(n + 50,) for n in range(20)])), "perhaps cut"),
        (("DELETE FROM loaf WHERE grain = 'rye'", "[]"), "a change"),
        (("SELECT grain FROM loaf", "it is spelt and rye"), "no table"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_nothing_is_said_of_a_run_that_may_have_seen_the_answer(last: tuple[str, ...], why: str) -> None:
    assert why
    assert pair_of(GOOD, sql_runs.run(TABLES, ELSEWHERE, last)) is None


def test_a_run_that_did_the_same_where_something_else_came_back_is_no_partner() -> None:
    same, other = (
        sql_runs.run(TABLES, LOAF, (query, "[(5,)]")).model_copy(update={"id": "other"})
        for query in (COUNT[0], f"{COUNT[0]} AND weight > 900")
    )
    assert pair_of(GOOD, other) is not None
    assert pair_of(GOOD, same) is None


def test_what_the_other_run_thinks_of_its_own_goal_is_taken_out() -> None:
    thought = "I look at the tables. The courier with the heaviest parcel may stand there."
    good = sql_runs.run((*TABLES, "I look at the tables."), (*LOAF, "Now the loaf table."), (*COUNT, "I count them."))
    other = sql_runs.run((*BAKERY, thought), (*ELSEWHERE, "Now the bakery table."))
    pair = pair_of(good, other)
    assert pair is not None
    assert [m.get("reasoning_content") for m in pair.rejected if m["role"] == "assistant"] == [
        "I look at the tables.",
        "Now the bakery table.",
    ]


def test_sides_that_thinking_aloud_or_length_would_tell_apart_are_no_pair() -> None:
    silent = sql_runs.run(BAKERY, ELSEWHERE)
    aloud = sql_runs.run((*BAKERY, "I look at the tables."), (*ELSEWHERE, "Now the bakery table."))
    long = sql_runs.run(BAKERY, *[ELSEWHERE] * 7)
    assert pair_of(GOOD, silent) is not None
    assert pair_of(GOOD, aloud) is None
    assert pair_of(GOOD, long) is None
    kept = pair_of(GOOD, aloud, long, silent.model_copy(update={"id": "third"}))
    assert kept is not None
    assert kept.rejected_trajectory == "third"


def test_a_turn_that_only_hands_in_is_left_out() -> None:
    submit = turn(4, "", "").tool_calls[0].model_copy(update={"function_name": "submit", "arguments": "{}"})
    end = Step(step_id=4, source="agent", tool_calls=(submit,))
    pair = pair_of(GOOD, sql_runs.run(BAKERY, ELSEWHERE, end))
    assert pair is not None
    assert "submit" not in str(pair.rejected)
    assert pair.rejected[-1]["role"] == "assistant"


@pytest.mark.parametrize(
    "change", [{"goal": "How many couriers are there?"}, {"tools": ({"type": "function"},)}, {"goal_at": ()}]
)
def test_runs_that_were_asked_otherwise_are_no_partners(change: dict[str, object]) -> None:
    assert pair_of(GOOD, sql_runs.run(BAKERY, ELSEWHERE).model_copy(update=change)) is None


LIST = (shell_runs.FIND, shell_runs.FOUND)


@pytest.mark.parametrize(
    ("command", "output", "paired"),
    [
        ("ls /srv", "old\nreports\n", True),
        ("ls -R /srv/reports", "/srv/reports:\nmarch.csv\n2024\n\n/srv/reports/2024:\napril.csv\n", False),
        ("tar -cf /srv/old.tar /srv/old", "", False),
    ],
    ids=["printed something else", "printed the same names", "may have changed something"],
)
def test_a_shell_run_misses_what_it_never_printed(command: str, output: str, paired: bool) -> None:
    pair = pair_of(shell_runs.run(LIST), shell_runs.run((command, output)), domain="shell")
    assert (pair is not None) is paired


def game(answer: str) -> Trajectory:
    return household_runs.run(household_runs.call_step(2, answer, "take", thing="lantern 3"))


@pytest.mark.parametrize(
    ("answer", "paired"),
    [
        ("You pick up the lantern 3 from the crate 1.", True),
        ("You put the lantern 2 in/on the bench 1.", False),
        ("Nothing happens.", False),
    ],
    ids=["never put", "put elsewhere", "nothing shown"],
)
def test_a_game_is_missed_where_no_such_effect_was_printed(answer: str, paired: bool) -> None:
    step = household_runs.call_step
    good = household_runs.run(
        step(2, "You pick up the lantern 3 from the crate 1.", "take", thing="lantern 3", place="crate 1"),
        step(3, "The locker 1 is open. In it, you see a rope 1.", "goto", place="locker 1"),
        step(4, "You put the lantern 3 in/on the locker 1.", "put", thing="lantern 3", place="locker 1"),
    )
    assert (pair_of(good, game(answer), domain="household") is not None) is paired


def test_other_domains_have_no_such_check() -> None:
    assert may_be_paired("sql")
    assert not any(map(may_be_paired, ("shopping", "dialogue", "web", "code", "rest", "open")))
