"""Initial states that a user gives for runs that name no environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenther.environments import assigned
from agenther.environments.assigned import Assigned, assign
from agenther.environments.base import Environment
from agenther.environments.plugins import EnvironmentKind
from agenther.errors import ConfigError, ReplayError
from agenther.record import Json, JsonObject
from agenther.testing import assistant, make_trajectory, user


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.stages.replay_runs import Greenhouse

    kind = EnvironmentKind("greenhouse", "beds", Greenhouse)
    monkeypatch.setattr(assigned, "find_environment", lambda name: kind if name == kind.kind else None)  # pyright: ignore


@pytest.mark.parametrize("text", ['{"a": {"n": 1}}', '{"task_id": "a", "initial": {"n": 1}}\n'])
def test_states_are_read_by_task(text: str, tmp_path: Path) -> None:
    path = tmp_path / "states.json"
    path.write_text(text)
    assert assign(f"greenhouse={path}").initial == {"a": {"n": 1}}


@pytest.mark.parametrize(
    "text",
    [
        "", "[1]", '{"a": 1}', "no", "\ufeff{}", "{}",
        '{"task_id": "a", "initial": {}}\n{"task_id": "a", "initial": {"n": 1}}', '{"a":' * 200 + "1" + "}" * 200,
    ],
)  # fmt: skip
def test_a_file_that_holds_no_states_is_said(text: str, tmp_path: Path) -> None:
    path = tmp_path / "states.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="--environment"):
        assign(f"greenhouse={path}")


@pytest.mark.parametrize("given", ["", "=", "moon", "greenhouse=", "greenhouse=missing.json"])
def test_a_name_or_file_that_is_not_there_is_said(given: str) -> None:
    with pytest.raises(ConfigError, match="--environment"):
        assign(given)


def test_what_keeps_a_run_from_its_environment_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Environment:
        raise ReplayError("no seeds")

    find = assigned.find_environment
    kinds = {"broken": EnvironmentKind("broken", "", broken)}
    monkeypatch.setattr(assigned, "find_environment", lambda name: kinds.get(name) or find(name))  # pyright: ignore

    def of(environment: Json, given: Assigned) -> object:
        labels: JsonObject = {} if environment is None else {"environment": environment}
        return given.of(make_trajectory(user("Water it."), assistant("Yes."), task_id="a", labels=labels))

    path = tmp_path / "states.json"
    path.write_text('{"b": {}}')
    none, all_, file = Assigned(), assign("greenhouse"), assign(f"greenhouse={path}")
    assert isinstance(of({"kind": "greenhouse"}, none), tuple)
    assert isinstance(of(None, all_), tuple)
    assert of(None, none) is of("webshop", none) is of({"name": "x"}, none) is None
    assert str(of({"kind": "moon"}, all_)) == "'moon' is not installed"
    assert str(of({"kind": "broken"}, none)) == "'broken' cannot be made"
    assert str(of({"kind": "greenhouse", "inital": {}}, none)).startswith("'greenhouse' has a label that is no setting")
    assert str(of(None, file)).startswith("'greenhouse' has no state for the task id of the run")


def test_a_missing_file_is_told_in_one_line() -> None:
    with pytest.raises(ConfigError) as told:
        assign("greenhouse=missing.json")
    assert str(told.value).splitlines()[0] == (
        "--environment missing.json: expected a file, found no such file or directory"
    )
