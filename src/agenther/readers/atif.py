"""ATIF, the Agent Trajectory Interchange Format of Harbor, versions 1.0 to 1.8: one run a file, or one a line.

The outcome is not in the file. In a Harbor job it lies in the trial's folder: `verifier/reward.txt`, `result.json`.
What `writers.atif` puts under `extra.agenther` (goal, places, labels) is taken back as it was; other `extra` fields,
metrics and timestamps are left aside, and trajectories of sub-agents are only counted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from agenther.errors import ReadError
from agenther.readers.base import Place, locate_goal, read_json, run_id, source
from agenther.readers.content import arguments_text
from agenther.readers.files import BAD_FILE, read_whole
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_VERSION = re.compile(r"ATIF-v1\.[0-8]\Z")
_SNIFF = re.compile(rb'"schema_version"\s*:\s*"ATIF-v')


class AtifReader(RecordReader):
    """Reads ATIF trajectories."""

    format = "atif"
    about = "ATIF 1.0-1.8 JSON (Harbor); labelled by the verifier's reward or result.json of the trial's folder"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the name of the schema."""
        return bool(_SNIFF.search(head))

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    version = record.get("schema_version")
    if not isinstance(version, str) or not _VERSION.match(version):
        raise place.at("schema_version").error("ATIF-v1.0 to ATIF-v1.8", version)
    parts: list[str] = []
    steps = tuple(_steps(place.at("steps"), place.at("steps").list(record.get("steps")), parts))
    if not steps:
        raise place.at("steps").error("at least one step", [])
    agent = place.at("agent").obj(record.get("agent", {}))
    goal = next((step.message for step in steps if step.source == "user"), "")
    labels: JsonObject = {"atif_version": version}
    labels |= {"non_text_parts": list(parts)} if parts else {}
    labels |= {k: record[k] for k in ("notes", "continued_trajectory_ref") if record.get(k) is not None}
    subagents = record.get("subagent_trajectories")
    labels |= {"n_subagents": len(subagents)} if isinstance(subagents, list) else {}
    name = record.get("session_id") or record.get("trajectory_id")
    trajectory = Trajectory(
        id=str(name) if isinstance(name, str) else run_id(_trial(place.path), index),
        source=source(place.path, "atif", index),
        goal=goal,
        goal_at=locate_goal(steps, goal),
        tools=_tools(place.at("agent").at("tool_definitions"), agent.get("tool_definitions")),
        steps=steps,
        labels=labels,
        agent=next((v for k in ("model_name", "name") if isinstance(v := agent.get(k), str)), None),
    )
    own = own_fields(record)
    if own:
        return _restored(place, trajectory, own)
    return _with_outcome(trajectory, place.path) if place.line is None and not place.where else trajectory


def own_fields(holder: JsonObject) -> JsonObject:
    """Return what our writer kept under `extra.agenther`; empty when it wrote nothing."""
    extra = holder.get("extra")
    own = extra.get("agenther") if isinstance(extra, dict) else None
    return own if isinstance(own, dict) else {}


def _restored(place: Place, trajectory: Trajectory, own: JsonObject) -> Trajectory:
    try:
        made = Trajectory.model_validate(
            {**own, "id": trajectory.id, "source": trajectory.source, "steps": trajectory.steps}
        )
    except ValidationError as error:
        raise place.at("extra").at("agenther").error("fields of a trajectory", str(error)) from None
    return made


def _steps(place: Place, raw: list[Json], parts: list[str]) -> Iterator[Step]:
    """Yield the steps; what a system or user step observed follows it as a step of the same source."""
    number = 0
    for i, value in enumerate(raw):
        where, step = place.at(i), place.at(i).obj(value)
        origin = step.get("source")
        if origin not in ("system", "user", "agent"):
            raise where.at("source").error("system, user or agent", origin)
        message = _text(where.at("message"), step.get("message"), parts)
        observations = tuple(_observations(where.at("observation"), step.get("observation"), parts))
        reasoning, own = step.get("reasoning_content"), own_fields(step)
        number += 1
        yield Step(
            step_id=number,
            source=origin,
            message=message,
            reasoning=None if reasoning is None else where.at("reasoning_content").str(reasoning),
            tool_calls=tuple(_calls(where.at("tool_calls"), step.get("tool_calls"))),
            observations=observations if origin == "agent" else (),
            **{k: own[k] for k in ("thought_at", "name") if k in own},  # pyright: ignore[reportArgumentType]
        )
        for observation in observations if origin != "agent" else ():
            number += 1
            yield Step(step_id=number, source=origin, message=observation.content)


def _calls(place: Place, raw: Json) -> Iterator[ToolCall]:
    for i, value in enumerate(place.list(raw) if raw is not None else []):
        where, call = place.at(i), place.at(i).obj(value)
        own, call_id = own_fields(call), call.get("tool_call_id")
        text = own.get("arguments")
        yield ToolCall(
            tool_call_id=where.at("tool_call_id").str(call_id) if call_id is not None else "",
            function_name=where.at("function_name").str(call.get("function_name")),
            arguments=text if isinstance(text, str) else arguments_text(call.get("arguments")),
            **{k: own[k] for k in ("at",) if k in own},  # pyright: ignore[reportArgumentType]
        )


def _observations(place: Place, raw: Json, parts: list[str]) -> Iterator[Observation]:
    if raw is None:
        return
    results = place.at("results")
    for i, value in enumerate(results.list(place.obj(raw).get("results"))):
        where, result = results.at(i), results.at(i).obj(value)
        call_id, own = result.get("source_call_id"), own_fields(result)
        yield Observation(
            content=_text(where.at("content"), result.get("content"), parts),
            source_call_id=where.at("source_call_id").str(call_id) if call_id is not None else None,
            **{k: own[k] for k in ("role", "name") if k in own},  # pyright: ignore[reportArgumentType]
        )


def _text(place: Place, content: Json, parts: list[str]) -> str:
    """Return the text of a content, text parts one below the other; parts that are no text are named."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return place.str(content)
    texts: list[str] = []
    for i, value in enumerate(content):
        part = place.at(i).obj(value)
        if part.get("type") == "text":
            texts.append(place.at(i).at("text").str(part.get("text")))
        else:
            parts.append(f"{place.at(i).where}: {part.get('type')}")
    return "\n".join(texts)


def _tools(place: Place, raw: Json) -> tuple[JsonObject, ...]:
    return () if raw is None else tuple(place.at(i).obj(tool) for i, tool in enumerate(place.list(raw)))


def _trial(path: Path) -> Path:
    """Return the folder of the trial that a file belongs to: Harbor keeps trajectories in `agent` inside it."""
    return path.parent.parent if path.parent.name == "agent" else path.parent


def _with_outcome(trajectory: Trajectory, path: Path) -> Trajectory:
    """Add what the trial's folder says: the reward (1 or more is success), the task, an exception of the harness."""
    trial = _trial(path)
    reward, label_source = _reward_text(trial / "verifier" / "reward.txt"), "harbor.reward"
    found = read_json(trial / "result.json") if (trial / "result.json").is_file() else {}
    result = found if isinstance(found, dict) and not isinstance(found, ReadError) else {}
    if reward is None:
        reward, label_source = _reward_in(result), "harbor.result"
    labels = trajectory.labels
    if (exception := result.get("exception_info")) is not None:
        labels = {**labels, "exception_info": exception}
    task = result.get("task_name")
    return trajectory.model_copy(
        update={
            "labels": labels,
            "task_id": task if isinstance(task, str) else None,
            "reward": reward,
            "success": None if reward is None else reward >= 1,
            "label_source": None if reward is None else label_source,
        }
    )


def _reward_text(path: Path) -> float | None:
    try:
        reward = float(read_whole(path))
    except (*BAD_FILE, ValueError):
        return None
    return reward if math.isfinite(reward) else None


def _reward_in(result: JsonObject) -> float | None:
    verdict = result.get("verifier_result")
    rewards = verdict.get("rewards") if isinstance(verdict, dict) else None
    reward = rewards.get("reward") if isinstance(rewards, dict) else None
    return float(reward) if isinstance(reward, int | float) else None
