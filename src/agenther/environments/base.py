"""What an environment is: a simulator that can be set to a state, called, and looked at.

Any in-process Python simulator fits behind these three methods. Which environment a run belongs to stands in the run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from agenther.record import Json, JsonObject
from agenther.replay import Setting
from agenther.trajectory import Trajectory


class Environment(Protocol):
    """A simulator. One instance serves one replay; what it did is gone with it.

    An optional method `close()` is called when the replay is over.
    """

    def reset(self, config: JsonObject) -> Json:
        """Begin in the initial state that a configuration describes, and return that state."""
        ...

    def call(self, name: str, arguments: JsonObject) -> Json:
        """Do what an agent's call does, and return what the agent would observe: text, or the JSON that is shown as text.

        An error that the agent would see is an observation too; an exception means that the call cannot be replayed.
        """
        ...

    def snapshot(self) -> Json:
        """Return all of the state that calls can change. Equal states give equal JSON."""
        ...


MakeEnvironment = Callable[[], Environment]
"""Makes a fresh instance: what the entry-point group `agenther.environments` names."""


@dataclass(frozen=True)
class NotAtHand:
    """An environment that a run names, or is given, and in which it cannot be made again here."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name[:60]!r} {self.why}"


def setting_of(run: Trajectory) -> Setting | None:
    """Return the environment and the initial state that a run names under the label `environment`; None when it names none."""
    try:
        return Setting.model_validate(run.labels.get("environment"))
    except ValidationError:
        return None
