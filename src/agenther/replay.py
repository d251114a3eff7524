"""What a replay shows: the calls that were made again, what they changed, and how the controls came out.

Records only. Environments do the calls; `stages.verify.replay` decides what the replay means for a label.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from agenther.record import Json, Record, StorableObject


class Setting(Record):
    """An environment and the state in which a run begins there."""

    kind: str = Field(description="name of the environment, as the entry point has it")
    version: str | None = Field(default=None, description="of the environment; None when unknown")
    initial: StorableObject = Field(default_factory=dict, description="what `reset` is given")


class ReplayedCall(Record):
    """A call of the run, made again."""

    step: int = Field(description="step_id in the trajectory")
    name: str
    arguments: StorableObject
    changed: bool = Field(description="whether the state differed after it")
    drift: str | None = Field(
        default=None, description="how the observation differs from the recorded one; None: equal"
    )


class Change(Record):
    """A leaf of the state that differs between two snapshots."""

    path: str = Field(description="JSON pointer to the leaf")
    how: Literal["added", "removed", "replaced"]
    before: Json = Field(default=None, description="None when added")
    after: Json = Field(default=None, description="None when removed")
    call: int | None = Field(default=None, description="position of the call that made it; None when no single one did")


class Control(Record):
    """A replay that must come out in a known way, or the task checks nothing."""

    name: Literal["noop", "original_gold", "oracle", "without_one"]
    expected: bool = Field(description="whether the end state must equal that of the run")
    found: bool


class Replay(Record):
    """A run made again from its initial state."""

    setting: Setting
    calls: tuple[ReplayedCall, ...] = Field(description="those of the kept steps, in order")
    oracle: tuple[int, ...] = Field(
        description="positions of the calls that suffice for the end state: those that changed it"
    )
    changes: tuple[Change, ...] = Field(description="from the initial state to the end state")
    named: tuple[int, ...] = Field(default=(), description="positions of the changes that the goal names")
    side_effects: tuple[int, ...] = Field(default=(), description="positions of the changes that it does not name")
    controls: tuple[Control, ...] = ()
