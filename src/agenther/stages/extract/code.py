"""What coding agents repaired: tests that failed before an edit and pass after it, as the run itself prints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agenther.conclusions import Claim
from agenther.record import Json, JsonObject
from agenther.stages.language.code.fixes import Fix, find_fix
from agenther.stages.language.shell.calls import command_of
from agenther.trajectory import Trajectory

_TESTS = re.compile(r"\b(?:pytest|py\.test|unittest|test|jest|mocha|vitest|check)\b")


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield one claim for the first repair that a run shows."""
    commands = (command_of(call) for step in trajectory.agent_steps for call in step.tool_calls)
    if sum(_TESTS.search(command) is not None for command in commands if command) < 2:
        return
    fix = find_fix(trajectory)
    if fix is None:
        return
    after = fix.after
    yield Claim(
        text=f"edited {', '.join(fix.edited)}, and `{after.suite.command}` went from {fix.before.count.failed} failed tests to "
        f"{after.count.failed}",
        kind="code.effect",
        evidence=(fix.before.printed, *(edit.at for edit in fix.edits), after.printed),
        data=data_of(fix),
    )


def data_of(fix: Fix) -> JsonObject:
    """Return the substance of a repair: which calls ran the tests, which files were edited, which tests are named."""
    return {
        "before": [fix.before.step, fix.before.number],
        "after": [fix.after.step, fix.after.number],
        "command": fix.after.suite.command,
        "files": list[Json](fix.edited),
        "names": list[Json](sorted(fix.names)),
    }
