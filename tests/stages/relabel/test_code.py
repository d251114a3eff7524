"""Goals of coding runs: said as the run shows them, refused wherever something else may have made the tests pass."""

from __future__ import annotations

import pytest
from tests.stages.code_runs import (
    EDITED,
    FAILED,
    GOAL,
    HONEST,
    OLD,
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

from agenther.conclusions import Proposal, Reason, Refusal
from agenther.trajectory import Span

READ, FIRST, LAST = HONEST[1], HONEST[0], HONEST[3]


def goal_of(*calls: Call) -> str:
    (example,) = result(run(*calls)).examples
    return example.hindsight_goal


def refusal_of(*calls: Call, goal: str = OLD) -> Reason:
    found = result(run(*calls, goal=goal))
    assert found.drop is not None
    return found.drop.reason


def test_the_repair_of_one_test() -> None:
    assert goal_of(*HONEST) == GOAL


def test_more_tests_than_one_names() -> None:
    many = FAILED.replace("1 failed, 2 passed", "4 failed, 2 passed")
    assert goal_of(shell(RUN, many), READ, edit(), shell(RUN, "6 passed in 0.1s")) == (
        "Fix mill/sacks.py so that all tests in tests/test_sacks.py pass"
    )


def test_one_of_two_failing_tests() -> None:
    other = "FAILED tests/test_sacks.py::test_flour - KeyError: 'rye'\n"
    both = FAILED.replace("1 failed, 2 passed", other + "2 failed, 1 passed")
    assert goal_of(shell(RUN, both), READ, edit(), shell(RUN, other + "1 failed, 2 passed in 0.1s")) == GOAL


def test_other_runners() -> None:
    failing = "mill/sacks.js:3\nTest Suites: 1 failed, 1 total\nTests:       1 failed, 2 passed, 3 total\n"
    passing = "Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\n"
    calls = (
        shell("cd /srv/mill && npm test 2>&1", failing),
        shell("cat mill/sacks.js", SOURCE),
        edit("mill/sacks.js"),
        shell("cd /srv/mill && npm test 2>&1", passing),
    )
    assert goal_of(*calls) == "Fix mill/sacks.js so that `npm test` in /srv/mill passes"


def test_a_useless_look_is_left_out_and_a_failed_edit_carries_no_loss() -> None:
    stray = shell("cat docs/stones.md", "Basalt and quartz.")
    missed = edit(old="    return sum(sacks)", said="No replacement was performed, old_str did not appear verbatim")
    kept = rewritten(run(FIRST, stray, READ, missed, edit(), LAST))
    assert [step.step_id for step in kept.steps] == [1, 2, 4, 5, 6, 7]
    assert 5 not in kept.train_on


@pytest.mark.parametrize(
    "calls",
    [
        (READ, edit(), shell(RUN, PASSED)),
        (READ, edit(), FIRST, edit(), LAST),
        (FIRST, READ, LAST),
        (FIRST, READ, edit(), FIRST),
        (FIRST, READ, edit(), shell("python -m pytest tests/test_stone.py -q", PASSED)),
        (FIRST, READ, edit(), shell("git checkout tests", ""), LAST),
        (FIRST, shell("pip install mill-extras", "Successfully installed mill-extras-1"), READ, edit(), LAST),
        (FIRST, READ, edit(said="done?"), LAST),
        (FIRST, READ, edit(), shell("rm tests/test_stone.py", ""), LAST),
        (FIRST, READ, edit(), shell(RUN, "2 passed, 1 skipped in 0.1s")),
        (shell(RUN, FAILED + "E   ModuleNotFoundError: No module named 'rye'"), READ, edit(), LAST),
    ],
)
def test_nothing_is_claimed(calls: tuple[Call, ...]) -> None:
    assert not proposals(run(*calls))


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        ((FIRST, READ, edit("tests/test_sacks.py"), LAST), Reason.SIDE_EFFECT),
        ((FIRST, READ, edit(), edit("conftest.py"), LAST), Reason.SIDE_EFFECT),
        ((FIRST, READ, edit(), edit("pyproject.toml"), LAST), Reason.SIDE_EFFECT),
        ((FIRST, READ, edit("expected/sacks.json"), LAST), Reason.SIDE_EFFECT),
        ((FIRST, READ, shell("cd tests && sed -i 's/5/4/' sacks.json", ""), LAST), Reason.SIDE_EFFECT),
        ((FIRST, READ, edit(new="    import pytest; pytest.skip('later')"), LAST), Reason.NOT_TRUE),
        ((FIRST, READ, edit(), edit("mill/stone.py"), edit("mill/sack_bag.py"), LAST), Reason.NO_NATURAL_GOAL),
        ((FIRST, READ, edit("mill/stone.py"), LAST), Reason.BY_CHANCE),
        (
            (*HONEST, shell("python -m pytest", "FAILED tests/test_stone.py::test_a\n1 failed, 9 passed in 1.0s")),
            Reason.NOT_TRUE,
        ),
        ((FIRST, READ, edit(), shell("sed -i 's/2/3/' mill/sacks2.py", ""), LAST), Reason.EVIDENCE_FAILED),
    ],
)
def test_refusals_of_the_composer(calls: tuple[Call, ...], reason: Reason) -> None:
    (found,) = proposals(run(*calls))
    assert isinstance(found, Refusal)
    assert found.reason is reason, found.detail


@pytest.mark.parametrize(
    "goal",
    [
        "Since Tuesday test_empty_delivery is red, please look after it.",
        "Have a look at test_sacks.py, the means are off.",
        "Mend the mean so that the tests pass.",
        "There are failing tests in the mill.",
        "A delivery that is empty must weigh nothing instead of ending the program.",
    ],
)
def test_the_old_goal_asks_for_these_tests(goal: str) -> None:
    assert refusal_of(*HONEST, goal=goal) is Reason.REWORDING


def test_the_edit_does_what_only_the_old_goal_asks_for() -> None:
    more = edit(new="    return total / len(sacks) if sacks else 0\n\ndef spreadsheet(week): ...")
    assert refusal_of(FIRST, READ, more, LAST) is Reason.STILL_SPEAKS_OF_OLD_GOAL


def test_an_edit_of_what_was_never_looked_at() -> None:
    hidden = FAILED.replace("mill/sacks.py:3: ", "")
    assert refusal_of(shell(RUN, hidden), edit(), LAST) is Reason.BY_CHANCE
    assert refusal_of(FIRST, edit(old="    return 7"), LAST) is Reason.BY_CHANCE


def test_a_new_file_is_nothing_to_fix() -> None:
    made = (
        "create",
        {"path": "mill/sacks.py", "file_text": "def mean_weight(sacks): ..."},
        "File created successfully at: mill/sacks.py",
    )
    assert refusal_of(FIRST, made, LAST) is Reason.BY_CHANCE


ISSUE = """The weekly sheet repeats a row

When a stone rests for a week, the sheet shows the row of the stone before it. Run the mill for a week and look at the file."""
FRAME = "You work on the project in /srv/mill. The issue:\n\n{}\n\nPlease change the source files so that the issue is solved.{}"


@pytest.mark.parametrize(
    ("hint", "reason"),
    [("", None), (" Submit when the code runs.", None), (" Leave the row empty.", Reason.USER_TURNS_CONTRADICT)],
)
def test_instructions_around_an_issue(hint: str, reason: Reason | None) -> None:
    calls = run(*HONEST, goal=FRAME.format(ISSUE, hint))
    at = calls.steps[0].message.index(ISSUE)
    span = Span(step=1, field="message", start=at, end=at + len(ISSUE))
    found = result(calls.model_copy(update={"goal": ISSUE, "goal_at": (span,)}))
    assert (found.drop.reason if found.drop else None) is reason


def test_a_proposal_says_what_it_keeps() -> None:
    (found,) = proposals(run(*HONEST))
    assert isinstance(found, Proposal)
    assert (found.last_step, found.useful_steps, found.effect, found.strategy) == (5, (2, 3, 4, 5), True, "future")


def test_a_file_that_was_looked_for_in_vain() -> None:
    made = ("str_replace_editor", {"command": "create", "path": "mill/sacks.py", "file_text": "x = 1\n"}, EDITED)
    found = result(run(FIRST, shell("find . -name sacks.py", ""), made, LAST))
    assert found.drop is not None
    assert found.drop.reason is Reason.BY_CHANCE
