"""Each check of shell goals passes on an honest run and refuses when the run is tampered with."""

from __future__ import annotations

import pytest
from tests.stages.shell_runs import FIND, FOUND, MADE, rewritten, run

from agenther.conclusions import Reason, Rewritten
from agenther.stages.protocols import Check
from agenther.stages.verify import shell
from agenther.stages.verify.rules import COMMON, checks_of
from agenther.trajectory import Trajectory

CREATED = run(*MADE)
HONEST = run(("ls /srv", "reports\n"), (FIND, FOUND))


def tampered(trajectory: Trajectory, step: int, old: str, new: str, *, call: bool = False) -> Rewritten:
    """Return a run whose command or output was changed after the goal was composed."""
    honest = rewritten(trajectory)

    def changed(text: str) -> str:
        assert old in text
        return text.replace(old, new)

    one = trajectory.step(step)
    if call:
        calls = tuple(c.model_copy(update={"arguments": changed(c.arguments)}) for c in one.tool_calls)
        mended = one.model_copy(update={"tool_calls": calls})
    else:
        seen = tuple(o.model_copy(update={"content": changed(o.content)}) for o in one.observations)
        mended = one.model_copy(update={"observations": seen})
    steps = tuple(mended if s.step_id == step else s for s in trajectory.steps)
    return honest.model_copy(update={"trajectory": trajectory.model_copy(update={"steps": steps})})


@pytest.mark.parametrize("check", [*COMMON, *checks_of("shell")])
def test_an_honest_run_passes(check: Check) -> None:
    for trajectory in (HONEST, CREATED):
        score = check(rewritten(trajectory))
        assert score is None or score.value == 1.0, score


@pytest.mark.parametrize(
    ("old", "new", "call"),
    [
        ("april.csv", "april.txt", False),
        ("/srv/reports/march", "/home/march", False),
        ("/srv/reports/march.csv", "find: '/srv/reports': Permission denied", False),
        ("april.csv\n", "april.csv", False),
        (FOUND, "", False),
        ("*.csv", "*.tsv", True),
        (FIND, "rm -r /srv/reports", True),
    ],
)
def test_output_that_does_not_show_it(old: str, new: str, call: bool) -> None:
    score = shell.check_output(tampered(HONEST, 3, old, new, call=call))
    assert (score.value, score.reason) == (0.0, Reason.EVIDENCE_FAILED)


def test_a_change_before() -> None:
    score = shell.check_state(tampered(HONEST, 2, "ls /srv", "touch /srv/reports/a.csv", call=True))
    assert (score.value, score.reason) == (0.0, Reason.SIDE_EFFECT)


def test_the_old_goal_again() -> None:
    honest = rewritten(HONEST)
    same = HONEST.model_copy(update={"goal": "Show me which csv files lie below /srv/reports"})
    score = shell.check_rewording(honest.model_copy(update={"trajectory": same}))
    assert (score.value, score.reason) == (0.0, Reason.REWORDING)


def test_a_trifle() -> None:
    score = shell.check_weight(tampered(HONEST, 3, " -type f -name '*.csv'", "", call=True))
    assert (score.value, score.reason) == (0.0, Reason.TRIVIAL)


@pytest.mark.parametrize(
    ("step", "old", "new", "call"),
    [
        (6, "notes.md", "notes.txt", False),
        (6, "final", "other", False),
        (4, "mkdir", "rm -r", True),
        (4, "/srv/plan/final", "/srv/plan/last", True),
        (3, "cat /srv/plan/readme", "rm /srv/plan/readme", True),
    ],
)
def test_creations_that_are_not_shown(step: int, old: str, new: str, call: bool) -> None:
    score = shell.check_created(tampered(CREATED, step, old, new, call=call))
    assert (score.value, score.reason) == (0.0, Reason.EVIDENCE_FAILED)


def test_a_change_may_not_be_left_out() -> None:
    honest = rewritten(CREATED)
    score = shell.check_created(honest.model_copy(update={"steps": tuple(s for s in honest.steps if s.step_id != 4)}))
    assert (score.value, score.reason) == (0.0, Reason.SIDE_EFFECT)
