"""What preference trainers compare: pairs of continuations, and single ones that are desirable or not."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SkipValidation

from agenther.record import JsonObject, Record
from agenther.trajectory import Span

Messages = tuple[SkipValidation[JsonObject], ...]
"""Messages as `to_messages` makes them of steps, which were checked: they are not checked again."""

PairKind = Literal["same_goal", "step", "hindsight_goal"]
"""What two continuations are: runs of one goal that ended differently; single turns of which one failed or fell short; a
relabelled run and another that does not reach its hindsight goal."""


class PairEvidence(Record):
    """Characters of a stored run that show why one continuation is better."""

    trajectory_id: str
    span: Span


class Pair(Record):
    """Two continuations of one prompt, the first better than the second."""

    id: str
    prompt: Messages = Field(description="messages that both share, in OpenAI form with their `step`")
    chosen: Messages
    rejected: Messages
    tools: str = Field(description="tool schemas as one JSON string")
    kind: PairKind
    why: str = Field(description="why the chosen one is better, in words")
    outcome_inferred: bool = Field(
        default=False, description="True: shown by outputs in the runs; False: recorded as the outcomes of whole runs"
    )
    evidence: tuple[PairEvidence, ...] = Field(default=(), description="where it shows; empty for recorded outcomes")
    chosen_trajectory: str
    rejected_trajectory: str
    task_id: str | None
    weight: float = Field(
        description="severity weight w: of the rejected run, of the relabelled one for a hindsight goal, 1 for single turns"
    )


class Unpaired(Record):
    """One continuation of a prompt that is desirable or not: a KTO example."""

    id: str
    prompt: Messages
    completion: Messages
    label: bool
    tools: str
    kind: Literal["hindsight", "original", "success"]
    trajectory_id: str
    task_id: str | None
    weight: float


class Contrast(Record):
    """A run under the goal it reached, better, and under the goal it failed: the paper's pair, with a prompt on each side."""

    id: str
    chosen: Messages = Field(description="the relabelled run, in OpenAI form with its `step`")
    chosen_train_on: tuple[int, ...] = Field(description="its steps that carry loss")
    rejected: Messages = Field(description="the recorded run under its own goal")
    rejected_train_on: tuple[int, ...]
    tools: str
    sides: Literal["same_turns", "whole_run"] = Field(
        description="same_turns: both sides train the same turns, as in equation 2; whole_run: the relabelled one is a part "
        "or was edited, and the other is all of the run"
    )
    trajectory_id: str
    task_id: str | None
    weight: float = Field(description="severity weight w of the run")
