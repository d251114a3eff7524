"""What AgentRx's annotators wrote about failed runs: a `*ground_truth*.json` beside the runs, or one folder above them.

A list of `{trajectory_id, failures: [{step_number, failure_category, ...}], root_cause: {failure_id}, failure_summary}`.
Readers of the runs take it as labels; the file itself is no run.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from agenther.readers.base import read_head, read_json
from agenther.record import Json, JsonObject

_PATTERN = "*ground_truth*.json"


def is_marks_file(path: Path) -> bool:
    """Tell by its name and its first bytes whether a file holds annotations."""
    if not path.match(_PATTERN):
        return False
    head = read_head(path)
    return b'"trajectory_id"' in head and b'"failures"' in head


def marks_beside(path: Path) -> dict[str, JsonObject]:
    """Return the annotations that lie near a file of runs: id of the run to what was noted."""
    marks: dict[str, JsonObject] = {}
    for folder in (path.parent, path.parent.parent, path.parent.parent / "ground_truth"):
        for file in sorted(folder.glob(_PATTERN)):
            for mark in _marks(read_json(file)):
                marks.setdefault(str(mark["trajectory_id"]), mark)
    return marks


def mark_labels(mark: JsonObject) -> JsonObject:
    """Return the labels of a run that was annotated, but for the place of the decisive mistake (`root_step`)."""
    cause = _root(mark)
    labels: JsonObject = {"annotation": {k: v for k, v in mark.items() if k != "trajectory_id"}}
    named = {"mistake_agent": "failed_agent", "mistake_type": "failure_category", "mistake_reason": "step_reason"}
    return labels | {label: cause[key] for label, key in named.items() if isinstance(cause.get(key), str)}


def root_step(mark: JsonObject) -> int | None:
    """Return the message in which the decisive mistake lies, counted from 1; None when it is not said."""
    number = _root(mark).get("step_number")
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _marks(whole: object) -> list[JsonObject]:
    members = cast(list[Json], whole) if isinstance(whole, list) else []
    return [m for m in members if isinstance(m, dict) and "trajectory_id" in m and isinstance(m.get("failures"), list)]


def _root(mark: JsonObject) -> JsonObject:
    """Return the failure that was named as the root cause; the only one where none is named; else nothing."""
    listed, cause = mark["failures"], mark.get("root_cause")
    failures = [f for f in listed if isinstance(f, dict)] if isinstance(listed, list) else []
    wanted = cause.get("failure_id") if isinstance(cause, dict) else None
    named = [f for f in failures if wanted is not None and f.get("failure_id") == wanted] or failures
    return named[0] if len(named) == 1 else {}
