"""Pairs of single turns: only an error of the call, only against a look-up that worked in a successful run."""

from __future__ import annotations

import pytest

from agenther.preferences import Pair
from agenther.stages.package.candidates import Candidate, PairRole
from agenther.stages.package.step_pairs import step_pairs
from agenther.trajectory import Observation, Source, Step, ToolCall, Trajectory

GOAL = "How many buoys are red?"
REFUSED = "Error executing query: Unknown column 'colour' in 'field list'"
Turn = tuple[str, str]
"""A statement, and what came back."""


def turn(step_id: int, query: str, result: str, *, tool: str = "sql", argument: str = "query") -> Step:
    call = ToolCall(tool_call_id=f"{query[:3]}{step_id}", function_name=tool, arguments=f'{{"{argument}": "{query}"}}')
    back = Observation(content=result, source_call_id=call.tool_call_id)
    return Step(step_id=step_id, source="agent", tool_calls=(call,), observations=(back,))


def run_of(
    name: str, *turns: Turn, success: bool, goal: str = GOAL, tool: str = "sql", argument: str = "query"
) -> Trajectory:
    asked = Step(step_id=1, source="user", message=goal)
    steps = (asked, *(turn(n, *one, tool=tool, argument=argument) for n, one in enumerate(turns, start=2)))
    source = Source(path="p", format="f", index=0)
    return Trajectory(id=name, source=source, task_id="t", goal=goal, steps=steps, success=success, label_source="test")


def pairs_of(*runs: Trajectory, most: int = 9) -> list[Pair]:
    def candidate(run: Trajectory) -> Candidate:
        role: PairRole = "better" if run.success else "worse"
        return Candidate(run.key, role, 0.7, lambda: run)

    return list(step_pairs([candidate(run) for run in runs], most))


LOOK: Turn = ("SHOW TABLES", "[('buoy',), ('pier',)]")
RIGHT: Turn = ("SELECT COUNT(*) FROM buoy WHERE color = 'red'", "[(7,)]")
WRONG: Turn = ("SELECT COUNT(*) FROM buoy WHERE colour = 'red'", REFUSED)
GOOD = run_of("good", LOOK, RIGHT, success=True)


def test_the_refused_call_is_worse_than_the_one_that_worked_at_the_same_point() -> None:
    (pair,) = pairs_of(GOOD, run_of("bad", LOOK, WRONG, RIGHT, success=False))
    assert (pair.kind, pair.outcome_inferred) == ("step", True)
    assert [m["role"] for m in pair.prompt] == ["user", "assistant", "tool"]
    assert len(pair.chosen) == len(pair.rejected) == 1
    assert "color = " in str(pair.chosen)
    assert "colour = " in str(pair.rejected)
    assert "Unknown column" in pair.why
    assert [one.trajectory_id for one in pair.evidence] == ["bad", "good"]


def test_what_became_of_the_run_with_the_refused_call_does_not_matter() -> None:
    (pair,) = pairs_of(GOOD, run_of("also good", LOOK, WRONG, RIGHT, success=True))
    assert (pair.chosen_trajectory, pair.rejected_trajectory) == ("good", "also good")


@pytest.mark.parametrize(
    "other",
    [
        run_of("failed later", LOOK, ("SELECT COUNT(*) FROM pier", "[(3,)]"), WRONG, success=False),
        run_of("another goal", LOOK, WRONG, success=False, goal="How many piers are red?"),
        run_of("another tool", LOOK, WRONG, success=False, tool="query"),
        run_of("slow", LOOK, (WRONG[0], "Error: query timed out"), success=False),
        run_of("more than an error", LOOK, (WRONG[0], "[(1,)]\nTraceback (most recent call last):\nKeyError: 1"), success=False),
        run_of("the same turn", LOOK, (RIGHT[0], REFUSED), success=False),
    ],
    ids=lambda run: run.id,
)  # fmt: skip
def test_nothing_is_said_where_no_error_tells_the_two_turns_apart(other: Trajectory) -> None:
    assert not pairs_of(GOOD, other)


@pytest.mark.parametrize(
    "good",
    [
        run_of("failed too", LOOK, RIGHT, success=False),
        run_of("nothing found", LOOK, ("SELECT name FROM buoy WHERE color = 'rde'", "[]"), success=True),
        run_of("a change", LOOK, ("DELETE FROM buoy WHERE color = 'red'", "[(1,)]"), success=True),
        run_of("refused too", LOOK, ("SELECT kolor FROM buoy", REFUSED), success=True),
    ],
    ids=lambda run: run.id,
)
def test_a_turn_is_only_better_where_it_showed_something_and_changed_nothing(good: Trajectory) -> None:
    assert not pairs_of(good, run_of("bad", LOOK, WRONG, success=False))


@pytest.mark.parametrize(
    ("command", "result", "paired"),
    [
        ("wc -l /srv/buoy.txt", "wc: /srv/buoy.txt: No such file or directory", True),
        ("ls /srv/buoy", "ls: cannot access '/srv/buoy': No such file or directory", False),
        (
            "wc -l $(python count.py)",
            'Traceback (most recent call last):\n  File "count.py", line 1\nValueError: 7',
            False,
        ),
    ],
    ids=["the same program", "another program", "a crash"],
)
def test_in_a_shell_the_programs_must_be_the_same_and_a_crash_is_no_refusal(
    command: str, result: str, paired: bool
) -> None:
    good = run_of("good", ("wc -l /srv/buoys.txt", "7 /srv/buoys.txt\n"), success=True, tool="bash", argument="command")
    bad = run_of("bad", (command, result), success=False, tool="bash", argument="command")
    assert bool(pairs_of(good, bad)) is paired


def test_a_turn_stands_in_one_pair_and_a_task_gives_no_more_than_it_may() -> None:
    refused = [(f"SELECT c{n} FROM buoy", REFUSED) for n in range(5)]
    bad = [run_of(f"bad {n}", LOOK, one, success=False) for n, one in enumerate(refused)]
    assert len(pairs_of(GOOD, *bad)) == 1
    good = [run_of(f"good {n}", LOOK, (f"SELECT {n}, name FROM buoy", "[(1, 'a')]"), success=True) for n in range(5)]
    assert len(pairs_of(*good, *bad)) == 5
    assert len(pairs_of(*good, *bad, most=2)) == 2
