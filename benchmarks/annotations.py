"""Loads the sources in which people marked the decisive step of failed runs: Who&When and AgentRx.

Positions: AgentRx counts messages from 1, Who&When from 0 and as a string. Both become a step_id of the run loaded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agenther.conclusions import FailureType
from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.files import open_input
from agenther.trajectory import Observation, Source, Step, Trajectory

MAPPING: dict[str, FailureType | None] = {
    "plan adherence failure": FailureType.CONSTRAINT_VIOLATION,
    "adherence failure": FailureType.CONSTRAINT_VIOLATION,
    "invention of new information": FailureType.HALLUCINATION,
    "invalid invocation": FailureType.TOOL_ERROR,
    "misinterpretation of tool output": FailureType.WRONG_RESULT,
    "intent plan misalignment": FailureType.OFF_TOPIC,
    "underspecified user intent": FailureType.INCOMPLETE,
    "intent not supported": FailureType.INCOMPLETE,
    "guardrails triggered": FailureType.INCOMPLETE,
    "system failure": None,
    "inconclusive": None,
}
"""Human category to failure type: docs/decisions/003-failure-categories.md. None is not compared."""

_TERMINALS = ("computer_terminal", "computerterminal")


@dataclass(frozen=True)
class Annotated:
    """A failed run with what a person said of it."""

    source: str
    trajectory: Trajectory
    step_id: int
    failure_type: FailureType | None


def failure_type_of(category: str) -> FailureType | None:
    """Map a human category, whatever its spelling."""
    name = re.sub(r"^instruction\s*/?\s*", "", category.casefold().replace("-", " ")).strip()
    return MAPPING[name]


def load_json(path: Path) -> Any:
    with open_input(path) as file:
        return orjson.loads(file.read())


def who_and_when(root: Path) -> Iterator[Annotated]:
    """Yield the runs of Who&When that are not also in AgentRx's own set of annotations."""
    for folder in ("Algorithm-Generated", "Hand-Crafted"):
        for path in sorted((root / "who-and-when" / folder).glob("*.json")):
            record = load_json(path)
            trajectory, step_of = chat_run(path, record["question_ID"], record["question"], record["history"])
            yield Annotated(f"who-and-when {folder}", trajectory, step_of[int(record["mistake_step"])], None)


def agentrx_magentic(root: Path) -> Iterator[Annotated]:
    """Yield AgentRx's annotated Magentic-One runs."""
    folder = root / "agentrx-magentic"
    for mark in load_json(folder / "magentic_one_ground_truth.json"):
        path = folder / "runs" / f"{mark['trajectory_id']}.json"
        if path.exists():
            record = load_json(path)
            history = record if isinstance(record, list) else record["history"]
            trajectory, step_of = chat_run(path, mark["trajectory_id"], history[0]["content"], history)
            cause = root_cause(mark)
            position = min(max(int(cause["step_number"]) - 1, 0), len(history) - 1)
            kind = failure_type_of(cause["failure_category"])
            yield Annotated("AgentRx Magentic-One", trajectory, step_of[position], kind)


def agentrx_tau(root: Path) -> Iterator[Annotated]:
    """Yield AgentRx's annotated tau-bench runs."""
    folder = root / "agentrx-tau-retail"
    marks = {str(mark["trajectory_id"]): mark for mark in load_json(folder / "tau_ground_truth.json")}
    seen: set[str] = set()
    path = folder / "tau_dataset_failed.json.gz"
    records = load_json(path)
    for item in READERS["tau-bench"].read(path):
        if isinstance(item, ReadError):
            continue
        record = records[item.source.index]
        name = str(record["task_id"])
        if name in marks and name not in seen:
            seen.add(name)
            cause = root_cause(marks[name])
            position = int(cause["step_number"]) - 1
            spoken = sum(m["role"] != "tool" for m in record["traj"][: position + 1])
            step_id = min(max(spoken, 1), len(item.steps))
            yield Annotated("AgentRx tau-bench", item, step_id, failure_type_of(cause["failure_category"]))


def root_cause(mark: dict[str, Any]) -> dict[str, Any]:
    """Return the failure that the annotators named as the root cause."""
    wanted = mark["root_cause"]["failure_id"]
    return next(failure for failure in mark["failures"] if failure["failure_id"] == wanted)


def chat_run(path: Path, task: str, question: str, history: list[dict[str, Any]]) -> tuple[Trajectory, list[int]]:
    """Build a run from the chat of several agents; what a terminal printed joins the turn before it.

    Returns:
        The run, and the step_id of each entry of the history.
    """
    steps: list[Step] = []
    step_of: list[int] = []
    for entry in history:
        content, speaker = str(entry["content"]), str(entry.get("name") or entry["role"])
        if speaker.casefold() in _TERMINALS and steps and steps[-1].source == "agent":
            seen = (*steps[-1].observations, Observation(content=content, role="user", name=speaker))
            steps[-1] = steps[-1].model_copy(update={"observations": seen})
        else:
            source = "user" if speaker == "human" else "agent"
            steps.append(Step(step_id=len(steps) + 1, source=source, message=content, name=speaker))
        step_of.append(len(steps))
    run = Trajectory(
        id=path.stem,
        source=Source(path=path.name, format="chat", index=0),
        task_id=task,
        goal=question,
        steps=tuple(steps),
        success=False,
        label_source="annotation",
    )
    return run, step_of
