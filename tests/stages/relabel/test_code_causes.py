"""Repairs that are not surely the doing of the named edits give no goal: each case was once found by executing labels."""

from __future__ import annotations

import pytest
from tests.stages.code_runs import (
    FAILED,
    GOAL,
    HONEST,
    PASSED,
    RUN,
    SOURCE,
    Call,
    edit,
    proposals,
    result,
    rewritten,
    run,
    shell,
)

from agenther.conclusions import Reason, Refusal
from agenther.stages.language.code.causes import moves_from

FIRST, READ, _, LAST = HONEST
ALL = "python -m pytest -q"
STONES = """\
=================================== FAILURES ===================================
______________________________ test_empty_delivery ______________________________
>       assert mean_weight([]) == 0
mill/sacks.py:3: ZeroDivisionError
__________________________________ test_grind __________________________________
>       assert grind(rye) == 3
mill/stones.py:9: KeyError
=========================== short test summary info ============================
FAILED tests/test_sacks.py::test_empty_delivery - ZeroDivisionError: division by zero
FAILED tests/test_wheel.py::test_grind - KeyError: 'rye'
2 failed, 5 passed in 0.05s
"""
GRIND_LEFT = """\
FAILED tests/test_wheel.py::test_grind - KeyError: 'rye'
1 failed, 6 passed in 0.05s
"""
SACKS_LEFT = """\
FAILED tests/test_sacks.py::test_empty_delivery - ZeroDivisionError: division by zero
1 failed, 6 passed in 0.05s
"""
READ_STONES = shell("cat mill/stones.py", SOURCE)
STONE_EDIT = edit("mill/stones.py")


def refusal(*calls: Call) -> Reason:
    (found,) = proposals(run(*calls))
    assert isinstance(found, Refusal), found
    return found.reason


@pytest.mark.parametrize(
    ("edited", "left", "goal"),
    [
        (edit(), GRIND_LEFT, GOAL),
        (STONE_EDIT, SACKS_LEFT, "Fix mill/stones.py so that tests/test_wheel.py::test_grind passes"),
    ],
)
def test_the_file_of_which_the_mended_test_speaks(edited: Call, left: str, goal: str) -> None:
    found = result(run(shell(ALL, STONES), READ, READ_STONES, edited, shell(ALL, left)))
    assert [example.hindsight_goal for example in found.examples] == [goal]


def test_a_mended_test_that_does_not_speak_of_the_file_is_not_named() -> None:
    calls = (shell(ALL, STONES), READ, READ_STONES, edit(), shell(ALL, "7 passed in 0.05s"))
    assert [example.hindsight_goal for example in result(run(*calls)).examples] == [GOAL]


def test_a_file_of_which_only_another_failing_test_speaks() -> None:
    calls = (shell(ALL, STONES), READ, READ_STONES, STONE_EDIT, shell(ALL, GRIND_LEFT))
    assert refusal(*calls) is Reason.BY_CHANCE


def test_two_files_of_which_each_raised_an_error() -> None:
    calls = (shell(ALL, STONES), READ, READ_STONES, edit(), STONE_EDIT, shell(ALL, "7 passed in 0.05s"))
    (example,) = result(run(*calls)).examples
    assert example.hindsight_goal.startswith("Fix mill/sacks.py and mill/stones.py so that ")


def test_two_files_of_which_one_raised_nothing() -> None:
    quiet = STONES.replace("mill/stones.py:9", "tests/test_wheel.py:4").replace("grind(rye)", "stones.grind(rye)")
    calls = (shell(ALL, quiet), READ, READ_STONES, edit(), STONE_EDIT, shell(ALL, "7 passed in 0.05s"))
    assert refusal(*calls) is Reason.BY_CHANCE


def test_only_a_comment_was_edited() -> None:
    comment = edit(old="    return total / len(sacks)", new="    # sacks\n    return total / len(sacks)")
    assert refusal(FIRST, READ, comment, LAST) is Reason.BY_CHANCE


@pytest.mark.parametrize(
    "second",
    [
        shell(RUN, PASSED),
        shell(ALL, "9 passed in 0.1s"),
        shell("pytest tests/test_sacks.py::test_empty_delivery -q", "1 passed in 0.1s"),
    ],
)
def test_runs_that_do_not_agree_before_any_edit(second: Call) -> None:
    assert not proposals(run(FIRST, second, READ, edit(), LAST))
    assert not proposals(run(second, FIRST, READ, edit(), LAST))


@pytest.mark.parametrize(
    "second",
    [
        shell("pytest tests/test_wheel.py -q", "4 passed in 0.1s"),
        shell(RUN, FAILED),
        shell(ALL, "FAILED tests/test_sacks.py::test_empty_delivery - E\n1 failed, 8 passed in 0.1s"),
    ],
)
def test_runs_that_agree(second: Call) -> None:
    assert len(proposals(run(FIRST, second, READ, edit(), LAST))) == 1


def test_a_kept_run_shows_what_the_edit_broke() -> None:
    wide, broken = (
        shell(ALL, SACKS_LEFT),
        SACKS_LEFT.replace("test_sacks.py::test_empty_delivery", "test_wheel.py::test_a"),
    )
    assert refusal(FIRST, wide, READ, edit(), shell(ALL, broken), LAST) is Reason.SIDE_EFFECT


def test_too_many_tests_to_name_while_others_fail() -> None:
    names = [f"tests/test_sacks.py::test_sacks_{n}" for n in range(4)]
    before = "".join(f"FAILED {name} - E\n" for name in [*names, "tests/test_wheel.py::test_grind"])
    calls = (shell(ALL, before + "5 failed, 2 passed in 0.1s"), READ, edit(), shell(ALL, GRIND_LEFT))
    assert refusal(*calls) is Reason.NO_NATURAL_GOAL


@pytest.mark.parametrize(
    ("move", "place", "adrift"),
    [
        ("cd mill && ls", "", True),
        ("cd /srv/mill && ls", "", True),
        ("ls", "", False),
        ("cd /srv && ls", "cd /srv && ", False),
        ("cd /srv/mill && ls", "cd /srv && ", True),
    ],
)
def test_a_relative_path_after_the_shell_moved(move: str, place: str, adrift: bool) -> None:
    typed = shell("sed -i 's/total/total or 0/' mill/sacks.py", "")
    calls = (shell(place + RUN, FAILED), shell(move, "sacks.py"), READ, typed, shell(place + RUN, PASSED))
    (found,) = proposals(run(*calls))
    assert (isinstance(found, Refusal) and found.reason is Reason.AMBIGUOUS) is adrift


def test_a_look_that_moves_the_shell_is_kept() -> None:
    stray, moved = shell("cat docs/stones.md", "Basalt."), shell("cd docs && pwd", "/srv/docs")
    kept = rewritten(run(FIRST, stray, moved, READ, edit("/srv/mill/sacks.py"), LAST))
    assert [step.step_id for step in kept.steps] == [1, 2, 4, 5, 6, 7]
    assert moves_from(kept.steps[2], "")
    assert not moves_from(kept.steps[1], "")
