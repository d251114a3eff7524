"""Tests that failed before an edit and pass after it: what a run shows of a repair.

The first run of the tests comes before any change, so the tests were there and nobody but the project broke them; between
the two nothing happened but edits and reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agenther.stages.language.code.edits import Deed, Edit, Kind, deed_of
from agenther.stages.language.code.suites import Count, Suite, count_of, now_pass, read_suite, stops_early
from agenther.stages.language.shell.calls import command_of
from agenther.stages.language.shell.wrappings import unwrap
from agenther.trajectory import Span, Step, Trajectory, whole_field

_INSTALLS = re.compile(
    r"(?:cd\s+[\w./-]+\s*&&\s*)?(?:(?:python3?\s+-m\s+)?pip3?\s+install|npm\s+(?:install|ci)|yarn\s+install|go\s+mod\s+download"
    r"|apt-get\s+(?:update|install)|(?:uv|poetry)\s+(?:sync|install))\b[^;&|<>`$]*\Z"
)
_ELSEWHERE = re.compile(
    r"ConnectionError|ConnectionRefused|Timeout(?:Error|Expired)|name resolution|No space left"
    r"|ModuleNotFoundError|No module named",
)
"""Signs that the tests failed for want of something outside the project: an edit did not mend that."""


@dataclass(frozen=True)
class SuiteRun:
    """A run of tests that printed a summary."""

    step: int
    number: int
    suite: Suite
    count: Count
    printed: Span
    text: str


@dataclass(frozen=True)
class Fix:
    """A repair that the run shows."""

    before: SuiteRun
    after: SuiteRun
    edits: tuple[Edit, ...]
    names: frozenset[str]
    """Tests that failed and now pass; empty for all that the command runs."""

    @property
    def edited(self) -> tuple[str, ...]:
        """Paths that were edited, each once, in the order of the run."""
        return tuple(dict.fromkeys(edit.path for edit in self.edits))

    @property
    def edit_steps(self) -> frozenset[int]:
        """Steps that edited something."""
        return frozenset(edit.at.step for edit in self.edits)


def suite_run_of(step: Step, number: int) -> SuiteRun | None:
    """Return the run of tests that a call made; None when it made none or no summary was printed."""
    command = command_of(step.tool_calls[number])
    suite = read_suite(command) if command is not None else None
    index = _answer(step, number)
    if command is None or suite is None or index is None:
        return None
    text = unwrap(step.observations[index].content, command).text
    count = count_of(suite, text)
    if count is None:
        return None
    return SuiteRun(step.step_id, number, suite, count, whole_field(step, f"observations[{index}].content"), text)


def _answer(step: Step, number: int) -> int | None:
    call_id = step.tool_calls[number].tool_call_id
    for index, observation in enumerate(step.observations):
        if call_id and observation.source_call_id == call_id:
            return index
    return 0 if len(step.tool_calls) == len(step.observations) == 1 else None


def find_fix(trajectory: Trajectory) -> Fix | None:
    """Return the first repair that a run shows, or None."""
    before: dict[tuple[str, str], SuiteRun] = {}
    edits: list[Edit] = []
    for step, number, run, deed in _doings(trajectory):
        if run is not None:
            key = (run.suite.place, run.suite.command)
            if not edits:
                if any(_contradicts(run, other) for other in before.values()):
                    return None
                before.setdefault(key, run)
            elif (fix := _fix(before.get(key), run, edits)) is not None:
                return fix
        elif deed.kind is Kind.EDIT and before and len(step.tool_calls) == 1:
            edits += deed.edits
        elif not (deed.kind in (Kind.READ, Kind.NOTHING) or (_installs(step, number) and not before)):
            return None
    return None


def _contradicts(run: SuiteRun, other: SuiteRun) -> bool:
    """Tell whether two runs of the unchanged project do not agree: a test's outcome hangs on more than its files."""
    if run.suite.place != other.suite.place:
        return False
    if run.suite.command == other.suite.command:
        return run.count != other.count
    return _misses(run, other) or _misses(other, run)


def _misses(run: SuiteRun, other: SuiteRun) -> bool:
    """Tell whether a test that fails in the other run was run here too and did not fail."""
    known = len(run.count.failing) == run.count.failed and not run.count.errors and not stops_early(run.suite)
    ran = [name for name in other.count.failing if run.suite.runner == "pytest" and _covers(run.suite, name)]
    return known and any(name not in run.count.failing for name in ran)


def _covers(suite: Suite, name: str) -> bool:
    """Tell whether a command runs a test, given by its pytest id."""
    return not suite.targets or any(
        name == target or name.startswith((f"{target.rstrip('/')}/", f"{target}::", f"{target}["))
        for target in suite.targets
    )


def newly_failing(trajectory: Trajectory, fix: Fix) -> bool:
    """Tell whether a run of tests after the last edit shows a test to fail that did not fail before the first."""
    first, last = min(fix.edit_steps), max(fix.edit_steps)
    earlier: dict[tuple[str, str], SuiteRun] = {}
    for _, _, run, _ in _doings(trajectory):
        if run is None or run.step > fix.after.step:
            continue
        key = (run.suite.place, run.suite.command)
        if run.step < first:
            earlier.setdefault(key, run)
        elif run.step > last and (before := earlier.get(key)) is not None:
            more = run.count.failed > before.count.failed or run.count.errors > before.count.errors
            if more or (before.count.failing and not run.count.failing <= before.count.failing):
                return True
    return False


def _doings(trajectory: Trajectory) -> Iterator[tuple[Step, int, SuiteRun | None, Deed]]:
    for step in trajectory.agent_steps:
        for number, call in enumerate(step.tool_calls):
            command = command_of(call)
            if command is not None and read_suite(command) is not None:
                run = suite_run_of(step, number)
                yield step, number, run, Deed(Kind.READ)
            else:
                yield step, number, None, deed_of(step, number)


def _installs(step: Step, number: int) -> bool:
    command = command_of(step.tool_calls[number])
    return command is not None and _INSTALLS.match(command.strip()) is not None


def _fix(before: SuiteRun | None, after: SuiteRun, edits: list[Edit]) -> Fix | None:
    if before is None or _ELSEWHERE.search(before.text):
        return None
    names = now_pass(after.suite, before.count, after.count)
    return None if names is None else Fix(before, after, tuple(edits), names)


def fails_later(trajectory: Trajectory, fix: Fix) -> bool:
    """Tell whether tests fail later although nothing was changed since: the repair may have broken them."""
    since = False
    for step, number, run, deed in _doings(trajectory):
        if (step.step_id, number) == (fix.after.step, fix.after.number):
            since = True
        elif since and run is not None and run.count.failed + run.count.errors:
            return True
        elif since and run is None and deed.kind not in (Kind.READ, Kind.NOTHING):
            return False
    return False
