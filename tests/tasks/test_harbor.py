"""Harbor's folders, executed here: their scripts run in a temporary root with the Python of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tasks.material import (
    SHELF_CODE,
    desk_example,
    desk_run,
    example_of,
    install,
    shelf_example,
    shelf_run,
    shop_run,
    task_of,
    tide_run,
)

from agenther.conclusions import Claim
from agenther.environments import plugins
from agenther.record import Json
from agenther.replay import Setting
from agenther.tasks.base import Rendered, SetAside, Task, Unfit
from agenther.tasks.derive import derive
from agenther.tasks.harbor import Harbor
from agenther.trajectory import Trajectory, whole_field


class Container:
    """A task's folder and a root of its own: what an image would hold, without one."""

    def __init__(self, task: Task, folder: Path, packages: Path | None = None, **requirements: str) -> None:
        made = Harbor(requirements).render(task, 0)
        assert isinstance(made, Rendered)
        for path, text in made.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.task, self.root = folder / task.id, folder / "root"
        self.root.mkdir()
        programs = folder / "bin"
        programs.mkdir()
        python = programs / "python"
        python.write_text(f'#!/bin/sh\nshift\nPYTHONPATH="{packages or ""}" exec {sys.executable} "$@"\n')
        (self.task / "environment" / "tool").rename(programs / "tool")
        for program in programs.iterdir():
            program.chmod(0o755)
        self._env = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "TASK_ROOT": str(self.root),
            "TASK_FILES": str(self.task / "environment"),
            "TASK_PYTHON": str(python),
        }

    def sh(self, script: str) -> str:
        done = subprocess.run(["sh", "-c", script], env=self._env, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def solve(self) -> str:
        return self.sh(f"sh {self.task}/solution/solve.sh")

    def reward(self) -> float:
        print(self.sh(f"sh {self.task}/tests/test.sh"))
        return float((self.root / "logs" / "verifier" / "reward.txt").read_text())

    def answer(self, value: Json) -> None:
        (self.root / "app").mkdir(exist_ok=True)
        (self.root / "app" / "answer.json").write_text(json.dumps(value))


def test_an_answer_over_recorded_tools(tmp_path: Path) -> None:
    box = Container(task_of(tide_run()), tmp_path)
    assert box.reward() == 0
    assert "05:42" in box.solve()
    assert box.reward() == 1
    box.answer({"high": "05:43", "low": "11:55"})
    assert box.reward() == 0
    (box.root / "app" / "answer.json").write_text("{high")
    assert box.reward() == 0


def test_the_tools_say_what_was_recorded_and_nothing_else(tmp_path: Path) -> None:
    box = Container(task_of(tide_run()), tmp_path)
    assert '"get_tide_times"' in box.sh("tool --list")
    assert "11:55" in box.sh("""tool get_tide_times '{"date": "2026-05-14", "harbour": "Skarvik"}'""")
    assert "nothing is recorded" in box.sh("""tool get_tide_times '{"date": "2026-05-15", "harbour": "Skarvik"}'""")
    assert "Error" in box.sh("tool get_tide_times '[1]'")
    assert "Skarvik" not in (box.task / "environment" / "settings.json").read_text().replace(
        '\\"harbour\\":\\"Skarvik\\"', ""
    )


def test_a_reward_that_was_laid_there_counts_for_nothing(tmp_path: Path) -> None:
    box = Container(task_of(tide_run()), tmp_path)
    logs = box.root / "logs" / "verifier"
    logs.mkdir(parents=True)
    (logs / "reward.json").write_text('{"reward": 1}')
    (logs / "reward.txt").write_text("1")
    assert box.reward() == 0
    assert not (logs / "reward.json").exists()
    (logs / "reward.json").mkdir()
    (logs / "reward.txt").unlink()
    (logs / "reward.txt").symlink_to(logs / "elsewhere")
    assert box.reward() == 0
    assert sorted(path.name for path in logs.iterdir() if not path.is_symlink()) == ["reward.txt"]


def with_agent(task: Task) -> Task:
    """Return a task whose goal is told to the agent, which a dialogue's is not."""
    return task.model_copy(update={"told_to": "agent"})


def desk(run: Trajectory) -> Task:
    found = derive(desk_example(run), run)
    assert isinstance(found, Task)
    return found


def test_calls_that_change_something_decide(tmp_path: Path) -> None:
    box = Container(with_agent(desk(desk_run())), tmp_path)
    assert box.reward() == 0
    box.solve()
    assert box.reward() == 1
    box.sh("""tool refund_order '{"order_id": "W77"}'""")
    assert box.reward() == 0


def test_an_environment_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packages = tmp_path / "packages"
    install(packages, "Shelf", SHELF_CODE)
    monkeypatch.syspath_prepend(str(packages))
    plugins._outside.cache_clear()  # pyright: ignore[reportPrivateUsage]
    try:
        run = shelf_run()
        task = derive(shelf_example(run), run)
    finally:
        plugins._outside.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert isinstance(task, Task)
    assert (task.checker.kind, task.evidence, len(task.oracle.calls)) == ("state_diff", "replay", 1)
    box = Container(task, tmp_path, packages, shelf="shelf-sim==0.1")
    assert "pip install --no-cache-dir shelf-sim==0.1" in (box.task / "environment" / "Dockerfile").read_text()
    assert box.reward() == 0
    assert box.solve().strip() == "done"
    assert box.reward() == 1
    assert box.sh("tool look").strip() == "a 5, b 2"
    assert box.reward() == 1
    box.sh("""tool put '{"place": "b", "value": 3}'""")
    assert box.reward() == 0
    box.sh("""tool put '{"place": "b", "value": 2}'""")
    assert box.reward() == 1
    assert "Error" in box.sh("tool burn '{}'")
    assert box.reward() == 1
    box.sh(f"""echo '{{"name": "burn", "arguments": {{}}}}' >> {box.root}/app/calls.jsonl""")
    assert box.reward() == 0


def test_the_folder_names_what_harbor_wants(tmp_path: Path) -> None:
    task = task_of(tide_run())
    box = Container(task, tmp_path)
    settings = tomllib.loads((box.task / "task.toml").read_text())
    assert (settings["schema_version"], settings["task"]["name"]) == ("1.4", f"agenther/{task.id}")
    assert settings["metadata"]["goal"] == task.goal
    assert (box.task / "instruction.md").read_text().startswith(task.goal)
    assert "05:42" not in (box.task / "instruction.md").read_text()


@pytest.mark.parametrize("goal", ['Say "x"\nand \\ more', "Où est 🧭?", "'; rm -rf / #", "a\x7f\x01b"])
def test_hostile_words_stay_words(goal: str, tmp_path: Path) -> None:
    task = task_of(tide_run()).model_copy(update={"goal": goal})
    oracle = task.oracle.model_copy(update={"answer": {"high": goal, "low": "$(touch /tmp/x)`id`"}})
    checker = task.checker.model_copy(update={"spec": {"answer": oracle.answer}})
    box = Container(task.model_copy(update={"oracle": oracle, "checker": checker}), tmp_path)
    assert tomllib.loads((box.task / "task.toml").read_text())["metadata"]["goal"] == goal
    box.solve()
    assert box.reward() == 1


def elsewhere(task: Task) -> Task:
    return task.model_copy(update={"environment": Setting(kind="shelf", initial={})})


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: desk(desk_run()), Unfit.SPOKEN_BY_USER),
        (lambda: task_of(shop_run()), Unfit.OTHER_KIND),
        (lambda: elsewhere(task_of(tide_run())), Unfit.NO_ENVIRONMENT),
    ],
)  # fmt: skip
def test_what_has_no_place_in_a_container(make: Callable[[], Task], why: Unfit) -> None:
    found = Harbor().render(make(), 0)
    assert isinstance(found, SetAside)
    assert found.why is why


def test_a_free_text_is_not_answered_from_a_recording() -> None:
    run = tide_run()
    step = run.step(2)
    call = step.tool_calls[0].model_copy(update={"arguments": '{"query": "tides at Skarvik"}'})
    asked = step.model_copy(update={"tool_calls": (call,)})
    run = run.model_copy(update={"steps": (run.steps[0], asked, *run.steps[2:])})

    claim = Claim(text="asked", kind="rest.fact", evidence=(whole_field(asked, "observations[0].content"),))
    task = derive(example_of(run, "Get the tides.", "rest", claim, answers=("05:42", "11:55")), run)
    assert isinstance(task, Task)
    assert task.environment.kind == "original"
    found = Harbor().render(task, 0)
    assert isinstance(found, SetAside)
    assert (found.why, "free text" in found.detail) == (Unfit.NO_ENVIRONMENT, True)
