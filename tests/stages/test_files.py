"""A short file that was written and shown becomes a goal; whatever is not shown, or not alone, does not."""

from __future__ import annotations

import asyncio

import pytest
from tests.stages.code_runs import Call, run, shell
from tests.stages.verify.test_code import expect, tampered

from agenther.conclusions import Proposal, Reason, Result, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.extract.files import claims
from agenther.stages.parts import rule_parts
from agenther.stages.relabel.files import compose
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify import files
from agenther.trajectory import Trajectory

OLD = "Tell every miller by mail when the river is too low for the wheel."
MADE = "File created successfully at: notes/river.txt"
NOTE: Call = (
    "str_replace_editor",
    {"command": "create", "path": "notes/river.txt", "file_text": "Gauge: 41 cm\n"},
    MADE,
)
SHOWN = shell("cat notes/river.txt", "Gauge: 41 cm\n")
ECHO = shell("echo 'Gauge: 41 cm' > river.txt", "")
BELL: Call = (
    "Write",
    {"file_path": "/srv/bell.py", "content": "print('Low water at noon')\n"},
    "File created successfully",
)
CLEVER: Call = ("Write", {"file_path": "bell.py", "content": "import os\nprint('Low')"}, "File created successfully")
GOAL = 'Write "Gauge: 41 cm" to the file notes/river.txt'


def result(trajectory: Trajectory) -> Result:
    return asyncio.run(relabel(trajectory, rule_parts(config := Config(domains=("files",))), config))


def goals(*calls: Call, goal: str = OLD) -> list[str]:
    return [example.hindsight_goal for example in result(run(*calls, goal=goal)).examples]


def rewritten(*calls: Call) -> Rewritten:
    trajectory = run(*calls, goal=OLD)
    (proposal,) = compose(trajectory, tuple(claims(trajectory)))
    assert isinstance(proposal, Proposal)
    found = rewrite(trajectory, proposal)
    assert isinstance(found, Rewritten)
    return found


@pytest.mark.parametrize(
    ("calls", "goal"),
    [
        ((NOTE, SHOWN), GOAL),
        ((shell("ls notes", ""), NOTE, shell("date", "Monday"), SHOWN), GOAL),
        ((ECHO, shell("cat river.txt", "Gauge: 41 cm\n")), 'Write "Gauge: 41 cm" to the file river.txt'),
        (
            (
                shell("cat > river.txt <<'EOF'\nGauge 41\nWheel 3\nEOF", ""),
                shell("cat river.txt", "Gauge 41\nWheel 3\n"),
            ),
            'Write the lines "Gauge 41" and "Wheel 3" to the file river.txt',
        ),
        (
            (BELL, shell("python /srv/bell.py", "Low water at noon\n")),
            'Write the script /srv/bell.py that prints "Low water at noon"',
        ),
    ],
)
def test_goals(calls: tuple[Call, ...], goal: str) -> None:
    assert goals(*calls) == [goal]


@pytest.mark.parametrize(
    "calls",
    [
        (NOTE,),
        (NOTE, shell("cat notes/wheel.txt", "Gauge: 41 cm\n")),
        (NOTE, shell("cat notes/river.txt", "Gauge: 40 cm\n")),
        (NOTE, shell("rm notes/wheel.txt", ""), SHOWN),
        (shell("mkdir notes", ""), NOTE, SHOWN),
        (shell('echo "Gauge: $CM" > river.txt', ""), shell("cat river.txt", "Gauge: 41\n")),
        (shell("echo 'Gauge: 41 cm' >> river.txt", ""), shell("cat river.txt", "Gauge: 41 cm\n")),
        (shell("cat > a.txt <<'EOF'\n1\n2\n3\n4\nEOF", ""), shell("cat a.txt", "1\n2\n3\n4\n")),
        (CLEVER, shell("python bell.py", "Low")),
        (shell("cd /srv && echo 'Gauge: 41 cm' > river.txt", ""), shell("cat river.txt", "Gauge: 41 cm\n")),
    ],
)
def test_nothing_is_claimed(calls: tuple[Call, ...]) -> None:
    assert not list(claims(run(*calls, goal=OLD)))


def test_a_blank_line_at_the_end_is_no_end_of_line() -> None:
    note = (NOTE[0], {**NOTE[1], "file_text": "Gauge: 41 cm\n\n"}, MADE)
    assert not list(claims(run(note, shell("cat notes/river.txt", "Gauge: 41 cm\n\n"), goal=OLD)))


def test_a_relative_path_after_the_shell_moved() -> None:
    drop = result(run(shell("cd notes && ls", ""), ECHO, shell("cat river.txt", "Gauge: 41 cm\n"))).drop
    assert drop is not None
    assert drop.reason is Reason.AMBIGUOUS


@pytest.mark.parametrize("goal", ["Keep a river.txt for the gauge.", "Note somewhere: gauge: 41 cm."])
def test_the_old_goal_asks_for_the_file(goal: str) -> None:
    drop = result(run(NOTE, SHOWN, goal=goal)).drop
    assert drop is not None
    assert drop.reason is Reason.REWORDING


@pytest.mark.parametrize("check", files.CHECKS, ids=lambda c: c.__name__)
def test_an_honest_run_passes(check: object) -> None:
    score = check(rewritten(NOTE, SHOWN))  # type: ignore[operator]
    assert score.value == 1.0, score.explanation


@pytest.mark.parametrize(
    ("step", "old", "new"),
    [(3, "41 cm", "40 cm"), (3, "river", "wheel"), (2, "41 cm", "40 cm"), (2, "created successfully", "not created")],
)
def test_what_is_not_shown(step: int, old: str, new: str) -> None:
    expect(files.check_shown(tampered(step, old, new, rewritten(NOTE, SHOWN))), Reason.EVIDENCE_FAILED)


def test_a_goal_that_asks_for_something_else() -> None:
    honest = rewritten(NOTE, SHOWN)
    other = honest.proposal.model_copy(update={"goal": honest.proposal.goal.replace("41", "14")})
    expect(files.check_shown(honest.model_copy(update={"proposal": other})), Reason.NOT_TRUE)


def test_a_write_that_was_left_out_or_came_after_another() -> None:
    honest = rewritten(NOTE, SHOWN)
    short = honest.model_copy(update={"steps": tuple(s for s in honest.steps if s.step_id != 2)})
    expect(files.check_alone(short), Reason.SIDE_EFFECT)
    twice = rewritten(shell("ls notes", ""), NOTE, SHOWN)
    wrote = tampered(2, "ls notes", "echo 'x' > notes/river.txt", twice)
    expect(files.check_alone(wrote), Reason.SIDE_EFFECT)


def test_an_old_goal_that_asks_for_the_file() -> None:
    honest = rewritten(NOTE, SHOWN)
    asked = honest.trajectory.model_copy(update={"goal": "Write river.txt."})
    expect(files.check_request(honest.model_copy(update={"trajectory": asked})), Reason.REWORDING)


def test_a_word_or_two_are_no_text() -> None:
    calls = (shell("echo 'Gauge 41' > river.txt", ""), shell("cat river.txt", "Gauge 41\n"))
    drop = result(run(*calls)).drop
    assert drop is not None
    assert drop.reason is Reason.TRIVIAL
