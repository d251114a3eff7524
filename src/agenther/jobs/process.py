"""What is done with one run: redact it, relabel it, and keep whatever goes wrong on that run alone."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agenther.conclusions import Reason, Result
from agenther.config import Config
from agenther.errors import Postponed, UserError
from agenther.pipeline import relabel
from agenther.record import record_json
from agenther.stages.package.note import note_of
from agenther.stages.parts import Replaying, rule_parts
from agenther.stages.protocols import Parts
from agenther.stages.redact import redact
from agenther.texts import storable
from agenther.trajectory import Trajectory

if TYPE_CHECKING:
    from agenther.environments.sql_dump import SqlDump


@dataclass(frozen=True)
class Processed:
    """A run as it may be stored, and what was concluded about it."""

    key: str
    """Key of the run's content as read."""
    trajectory: Trajectory
    result: Result

    def to_texts(self) -> Texts:
        """Return the run and its Result as JSON."""
        again = self.result.error is not None or (
            self.result.drop is not None and self.result.drop.reason is Reason.UNSCORED
        )
        note = note_of(self.trajectory, self.result).model_dump_json(exclude_defaults=True)
        return Texts(self.key, self.trajectory.stored, record_json(self.result), note, again)


@dataclass(frozen=True)
class Texts:
    """What the store holds of a processed run: JSON."""

    key: str
    trajectory: str
    result: str
    note: str
    """The Result in short."""
    failed: bool
    """Whether the run is to be tried again: something failed, or a judge that was asked did not vote."""


@dataclass(frozen=True)
class Processor:
    """Redacts and relabels runs with one set of parts. Workers build their own parts from the settings."""

    config: Config
    databases: tuple[Path, ...] = ()
    replaying: Replaying | None = None

    @cached_property
    def _parts(self) -> Parts:
        return rule_parts(self.config, open_dumps(self.databases), self.replaying)

    def __call__(self, trajectory: Trajectory) -> Processed:
        """Return the run as it may be stored with its Result; an exception becomes the Result's error."""
        return _without_waiting(process(trajectory, self._parts, self.config))

    def texts(self, trajectory: Trajectory) -> Texts:
        """Return what the store shall hold of a run."""
        return texts_of(self(trajectory))


def open_dumps(paths: tuple[Path, ...]) -> tuple[SqlDump, ...]:
    """Return the databases of SQL dumps, which are read when the first query asks for them."""
    if not paths:
        return ()
    from agenther.environments.sql_dump import SqlDump

    return tuple(map(SqlDump, paths))


def _without_waiting(work: Coroutine[Any, Any, Processed]) -> Processed:
    """Do work that waits for nothing, as that of rules, without an event loop."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("rules waited for something")


async def process(trajectory: Trajectory, parts: Parts, config: Config) -> Processed:
    """Redact and relabel one run; an exception becomes the Result's error.

    Raises:
        Postponed: the run must wait; nothing is concluded about it.
        UserError: what befell it would befall every run of the job.
    """
    try:
        run = redact(trajectory) if config.redact else trajectory
    except Exception as error:
        return failed(trajectory.key, without_texts(trajectory), "redact: ", error)
    try:
        return Processed(trajectory.key, run, await relabel(run, parts, config))
    except (Postponed, UserError):
        raise
    except Exception as error:
        return failed(trajectory.key, run, "", error)


def texts_of(done: Processed) -> Texts:
    """Return what the store shall hold of a run; one that cannot be written down has failed."""
    try:
        return done.to_texts()
    except Exception as error:
        try:
            return failed(done.key, done.trajectory, "store: ", error).to_texts()
        except Exception:
            return failed(done.key, without_texts(done.trajectory), "store: ", error).to_texts()


def failed(key: str, run: Trajectory, where: str, error: Exception) -> Processed:
    """Return what is kept of a run on which something went wrong."""
    return Processed(key, run, Result(error=storable(f"{where}{type(error).__name__}: {error}")))


def without_texts(run: Trajectory) -> Trajectory:
    """Return a run without anything that was recorded in it."""
    return Trajectory(
        id=storable(run.id),
        source=run.source,
        task_id=None if run.task_id is None else storable(run.task_id),
        goal="",
        steps=(),
        success=run.success,
        reward=run.reward,
    )
