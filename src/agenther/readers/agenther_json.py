"""AgentHER's own input: failed runs as `{trajectory_id, original_prompt, steps, final_answer, failure_reason, metadata}`.

Every step holds a thought, one structured action and what came back; the final answer becomes an agent turn of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.readers.base import Place, find_goal, run_id, source
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall, Trajectory


class AgentHERReader(RecordReader):
    """Reads the input files of the AgentHER paper's code."""

    format = "agenther"
    about = "input JSON of the AgentHER paper's code; a record with a failure_reason is a failure"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the names that a record and its steps have."""
        return all(f'"{name}"'.encode() in head for name in ("original_prompt", "steps", "action_name"))

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    goal = place.at("original_prompt").str(record.get("original_prompt"))
    if not goal.strip():
        raise place.at("original_prompt").error("a request", goal)
    reason = place.at("failure_reason").str(record.get("failure_reason") or "")
    steps = tuple(_steps(place, record, goal))
    labels: JsonObject = {"failure_reason": reason} if reason else {}
    if metadata := place.at("metadata").obj(record.get("metadata") or {}):
        labels["metadata"] = metadata
    trajectory_id = record.get("trajectory_id")
    if trajectory_id is not None and not isinstance(trajectory_id, str | int):
        raise place.at("trajectory_id").error("text", trajectory_id)
    return Trajectory(
        id=run_id(place.path, index if trajectory_id is None else trajectory_id),
        source=source(place.path, "agenther", index),
        goal=goal,
        goal_at=find_goal(steps[:1], goal),
        steps=steps,
        success=False if reason else None,
        label_source="agenther.failure_reason" if reason else None,
        labels=labels,
    )


def _steps(place: Place, record: JsonObject, goal: str) -> Iterator[Step]:
    yield Step(step_id=1, source="user", message=goal)
    raw = place.at("steps").list(record.get("steps"))
    for i, value in enumerate(raw):
        here = place.at("steps").at(i)
        yield _step(here, i + 2, here.obj(value))
    if answer := place.at("final_answer").str(record.get("final_answer") or ""):
        yield Step(step_id=len(raw) + 2, source="agent", message=answer)


def _step(place: Place, number: int, raw: JsonObject) -> Step:
    call_id = f"call_{number - 1}"
    call = ToolCall(
        tool_call_id=call_id,
        function_name=place.at("action_name").str(raw.get("action_name")),
        arguments=orjson.dumps(place.at("action_input").obj(raw.get("action_input", {}))).decode(),
    )
    observation = place.at("observation").str(raw.get("observation"))
    return Step(
        step_id=number,
        source="agent",
        reasoning=place.at("thought").str(raw.get("thought") or "") or None,
        tool_calls=(call,),
        observations=(Observation(content=observation, source_call_id=call_id),),
    )
