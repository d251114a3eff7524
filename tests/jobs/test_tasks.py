"""Tasks of a whole job: what is written, what is set aside, what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.tasks.material import SAMPLES, shop_run, tide_run

from agenther.cli import group
from agenther.config import Config
from agenther.errors import UserError
from agenther.jobs.job import Job, execute
from agenther.jobs.tasks import write_tasks
from agenther.messages import to_messages
from agenther.record import JsonObject
from agenther.tasks.base import Task
from agenther.tasks.check import check
from agenther.tasks.harbor import Harbor
from agenther.tasks.jsonl import JsonLines
from agenther.trajectory import Trajectory


def job(folder: Path, *runs: Trajectory) -> Path:
    lines = [
        {
            "messages": to_messages(run.steps),
            "tools": [*run.tools],
            "success": False,
            "task_id": run.task_id,
            "id": f"r{n}",
        }
        for n, run in enumerate(runs)
    ]
    (folder / "runs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    execute(Job((str(folder / "runs.jsonl"),), folder / "out", config=Config()))
    return folder / "out"


def manifest_of(out: Path) -> JsonObject:
    return json.loads((out / "manifest.json").read_bytes())


def rows(path: Path) -> list[JsonObject]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_label_is_a_task_or_is_set_aside_with_a_reason(tmp_path: Path) -> None:
    execute(Job((str(SAMPLES),), tmp_path / "out", config=Config()))
    done = CliRunner().invoke(group, ["tasks", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 0, done.output
    counts = json.loads(done.output)
    folder = tmp_path / "out" / "tasks" / "jsonl"
    tasks, aside = rows(folder / "tasks.jsonl"), rows(folder / "set_aside.jsonl")
    assert len(tasks) == counts["tasks"] >= 5
    assert len(aside) == sum(counts["set_aside"].values())
    assert len(tasks) + len(aside) == counts["examples"]
    assert all(row["why"] and row["detail"] for row in aside)
    for row in tasks:
        task = Task.model_validate(row)
        assert check(task, calls=task.oracle.calls, answer=task.oracle.answer).value == 1
        assert check(task).value == 0


def test_doing_it_again_gives_the_same_files(tmp_path: Path) -> None:
    out = job(tmp_path, tide_run())
    found = [
        {p: p.read_bytes() for p in (out / "tasks").rglob("*") if p.is_file()}
        for _ in range(2)
        if write_tasks(out, manifest_of(out), Harbor())
    ]
    assert found[0] == found[1]
    assert not [p for p in (out / "tasks").iterdir() if p.name.startswith(".")]
    assert [p.stat().st_mode & 0o111 for p in (out / "tasks").rglob("*.sh")] == [0o111, 0o111]


def test_runs_that_contradict_each_other_give_no_task(tmp_path: Path) -> None:
    first = tide_run().model_copy(update={"task_id": "tides"})
    told = "High water is at 06:10, low water at 12:30."
    second = tide_run(told, high="06:10", low="12:30").model_copy(update={"task_id": "tides"})
    out = job(tmp_path, first, second)
    summary = write_tasks(out, manifest_of(out), JsonLines())
    assert (dict(summary.written), dict(summary.set_aside)) == ({}, {"contradicted": 2})


def test_equal_tasks_are_written_once(tmp_path: Path) -> None:
    first = tide_run().model_copy(update={"task_id": "tides"})
    second = tide_run("Low water is at 11:55 and high water at 05:42.", zone=None).model_copy(
        update={"task_id": "tides"}
    )
    out = job(tmp_path, first, second)
    summary = write_tasks(out, manifest_of(out), JsonLines())
    assert summary.examples == sum(summary.written.values()) + sum(summary.set_aside.values())
    assert dict(summary.written) == {"answer": 1}


def test_the_guides_example_runs_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = SAMPLES.parents[1] / "docs" / "guides" / "tasks.md"
    (code,) = re.findall(r"```python\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    out = job(tmp_path, tide_run())
    write_tasks(out, manifest_of(out), JsonLines())
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert capsys.readouterr().out == "1.0\n"


def test_labels_that_nobody_verified_are_refused(tmp_path: Path) -> None:
    out = job(tmp_path, shop_run())
    manifest = manifest_of(out)
    config = {**Config().model_dump(mode="json"), "propose": "llm", "model": "m@http://x"}
    with pytest.raises(UserError, match="vouches"):
        write_tasks(out, {**manifest, "config": config}, JsonLines())


def test_a_dialogue_is_for_a_simulated_user(tmp_path: Path) -> None:
    execute(Job((str(SAMPLES / "retail-tau-bench.json"),), tmp_path / "out", config=Config()))
    out = tmp_path / "out"
    write_tasks(out, manifest_of(out), JsonLines())
    (found,) = rows(out / "tasks" / "jsonl" / "tasks.jsonl")
    assert (found["told_to"], found["checker"]["kind"]) == ("simulated_user", "calls")  # type: ignore[index,call-overload]
    assert found["goal"] == "Cancel order #T4407; it was ordered by mistake."
    summary = write_tasks(out, manifest_of(out), Harbor())
    assert dict(summary.set_aside) == {"spoken_by_user": 1}


def test_the_command_says_what_is_wrong_with_its_options(tmp_path: Path) -> None:
    for options in (["--for", "nobody"], ["--site", "moon=http://x"], ["--site", "shopping"], ["--requirement", "=x"]):
        done = CliRunner().invoke(group, ["tasks", str(tmp_path), *options])
        assert done.exit_code == 2, done.output
    done = CliRunner().invoke(group, ["tasks", str(tmp_path / "nothing")])
    assert isinstance(done.exception, UserError)
