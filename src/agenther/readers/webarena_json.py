"""`json_dump.json`, into which the original WebArena collects its rendered pages: one run a member, `example_<task>`.

A run that broke before it was judged stands there as a failure, so only runs that ended by an action of their own, or by the
harness's limits, count as labelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agenther.readers.base import Item, Place, locate_opening_goal, read_episodes, run_id, source
from agenther.readers.webarena_turns import Turn, build, right_answer, stopped
from agenther.record import Json, JsonObject
from agenther.trajectory import Trajectory

_FIRST = re.compile(rb'\s*\{\s*"example_\d+"\s*:\s*\{')
_PAGE = re.compile(r"\s*(?:URL:\s*(?P<url>[^\s]*)\s*)?observation:\n?(?P<page>.*)", re.DOTALL)
_KEPT = ("sites", "eval_types", "achievable")


class WebArenaJsonReader:
    """Reads summaries of the original WebArena."""

    format = "webarena-json"
    about = "json_dump.json of the original WebArena; labelled by success, where the run ended as it should"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a first member that is named as a task."""
        return _FIRST.match(head) is not None and (b'"intent"' in head or b'"messages"' in head)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each task."""
        yield from read_episodes(path, _run)


def _run(place: Place, index: int, key: str, value: Json) -> Trajectory:
    record = place.obj(value)
    goal = place.at("intent").str(record.get("intent"))
    if not goal.strip():
        raise place.at("intent").error("a goal", goal)
    success = record.get("success")
    if success is not None and not isinstance(success, bool):
        raise place.at("success").error("true, false or null", success)
    built = build(place.at("messages"), goal, list(_turns(place.at("messages"), record.get("messages"))))
    if not success and not stopped(built.steps) and "terminate_reason" not in built.ending:
        success = None
    task = key.removeprefix("example_")
    return Trajectory(
        id=run_id(place.path, f"{place.path.absolute().parent.name}/{task}"),
        source=source(place.path, "webarena-json", index),
        task_id=f"webarena/{task}",
        goal=goal,
        goal_at=locate_opening_goal(built.steps, goal),
        shown_at=built.shown_at,
        steps=built.steps,
        success=success,
        label_source=None if success is None else "webarena.success",
        labels=_labels(record) | built.ending,
    )


def _turns(place: Place, listed: Json) -> Iterator[Turn]:
    """Yield the turns: a page, and what was written on it."""
    messages = [place.at(i).obj(message) for i, message in enumerate(place.list(listed))]
    for i in range(0, len(messages) - 1, 2):
        here, after = place.at(i), place.at(i + 1)
        shown = here.at("user").str(messages[i].get("user"))
        wrote = after.at("assistant").str(messages[i + 1].get("assistant"))
        found = _PAGE.match(shown)
        if found is None:
            raise here.at("user").error("a URL and an observation", shown)
        yield Turn(found["url"] or "", found["page"], wrote)
    if len(messages) % 2:
        raise place.at(len(messages) - 1).error("a page and the action on it in turns", messages[-1])


def _labels(record: JsonObject) -> JsonObject:
    labels: JsonObject = {"environment": "webarena"}
    labels |= {name: record[name] for name in _KEPT if record.get(name) is not None}
    return labels | right_answer(record.get("eval_types"), record.get("reference_answers"))
