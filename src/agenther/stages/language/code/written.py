"""Short files that a run wrote and then showed: by printing them, or by running a script that only prints.

Nothing else was changed up to the showing.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from agenther.stages.language.code.edits import Edit, Kind, deed_of, may_write_whole
from agenther.stages.language.shell.calls import command_of, observation_of
from agenther.trajectory import Span, Step, Trajectory, whole_field

MOST_LINES = 3
MOST_CHARS = 80
"""Longer contents cannot be said in a request."""
_PRINTS = re.compile(r"""print\((?P<q>['"])(?P<text>[^'"\\{}%]+)(?P=q)\)""")
_SHOWS = re.compile(r"(?:cat|python3?)\s+(?P<path>[\w./-]+)\s*\Z")


@dataclass(frozen=True)
class Written:
    """A file that was written and shown."""

    edit: Edit
    lines: tuple[str, ...]
    """What the file holds, or what the script prints."""
    is_script: bool
    call: Span
    """The call that wrote it."""
    shown: Span
    """The output that shows it."""


def find_written(trajectory: Trajectory) -> Written | None:
    """Return the first short file that was written and then shown, or None."""
    if not any(may_write_whole(call) for step in trajectory.agent_steps for call in step.tool_calls):
        return None
    edit: Edit | None = None
    for step in trajectory.agent_steps:
        if len(step.tool_calls) > 1:
            return None
        if not step.tool_calls:
            continue
        if edit is not None and (found := _shown(trajectory, step, edit)) is not None:
            return found
        deed = deed_of(step, 0)
        if deed.kind is Kind.EDIT:
            if (
                len(deed.edits) != 1
                or not deed.edits[0].whole
                or deed.edits[0].full_path != posixpath.normpath(deed.edits[0].path)
                or (edit is not None and edit.path != deed.edits[0].path)
            ):
                return None
            edit = deed.edits[0]
        elif deed.kind not in (Kind.READ, Kind.NOTHING):
            return None
    return None


def _shown(trajectory: Trajectory, step: Step, edit: Edit) -> Written | None:
    command, seen = command_of(step.tool_calls[0]), observation_of(step, 0)
    match = _SHOWS.match(command.strip()) if command else None
    if command is None or seen is None or match is None:
        return None
    if posixpath.normpath(match["path"]) != posixpath.normpath(edit.path):
        return None
    is_script = not command.strip().startswith("cat")
    lines = _printed_by(edit.added) if is_script else tuple(edit.added.removesuffix("\n").split("\n"))
    if lines is None or tuple(seen[1].rstrip("\n").split("\n")) != lines or not _can_be_said(lines):
        return None
    writing = whole_field(trajectory.step(edit.at.step), "tool_calls[0].arguments")
    return Written(edit, lines, is_script, writing, whole_field(step, f"observations[{seen[0]}].content"))


def _printed_by(program: str) -> tuple[str, ...] | None:
    """Return the lines that a Python program of nothing but plain prints prints; None for any other."""
    found = [_PRINTS.fullmatch(line.strip()) for line in program.strip().split("\n")]
    return tuple(match["text"] for match in found if match is not None) if all(found) else None


def _can_be_said(lines: tuple[str, ...]) -> bool:
    plain = all(line.strip() == line and line.isprintable() and '"' not in line and "\\" not in line for line in lines)
    return plain and len(lines) <= MOST_LINES and all(1 <= len(line) <= MOST_CHARS for line in lines)
