"""Initial states that a user gives for runs that name no environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenther.environments import assigned
from agenther.environments.assigned import assign
from agenther.environments.plugins import EnvironmentKind
from agenther.errors import ConfigError


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


def test_a_missing_file_is_told_in_one_line() -> None:
    with pytest.raises(ConfigError) as told:
        assign("greenhouse=missing.json")
    assert str(told.value).splitlines()[0] == (
        "--environment missing.json: expected a file, found no such file or directory"
    )
