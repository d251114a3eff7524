"""With what a job replays its runs, and what of it decides results."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from agenther.config import Config
from agenther.environments.assigned import assign
from agenther.record import Json
from agenther.stages.parts import Replaying
from agenther.stages.verify.replay.policy import default_policy, load_policy


class Replays(NamedTuple):
    """Environments and policy of a job."""

    replaying: Replaying | None
    """None: nothing is replayed."""
    mark: Json
    """What decides results besides the runs."""


def replays_of(config: Config, environment: str | None = None, policy: Path | None = None) -> Replays:
    """Return with what runs are replayed.

    Args:
        config: settings.
        environment: `NAME` or `NAME=FILE` for runs that name none.
        policy: file of harmful side effects; None: the default one.

    Raises:
        ConfigError: no such environment or file.
    """
    if not config.replay:
        return Replays(None, None)
    assigned = assign(environment)
    own = default_policy() if policy is None else load_policy(policy)
    return Replays(Replaying(assigned.of, own), [assigned.mark, own.model_dump(mode="json")])
