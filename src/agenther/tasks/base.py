"""What a checkable task is, whatever it is written for, and why something is none.

Records only. `derive` makes them from examples, `check` decides them, the files named after a target write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from pydantic import Field

from agenther.conclusions import Example
from agenther.record import Json, JsonObject, Record, StorableObject
from agenther.replay import Setting
from agenther.trajectory import Step, Trajectory

RECORDED = "recorded"
"""Kind of the environment that gives a run's own answers again."""
ORIGINAL = "original"
"""Kind of the environment that the run's benchmark sets up for its task; nothing of its state is recorded."""

CheckerKind = Literal["state_diff", "calls", "answer", "url", "network"]
Evidence = Literal["replay", "recorded_calls", "observation", "url_log", "network_log"]


class Unfit(StrEnum):
    """Why an example gives no task, or a task no folder of a target: the closed list."""

    OWN_GOAL = "own_goal"
    NO_STATE = "no_state"
    NO_ENVIRONMENT = "no_environment"
    SEVERAL_WAYS = "several_ways"
    OPEN_ANSWER = "open_answer"
    NOT_OBSERVED = "not_observed"
    NOT_RECORDED = "not_recorded"
    FREE_TEXT = "free_text"
    REDACTED = "redacted"
    UNKNOWN_SITE = "unknown_site"
    SPOKEN_BY_USER = "spoken_by_user"
    OTHER_KIND = "other_kind"
    CONTROL_FAILED = "control_failed"
    SAME_TASK = "same_task"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True)
class SetAside:
    """No task, and why."""

    why: Unfit
    detail: str


class TaskCall(Record):
    """A call of a tool."""

    name: str
    arguments: StorableObject


class Request(Record):
    """Something that a browser asked a site."""

    method: str
    url: str
    sent: Json = Field(default=None, description="fields by name; None when nothing was sent")
    status: int | None = Field(default=None, description="of the answer; None when only the URL was observed")


class Checker(Record):
    """How a task is decided.

    The spec by kind: `answer` {answer, ordered}, `calls` {calls, effects}, `state_diff` {calls, changes}, `url` {url},
    `network` {method, url, sent, status}.
    """

    kind: CheckerKind
    spec: StorableObject


class Oracle(Record):
    """What solves a task: what the run itself did."""

    calls: tuple[TaskCall, ...] = ()
    answer: Json = Field(default=None, description="None when the task asks for none")
    requests: tuple[Request, ...] = Field(default=(), description="page loads and what was sent, in order")


class TaskSource(Record):
    """What a task was made from."""

    trajectory_id: str
    example_id: str
    original_goal: str
    task_id: str | None = Field(default=None, description="of the run's own task; None when unknown")
    format: str


class Task(Record):
    """A goal with what decides whether it was reached."""

    id: str
    goal: str = Field(description="what is asked: the hindsight goal")
    told_to: Literal["agent", "simulated_user"] = Field(
        description="who is given the goal: the agent, or a simulated user as the instruction by which it speaks"
    )
    answer_format: str = Field(default="", description="how the answer is to be written; empty when none is owed")
    domain: str
    environment: Setting
    tools: tuple[StorableObject, ...] = Field(default=(), description="tool schemas, OpenAI form")
    checker: Checker
    oracle: Oracle
    controls: dict[str, int] = Field(
        description="the verdict that each must have and had: `oracle` 1; `noop`, `wrong_goal`, `original_gold` 0"
    )
    evidence: Evidence = Field(description="what the checker rests on")
    source: TaskSource


def kept_steps(example: Example, run: Trajectory) -> tuple[Step, ...]:
    """Return the agent's steps of a run that an example keeps, as they were recorded."""
    kept = {step for message in example.messages if isinstance(step := message.get("step"), int)}
    return tuple(step for step in run.agent_steps if step.step_id in kept)


@dataclass(frozen=True)
class Rendered:
    """A task as a target has it."""

    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Texts by their paths below the target's folder."""
    rows: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    """Rows of files that all tasks share, by path: lines of a `.jsonl`, members of the list in a `.json`."""


class Target(Protocol):
    """Whom tasks are for."""

    name: str
    about: str
    shared: tuple[str, ...]
    """Paths of the files that all tasks share; they are written even when there is no task."""
    readme: str

    def render(self, task: Task, number: int) -> Rendered | SetAside:
        """Return a task in the target's form, or why it has no place for it.

        Args:
            task: a task that passed its controls.
            number: 0-based position among the tasks that are written.
        """
        ...
