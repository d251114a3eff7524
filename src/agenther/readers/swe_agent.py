"""SWE-agent `.traj` files and those of mini-swe-agent: a coding agent in a repository, with an issue to mend.

The goal is the issue's text inside the first user turn. Demonstrations (`is_demo`) are runs of others and are left out.
Older agents write their command as text, which the log repeats under `action`; newer ones call tools. The last command
often stands only in `trajectory`. Such files say how a run ended, not whether it was right: that is known only where the
report of the hidden tests lies beside the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, locate_goal, read_json, source
from agenther.readers.swe_turns import RepairTurns
from agenther.record import Json, JsonObject, content_key
from agenther.texts import path_text
from agenther.trajectory import Trajectory

_ISSUES = (
    re.compile(r"<pr_description>\s*(?P<issue>.+?)\s*</pr_description>", re.DOTALL),
    re.compile(r"^ISSUE:\s*(?P<issue>.+?)\s*^INSTRUCTIONS:", re.DOTALL | re.MULTILINE),
    re.compile(
        r"Please solve this issue:\s*(?P<issue>.+?)\s*(?:^You can execute|^## |^<instructions>)",
        re.DOTALL | re.MULTILINE,
    ),
)
_REPORT = ".report.json"
_UNPACKED = re.compile(r"\.(?:gz|zst)\Z")
_HISTORY = re.compile(rb'"history"\s*:\s*\[\s*\{')
_ITEM = re.compile(rb'"(?:message_type|is_demo|thought)"\s*:')
_STEP = re.compile(rb'"trajectory"\s*:\s*\[\s*\{\s*"action"\s*:')
_MINI = (b"mswea_bash_command", b'"trajectory_format":"mini-swe-agent', b'"trajectory_format": "mini-swe-agent')


class SweAgentReader:
    """Reads SWE-agent and mini-swe-agent trajectories."""

    format = "swe-agent"
    about = "SWE-agent .traj and mini-swe-agent JSON (code repair); labelled where the tests' report lies beside it"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a trajectory of actions, a history with an agent's thoughts, or the marks of mini-swe-agent."""
        if _STEP.search(head) or any(mark in head for mark in _MINI):
            return True
        return _HISTORY.search(head) is not None and b'"agent"' in head and _ITEM.search(head) is not None

    def companion(self, path: Path) -> bool:
        """Tell whether a file is the report of the hidden tests of a run beside it."""
        name = _UNPACKED.sub("", path.name)
        stem = name.removesuffix(_REPORT)
        return stem != name and any(path.with_name(f"{stem}.traj{end}").is_file() for end in ("", ".gz", ".zst"))

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a file."""
        whole = read_json(path)
        if isinstance(whole, ReadError):
            yield whole
        else:
            yield from build_one(Place(path), lambda: _run(Place(path), whole))


def _run(place: Place, value: Json) -> Trajectory:
    record: JsonObject = {"messages": value} if isinstance(value, list) else place.obj(value)
    key = "messages" if "history" not in record else "history"
    listed = place if isinstance(value, list) else place.at(key)
    builder = RepairTurns()
    for i, message in enumerate(listed.list(record.get(key))):
        builder.add(listed.at(i), listed.at(i).obj(message))
    if not any(step.source == "agent" for step in builder.steps):
        raise listed.error("at least one assistant message", record.get(key))
    builder.complete(record.get("trajectory"))
    steps = tuple(builder.steps)
    goal = issue_of(next((step.message for step in steps if step.source == "user"), ""))
    info = record.get("info")
    labels = builder.labels
    if isinstance(info, dict):
        labels |= {name: info[name] for name in ("exit_status", "submission") if info.get(name) is not None}
    resolved = _resolved(place.path)
    return Trajectory(
        id=_stem(place.path),
        source=source(place.path, "swe-agent", 0),
        task_id=f"swe-agent/{content_key(goal)[:12]}",
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=resolved,
        label_source=None if resolved is None else "swe-agent.report.resolved",
        labels=labels,
    )


def issue_of(prompt: str) -> str:
    """Return the issue inside a prompt, or all of the prompt where nothing marks one."""
    found = (pattern.search(prompt) for pattern in _ISSUES)
    return next((match["issue"] for match in found if match), prompt.strip())


def _stem(path: Path) -> str:
    return re.sub(r"(?:\.traj)?(?:\.json)?(?:\.gz|\.zst)?\Z", "", path_text(path.name), count=1)


def _resolved(path: Path) -> bool | None:
    """Return what the report of the hidden tests beside a file says; None without a report of this very run."""
    report = path.with_name(f"{_stem(path)}{_REPORT}")
    found = read_json(report) if report.is_file() else None
    resolved = found.get("resolved") if isinstance(found, dict) else None
    return resolved if isinstance(resolved, bool) else None
