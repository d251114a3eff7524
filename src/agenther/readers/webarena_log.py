"""The logs of the original WebArena: which tasks passed, which failed, and what broke, from files beside the runs."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from agenther.readers.files import BAD_FILE, read_lines

_TASK = re.compile(r"(?P<task>\d{1,9})\.json\b")
_RESULT = re.compile(r"\[Result\] \((?P<result>PASS|FAIL)\) (?P<config>\S.*)")
_CONFIG = re.compile(r"\[Config file\]: (?P<config>\S.*)")
_BROKEN = re.compile(r"\[(?:Unhandled Error|OpenAI Error)\] (?P<error>.*)")
_INSIDE = (".", "merged_log", "log_files")
_LOG = re.compile(r"(?:merged?_log.*|log_.*|error)\.txt\Z|.*\.log\Z", re.IGNORECASE)
_MOST_FILES = 200
_LONGEST_ERROR = 500


class Logged(NamedTuple):
    """What logs say about one task."""

    passed: bool | None
    """None when no log says, or two logs say different things."""
    error: str
    """What broke its last run; empty when nothing did."""


def logged(run: Path, task: str) -> Logged:
    """Return what the logs of a job say about a task, from the folder of its run."""
    said = [entry for file in _logs(run.parent)[:_MOST_FILES] if (entry := _entries(*file).get(task)) is not None]
    results = {entry.passed for entry in said} - {None}
    if len(results) == 1:
        return Logged(results.pop(), "")
    return Logged(None, next((entry.error for entry in said if entry.error), ""))


def _logs(folder: Path) -> list[tuple[Path, int, int]]:
    """Return the logs of the job that wrote into a folder, each with its time and size.

    A folder of logs above it is shared by many jobs: of those only what `log_files.txt` names counts.
    """
    paths = [path for inside in _INSIDE for path in _named_as_logs(folder / inside)]
    names = _listed(folder / "log_files.txt")
    above = [parent / "log_files" / name for parent in (folder.parent, folder.parent.parent) for name in names]
    try:
        marks = [(path, path.stat()) for path in (*paths, *above) if path.is_file()]
    except OSError:
        return []
    return [(path, mark.st_mtime_ns, mark.st_size) for path, mark in marks]


def _named_as_logs(folder: Path) -> list[Path]:
    try:
        return list(_logs_in(folder, folder.stat().st_mtime_ns))
    except OSError:
        return []


@lru_cache(maxsize=64)
def _logs_in(folder: Path, changed_ns: int) -> tuple[Path, ...]:
    """Return the files of a folder that are named as logs are."""
    return tuple(sorted(path for path in folder.iterdir() if _LOG.match(path.name) and path.name != "log_files.txt"))


def _listed(path: Path) -> list[str]:
    """Return the names of the logs that a job says it wrote."""
    try:
        lines = [(line or b"").decode("utf-8", "replace").strip() for _, line in read_lines(path)]
    except BAD_FILE:
        return []
    return [Path(line).name for line in lines[:_MOST_FILES] if line and "\0" not in line]


@lru_cache(maxsize=256)
def _entries(path: Path, changed_ns: int, size: int) -> dict[str, Logged]:
    """Return what a log says of each task; the last line about a task counts. An unreadable log says nothing."""
    entries: dict[str, Logged] = {}
    task = ""
    try:
        for _, line in read_lines(path):
            text = (line or b"").decode("utf-8", "replace").rstrip()
            if (result := _RESULT.search(text)) is not None and (named := _task_of(result["config"])):
                entries[named] = Logged(result["result"] == "PASS", "")
            elif (config := _CONFIG.search(text)) is not None:
                task = _task_of(config["config"])
                entries.pop(task, None)
            elif task and (broken := _BROKEN.search(text)) is not None:
                entries[task] = Logged(None, broken["error"][:_LONGEST_ERROR])
    except BAD_FILE:
        return {}
    return entries


def _task_of(config: str) -> str:
    """Return the number that a settings file has in its name; empty when it has none."""
    found = _TASK.search(Path(config.strip()).name)
    return found["task"] if found else ""
