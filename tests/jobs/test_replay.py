"""A job whose runs can be made again: labels replayed, drifted ones refused; and without replay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agenther.record import JsonObject
from agenther.testing import assistant, tool, tool_call, tool_schema, user

HARBOUR = """
class Harbour:
    def reset(self, config):
        self.tides, self.berths = config["tides"], {}
        return self.snapshot()

    def call(self, name, arguments):
        if name == "tide_table":
            return {"error": "", "harbour": arguments["harbour"], "tides": self.tides}
        if name == "book_berth":
            self.berths[arguments["harbour"]] = "taken"
            return "booked"
        raise ValueError(name)

    def snapshot(self):
        return {"berths": self.berths}
"""
TOOLS = (
    tool_schema("tide_table", "Get the tide times of a harbour", harbour={"type": "string"}, date={"type": "string"}),
    tool_schema("book_berth", "Book a berth", harbour={"type": "string"}),
)
GOAL = "I sail to Skarvik on 2031-05-04. Tell me the tide there and reserve a berth with electricity for two nights."
INITIAL: JsonObject = {"tides": [{"kind": "high", "at": "06:12"}, {"kind": "low", "at": "12:25"}]}


def asked(name: str, seen: Any = INITIAL["tides"], **fields: Any) -> JsonObject:
    """Return a chat record that was asked for a tide and a berth, and found the tide."""
    messages = [
        user(GOAL),
        assistant("", tool_call("tide_table", harbour="Skarvik", date="2031-05-04")),
        tool({"error": "", "harbour": "Skarvik", "tides": seen}),
        assistant("In Skarvik the tide is high at 06:12 and low at 12:25."),
    ]
    record: JsonObject = {
        "id": name,
        "task_id": f"task/{name}",
        "success": False,
        "messages": messages,
        "tools": [*TOOLS],
    }
    return record | {"environment": {"kind": "harbour", "initial": INITIAL}} | fields


LATER = [{"kind": "high", "at": "06:12"}, {"kind": "low", "at": "12:25"}, {"kind": "ebb", "at": "12:25"}]
RUNS = (
    asked("honest"),
    asked("drifted", seen=LATER),
    asked("nameless", environment=None),
    asked("elsewhere", environment={"kind": "moon", "initial": {}}),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replay")
    (path / "runs.jsonl").write_text("\n".join(map(json.dumps, RUNS)))
    (path / "states.json").write_text(json.dumps({"task/nameless": {"tides": []}}))
    info = path / "site" / "harbours-1.0.dist-info"
    info.mkdir(parents=True)
    (path / "site" / "harbours.py").write_text(HARBOUR)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: harbours\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[agenther.environments]\nharbour = harbours:Harbour\n")
    return path


def job(folder: Path, out: str, *options: str) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "agenther",
        "run",
        str(folder / "runs.jsonl"),
        "-o",
        str(folder / out),
        "--json",
        *options,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(folder / "site")}, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows(folder: Path, out: str, name: str) -> dict[str, dict[str, Any]]:
    lines = (folder / out / name).read_text().splitlines()
    return {row["trajectory_id"]: row for row in map(json.loads, lines)}


def test_labels_are_replayed_with_any_number_of_workers(folder: Path) -> None:
    summary = job(folder, "one")
    kept, dropped = rows(folder, "one", "examples.jsonl"), rows(folder, "one", "dropped.jsonl")
    assert dropped["drifted"]["reason"] == "evidence_failed"
    assert "check:replay" in dropped["drifted"]["detail"]
    scores = {score["by"]: score for score in kept["honest"]["verdict"]["scores"]}
    assert scores["check:replay"]["explanation"].startswith("abstains")
    assert scores["check:replay"]["replay"]["setting"]["kind"] == "harbour"
    assert summary["replays"] == {"abstained": 1, "vetoed.evidence_failed": 1}
    assert summary["unreplayed"] == {"'moon' is not installed": 1}
    job(folder, "two", "--workers", "2")
    assert (folder / "one" / "examples.jsonl").read_bytes() == (folder / "two" / "examples.jsonl").read_bytes()


def test_without_replay_nothing_is_executed(folder: Path) -> None:
    summary = job(folder, "off", "--no-replay")
    assert "replays" not in summary
    assert summary["counts"]["accepted"] == len(RUNS)


def test_runs_that_name_no_environment_are_given_one(folder: Path) -> None:
    job(folder, "given", "--environment", f"harbour={folder / 'states.json'}")
    assert rows(folder, "given", "dropped.jsonl")["nameless"]["reason"] == "evidence_failed"


def test_labels_whose_environment_is_not_at_hand_are_told_of(folder: Path) -> None:
    (folder / "others.json").write_text(json.dumps({"tides": {}, "berths": {}}))
    summary = job(folder, "bare", "--environment", f"harbour={folder / 'others.json'}")
    lacking = "'harbour' has no state for the task id of the run in the file of --environment"
    assert summary["unreplayed"] == {lacking: 1, "'moon' is not installed": 1}
    command = [sys.executable, "-m", "agenther", "stats", str(folder / "bare")]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "'moon' is not installed" in told
    assert json.loads((folder / "bare" / "manifest.json").read_text())["unreplayed"] == summary["unreplayed"]


@pytest.mark.parametrize("wrong", ["moon", "harbour=missing.json", "harbour=runs.jsonl"])
def test_an_environment_that_is_not_there_is_said(folder: Path, wrong: str) -> None:
    name, _, file = wrong.partition("=")
    option = f"{name}={folder / file}" if file else name
    with pytest.raises(AssertionError, match="--environment"):
        job(folder, "wrong", "--environment", option)


def test_show_says_what_execution_showed(folder: Path) -> None:
    job(folder, "shown")
    command = [sys.executable, "-m", "agenther", "show", str(folder / "shown"), "honest"]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert "check:replay: abstains" in told
    assert "end state: noop reaches it, oracle reaches it" in told
