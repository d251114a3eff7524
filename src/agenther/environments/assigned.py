"""Which environment each run of a job belongs to: the one that it names, else the one that the user gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import orjson

from agenther.environments.base import MakeEnvironment, NotAtHand, setting_of
from agenther.environments.bfcl import bfcl_python
from agenther.environments.plugins import GROUP, find_environment, why_not_ready
from agenther.errors import ConfigError, UserError
from agenther.record import Json, JsonObject, content_key, is_storable
from agenther.replay import Setting
from agenther.trajectory import Trajectory


@dataclass(frozen=True)
class Assigned:
    """Environments of a job, by run. Each process makes its own instances."""

    name: str | None = None
    """Environment of runs that name none; None: they are not replayed."""
    initial: Mapping[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    """Initial state by task id, for those runs."""

    def of(self, run: Trajectory) -> tuple[Setting, MakeEnvironment] | NotAtHand | None:
        """Return the setting of a run and what makes its environment, or what is amiss with it; None when it has none."""
        setting = setting_of(run)
        if setting is None and (unread := _unread_name(run)) is not None:
            return NotAtHand(unread, "has a label that is no setting: expected kind, version and initial alone")
        if setting is None and self.name is not None:
            known = self.initial.get(run.task_id or "")
            if known is None and self.initial:
                return NotAtHand(self.name, "has no state for the task id of the run in the file of --environment")
            setting = Setting(kind=self.name, initial=known or {})
        if setting is None:
            return None
        make = _ready(setting.kind)
        return NotAtHand(setting.kind, make) if isinstance(make, str) else (setting, make)

    @property
    def mark(self) -> Json:
        """What decides results here: the environments that are installed, and the states that were given."""
        packages = sorted(
            f"{point.name} {point.dist.name} {point.dist.version}" if point.dist is not None else point.name
            for point in entry_points(group=GROUP)
        )
        return [*packages, _bfcl_mark(), self.name, content_key(dict(self.initial))]


def assign(given: str | None) -> Assigned:
    """Return what `--environment NAME[=FILE]` says.

    FILE holds initial states by task id: a JSON object, or lines of JSON with `task_id` and `initial`.

    Raises:
        ConfigError: no such environment, or one that is not set up; no such file, or one that holds something else.
    """
    if given is None:
        return Assigned()
    name, equals, file = given.partition("=")
    environment = find_environment(name)
    if environment is None:
        raise ConfigError(f"--environment {name}: no such environment", "`agenther environments` lists them")
    if why := why_not_ready(environment):
        raise ConfigError(f"--environment {name}: {why}")
    if equals and not file:
        raise ConfigError(f"--environment {given}: expected a file behind the equals sign")
    return Assigned(name, _read_states(Path(file)) if file else {})


def _read_states(path: Path) -> dict[str, JsonObject]:
    try:
        text = path.read_bytes()
        try:
            whole: Json = orjson.loads(text)
            rows = list(whole.items()) if isinstance(whole, dict) and "initial" not in whole else [_row(whole)]
        except orjson.JSONDecodeError:
            rows = [_row(orjson.loads(line)) for line in text.splitlines() if line.strip()]
    except OSError as error:
        raise ConfigError(
            f"--environment {path}: expected a file, found {(error.strerror or 'none').lower()}"
        ) from error
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"--environment {path}: expected a file of JSON, found {error}") from error
    states = {task: state for task, state in rows if isinstance(state, dict) and is_storable(state)}
    if len(states) < len(rows) or not rows:
        raise ConfigError(
            f"--environment {path}: expected one state for each task, found something else",
            'a JSON object {"TASK": {...}}, or lines {"task_id": "TASK", "initial": {...}}',
        )
    return states


def _row(row: Json) -> tuple[str, Json]:
    task, state = (row.get("task_id"), row.get("initial")) if isinstance(row, dict) else (None, None)
    return (task, state) if isinstance(task, str) else ("", None)


def _unread_name(run: Trajectory) -> str | None:
    label = run.labels.get("environment")
    kind = label.get("kind") if isinstance(label, dict) else None
    return kind if isinstance(kind, str) else None


@cache
def _ready(kind: str) -> MakeEnvironment | str:
    """Return what makes an environment, or why nothing does."""
    environment = find_environment(kind)
    if environment is None:
        return "is not installed"
    return "cannot be made" if why_not_ready(environment) else environment.make


def _bfcl_mark() -> Json:
    """Return which release of BFCL is set up; None when none is."""
    try:
        python = bfcl_python()
    except UserError:
        return None
    found = sorted(path.name for path in python.parent.parent.glob("lib/python*/site-packages/bfcl_eval-*.dist-info"))
    return [*found]
