"""SWE-smith's trajectories and others of their kind: records of chat messages with the task and whether its tests passed.

The agent wrote its calls as text (`<function=...>`) or structured; what users say after its first turn is what they brought
back. The goal is the issue inside the first user turn.
"""

from __future__ import annotations

import re
from pathlib import Path

import orjson

from agenther.readers.base import Place, locate_goal, run_id, source
from agenther.readers.records import Build, RecordReader
from agenther.readers.swe_agent import issue_of
from agenther.readers.swe_turns import RepairTurns
from agenther.record import Json, JsonObject
from agenther.trajectory import Trajectory

_LIST = re.compile(rb'\s*(?:\[\s*)?\{\s*(?:"[^"]{1,40}"\s*:\s*(?:"[^"\\]{0,200}"|[\w.]+)\s*,\s*){0,8}"messages"\s*:')
_TOOLS = b"---- BEGIN FUNCTION #"
_NAMED, _TASK = b'"traj_id"', (b'"resolved"', b'"instance_id"')
_LABELS = ("patch", "exit_status")


class SweSmithReader(RecordReader):
    """Reads SWE-smith trajectories."""

    format = "swe-smith"
    about = "SWE-smith trajectories and their kind (code repair), JSON or JSONL; labelled by `resolved`"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for records of messages that explain written calls, or that name their trajectory and its task."""
        if _LIST.match(head) is None:
            return False
        return _TOOLS in head or (_NAMED in head and any(mark in head for mark in _TASK))

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    listed = place.at("messages")
    turns = RepairTurns()
    for i, message in enumerate(_messages(listed, record.get("messages"))):
        turns.add(listed.at(i), listed.at(i).obj(message))
    steps = tuple(turns.steps)
    if not any(step.source == "agent" for step in steps):
        raise listed.error("at least one assistant message", record.get("messages"))
    goal = issue_of(next((step.message for step in steps if step.source == "user"), ""))
    resolved, task, model = record.get("resolved"), record.get("instance_id"), record.get("model")
    if resolved is not None and not isinstance(resolved, bool):
        raise place.at("resolved").error("true, false or null", resolved)
    labels = turns.labels | {name: record[name] for name in _LABELS if record.get(name) is not None}
    return Trajectory(
        id=_name(record) or run_id(place.path, index),
        source=source(place.path, "swe-smith", index),
        task_id=f"swe-smith/{task}" if isinstance(task, str) else None,
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=resolved,
        label_source=None if resolved is None else "swe-smith.resolved",
        labels=labels,
        agent=model if isinstance(model, str) else None,
    )


def _messages(place: Place, raw: Json) -> list[Json]:
    """Return the messages, a list or the JSON text of one."""
    if isinstance(raw, str):
        try:
            return place.list(orjson.loads(raw))
        except orjson.JSONDecodeError:
            raise place.error("a list of messages, also as JSON text", raw) from None
    return place.list(raw)


def _name(record: JsonObject) -> str:
    return next((name for key in ("id", "traj_id") if isinstance(name := record.get(key), str)), "")
