"""Magentic-One runs as AgentRx publishes them: a bare list of the team's turns, named after the question.

The runs are those of Who&When's hand-crafted half and get the same task ids. Annotations lie in a file beside them; a run
that is annotated failed, the others do not say how they ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.agentrx_marks import is_marks_file, mark_labels, marks_beside, root_step
from agenther.readers.base import Item, Place, build_one, locate_goal, read_json, source
from agenther.readers.who_and_when import ORCHESTRATOR, logged_by_harness, steps_of, turns_of
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.trajectory import Trajectory

_BARE = re.compile(rb"\s*\[\s*\{")
_HUMAN = re.compile(rb'"role"\s*:\s*"human"')


class AgentRxReader:
    """Reads AgentRx's Magentic-One runs."""

    format = "agentrx"
    about = (
        "AgentRx Magentic-One runs (teams of agents); annotated ones failed, with step and category as people saw them"
    )

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a bare list of turns, a human's first, with an orchestrator among them."""
        return (
            _BARE.match(head) is not None
            and _HUMAN.search(head) is not None
            and ORCHESTRATOR.search(head) is not None
            and b'"history"' not in head
        )

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a file."""
        whole = read_json(path)
        if isinstance(whole, ReadError):
            yield whole
        else:
            yield from build_one(Place(path), lambda: _run(Place(path), whole))

    def companion(self, path: Path) -> bool:
        """Tell whether a file holds the annotations of runs."""
        return is_marks_file(path)


def _run(place: Place, value: Json) -> Trajectory:
    turns = turns_of(place, value)
    steps, step_ids = steps_of(turns)
    name = path_text(place.path.name).removesuffix(".gz").removesuffix(".zst").removesuffix(".json")
    goal = turns[0].text.strip()
    mark = marks_beside(place.path).get(name)
    labels: JsonObject = {} if mark is None else mark_labels(mark)
    number = None if mark is None else root_step(mark)
    if number is not None and number <= len(step_ids):
        labels["mistake_step_id"] = step_ids[number - 1]
    if logged := logged_by_harness(turns):
        labels["harness_log"] = logged
    return Trajectory(
        id=name,
        source=source(place.path, "agentrx", 0),
        task_id=f"who-and-when/{name}",
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=None if mark is None else False,
        label_source=None if mark is None else "agentrx.ground_truth",
        labels=labels,
    )
