"""Where an agent tells in words what a command printed."""

from __future__ import annotations

import re

from agenther.stages.language.shell.calls import command_of
from agenther.stages.language.shell.effects import is_read_only
from agenther.stages.language.shell.meaning import Ask, Query
from agenther.trajectory import Step, Trajectory

MOST_TOLD = 10
"""Rows that an answer can be expected to repeat one by one."""
_COUNTS = (Ask.COUNT, Ask.TOTAL, Ask.MATCH_COUNT, Ask.OCCURRENCE_COUNT, Ask.VALUE_COUNT)
_ROWS: dict[Ask, str] = {
    Ask.LIST: r"(.+)",
    Ask.NAMES: r"(.+)",
    Ask.FOLDERS: r"(.+)",
    Ask.VALUES: r"(.+)",
    Ask.MATCHING_FILES: r"(.+)",
    Ask.SIZES: r"(\d+)\s+(.+)",
    Ask.USAGE: r"(\S+)\s+(.+)",
    Ask.TALLY: r"\s*(\d+) (.+)",
    Ask.VALUE_TALLY: r"\s*(\d+) (.*)",
    Ask.MATCH_TALLY: r"(.+):(\d+)",
    Ask.CHECKSUMS: r"(\S+)  (.+)",
    Ask.CHECKSUM_OF_CHECKSUMS: r"(\S+)  -",
}


def find_answer(trajectory: Trajectory, achieving: Step, query: Query, rows: list[str]) -> int | None:
    """Return the agent turn after the achieving one that tells the whole result and calls nothing; None when none does.

    What lies between must be read-only, since it is left out.
    """
    for step in trajectory.steps:
        if step.step_id <= achieving.step_id:
            continue
        if step.source != "agent":
            return None
        if not step.tool_calls:
            return step.step_id if tells(step.message, query, rows) else None
        if not all((command := command_of(call)) and is_read_only(command) for call in step.tool_calls):
            return None
    return None


def tells(message: str, query: Query, rows: list[str]) -> bool:
    """Tell whether a message repeats every value of every row; a path may be shortened to its last name."""
    if query.ask in _COUNTS:
        return _says(message, rows[0].strip())
    if query.ask is Ask.MATCHES:
        shape = r"(.+?):(?:\d+:)?\s*(.*\S)\s*" if query.with_paths else r"(?:\d+:)?\s*(.*\S)\s*"
    elif query.ask in _ROWS:
        shape = _ROWS[query.ask]
    else:
        return False
    if len(rows) > MOST_TOLD:
        return False
    found = [re.fullmatch(shape, row) for row in rows]
    return all(match is not None and all(_says(message, value) for value in match.groups()) for match in found)


def _says(message: str, value: str) -> bool:
    """Tell whether a message holds a value as a whole, or the last name of a path."""
    name = value.rstrip("/").rsplit("/", 1)[-1]
    forms = (form for form in (value, name) if form and form in message)
    return any(re.search(rf"(?<![\w.]){re.escape(form)}(?!\w)", message) is not None for form in forms)
