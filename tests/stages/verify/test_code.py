"""Each check of coding goals passes on an honest run and refuses when the run is tampered with."""

from __future__ import annotations

import pytest
from tests.stages.code_runs import FAILED, HONEST, PASSED, RUN, rewritten, run, shell

from agenther.conclusions import Reason, Rewritten, Score
from agenther.stages.verify import code
from agenther.stages.verify.code import CHECKS
from agenther.trajectory import Step


def expect(score: Score, reason: Reason) -> None:
    assert (score.value, score.reason) == (0.0, reason), score.explanation


def tampered(step: int, old: str, new: str, honest: Rewritten | None = None) -> Rewritten:
    """Return the run with a text of one step replaced after the goal was composed."""
    honest = honest or rewritten(run(*HONEST))

    def edited(one: Step) -> Step:
        calls = tuple(c.model_copy(update={"arguments": c.arguments.replace(old, new)}) for c in one.tool_calls)
        seen = tuple(o.model_copy(update={"content": o.content.replace(old, new)}) for o in one.observations)
        return one.model_copy(update={"tool_calls": calls, "observations": seen})

    steps = tuple(edited(s) if s.step_id == step else s for s in honest.trajectory.steps)
    assert steps != honest.trajectory.steps
    return honest.model_copy(update={"trajectory": honest.trajectory.model_copy(update={"steps": steps})})


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_an_honest_run_passes(check: object) -> None:
    score = check(rewritten(run(*HONEST)))  # type: ignore[operator]
    assert score.value == 1.0, score.explanation


@pytest.mark.parametrize(
    ("step", "old", "new"),
    [
        (2, FAILED, PASSED),
        (2, "1 failed, 2 passed", "3 passed"),
        (2, FAILED, "bash: python: command not found"),
        (5, PASSED, FAILED),
        (5, "3 passed", "2 passed"),
        (5, "3 passed", "2 passed, 1 skipped"),
        (5, "3 passed", "2 passed, 1 xfailed"),
        (5, "3 passed in 0.03s", ""),
        (5, "test_sacks.py", "test_stone.py"),
        (5, "-q", "-k full"),
        (4, "has been edited", "could not be edited"),
        (4, "str_replace", "undo"),
        (3, "cat mill/sacks.py", "git stash"),
    ],
)
def test_tests_that_are_not_shown_to_pass_now(step: int, old: str, new: str) -> None:
    expect(code.check_tests_pass(tampered(step, old, new)), Reason.EVIDENCE_FAILED)


def test_a_goal_that_names_another_test_or_file() -> None:
    honest = rewritten(run(*HONEST))
    for old, new in (("test_empty_delivery", "test_full_delivery"), ("mill/sacks.py", "mill/stone.py")):
        goal = honest.proposal.goal.replace(old, new)
        other = honest.model_copy(update={"proposal": honest.proposal.model_copy(update={"goal": goal})})
        expect(code.check_tests_pass(other), Reason.NOT_TRUE)


@pytest.mark.parametrize("left_out", [2, 4])
def test_a_step_of_the_repair_that_was_left_out(left_out: int) -> None:
    honest = rewritten(run(*HONEST))
    short = honest.model_copy(update={"steps": tuple(s for s in honest.steps if s.step_id != left_out)})
    expect(code.check_tests_pass(short), Reason.SIDE_EFFECT)


def test_an_edit_that_leaves_tests_out() -> None:
    cheat = tampered(4, "if sacks else 0", "if sacks else sys.exit(0)")
    expect(code.check_untouched(cheat), Reason.NOT_TRUE)


def test_tests_that_fail_again_without_a_change() -> None:
    honest = rewritten(run(*HONEST, shell("python -m pytest", "9 passed in 1.0s")))
    assert code.check_untouched(honest).value == 1.0
    expect(code.check_untouched(tampered(6, "9 passed", "1 failed, 8 passed", honest)), Reason.NOT_TRUE)


def test_a_failing_run_that_does_not_speak_of_the_edited_file() -> None:
    honest = tampered(5, "sacks", "grain", tampered(2, "sacks", "grain"))
    data = honest.proposal.claims[0].data | {"command": RUN.replace("sacks", "grain")}
    claim = honest.proposal.claims[0].model_copy(update={"data": data})
    other = honest.model_copy(
        update={
            "proposal": honest.proposal.model_copy(update={"claims": (claim,)}),
        }
    )
    expect(code.check_untouched(other), Reason.BY_CHANCE)


def test_an_old_goal_that_asks_for_these_tests() -> None:
    honest = rewritten(run(*HONEST))
    asked = honest.trajectory.model_copy(update={"goal": "Make test_empty_delivery green again."})
    expect(code.check_request(honest.model_copy(update={"trajectory": asked})), Reason.REWORDING)


def test_an_edit_that_nothing_led_to() -> None:
    expect(code.check_seen(tampered(3, "return total / len(sacks)", "return 1")), Reason.BY_CHANCE)
    honest = rewritten(run(*HONEST))
    blind = honest.model_copy(update={"steps": tuple(s for s in honest.steps if s.step_id != 3)})
    expect(code.check_seen(blind), Reason.BY_CHANCE)


def test_a_word_that_only_the_old_goal_gave() -> None:
    expect(code.check_words(tampered(4, "if sacks else 0", "if spreadsheet else 0")), Reason.STILL_SPEAKS_OF_OLD_GOAL)
