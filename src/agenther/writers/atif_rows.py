"""Rows that are ATIF documents: examples as trajectories of the hindsight goal, for tools that read Harbor's format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import orjson

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.messages import from_messages
from agenther.record import Json, StorableObject
from agenther.trajectory import Trajectory
from agenther.writers.atif import VERSION, trajectory_to_atif
from agenther.writers.base import MESSAGES, TEXT, Kind, Row, Trainable, check_json
from agenther.writers.dialects import is_agent
from agenther.writers.sidecars import Files, guide, readme, refusals_text

COLUMNS = {
    "schema_version": TEXT,
    "session_id": TEXT,
    "agent": "dtype: json",
    "steps": MESSAGES,
    "extra": "dtype: json",
}
"""The columns of a row, each with its type as a dataset card writes it."""

REFUSES: Mapping[Kind, str] = {
    "dpo": "ATIF holds single runs; `swift` and `trl` have pairs",
    "kto": "ATIF holds no wish for or against a run; `swift` and `trl` have labelled runs",
    "goal_contrast": "ATIF holds single runs; write it with `--for swift`, or train it with `agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class AtifWriter:
    """Writes one document a line: the rewritten run under its hindsight goal, the label under `extra.label`."""

    consumer = "atif"
    kinds: tuple[Kind, ...] = ("sft",)
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ("sft",)

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render an example as one document."""
        if not isinstance(record, Example):
            raise WriteError(f"{record.id}: expected an example, found a record that ATIF has no place for")
        try:
            steps = from_messages(record.messages)
        except ValueError as error:
            raise WriteError(f"{record.id}: expected results after their call, found {error}") from error
        trajectory = Trajectory(
            id=record.id,
            source=record.source,
            task_id=record.task_id,
            goal=record.hindsight_goal,
            tools=_tools(record.tools),
            steps=steps,
        )
        carries = [m["step"] in record.train_on for m in record.messages if is_agent(m)]
        agents = [step.step_id for step in steps if step.source == "agent"]
        document = trajectory_to_atif(trajectory)
        assert isinstance(document["extra"], dict)
        document["extra"]["label"] = {
            "trajectory_id": record.trajectory_id,
            "origin": record.origin,
            "domain": record.domain,
            "strategy": record.strategy,
            "desired_goal": record.desired_goal,
            "weight": record.weight,
            "train_on": [step for step, carry in zip(agents, carries, strict=True) if carry],
        }
        yield document

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS

    def check(self, row: Row) -> None:
        """Raise WriteError unless a row is a document whose steps rise by one and whose results answer its own calls."""
        if row.keys() != COLUMNS.keys() or row["schema_version"] != VERSION:
            raise WriteError(f"row: expected a document of {VERSION}, found {sorted(row)}")
        steps = row["steps"]
        if not isinstance(steps, list) or not steps:
            raise WriteError("steps: expected at least one")
        for number, step in enumerate(steps):
            if not isinstance(step, dict) or step.get("step_id") != number + 1:
                raise WriteError(f"steps[{number}]: expected step_id {number + 1}, found {step!r:.60}")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return a README."""
        text = guide(self.consumer, refuses=refusals_text(self.refuses))
        return {"README.md": readme("Examples as ATIF documents", files, [text])} if files else {}


def _tools(text: str) -> tuple[StorableObject, ...]:
    tools: Json = orjson.loads(text)
    return tuple(cast(list[StorableObject], tools)) if isinstance(tools, list) else ()
