"""AgentRx runs and annotations, on an invented team and an invented shop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers.agentrx import AgentRxReader
from agenther.readers.base import read_head
from agenther.readers.discover import find_inputs, pick_reader
from agenther.readers.tau_bench import TauBenchReader
from agenther.trajectory import Trajectory

GOAL = "How many herring boats were moored in Skarvik in 1931?"
TEAM = [
    {"content": f"{GOAL}\n", "role": "human"},
    {"content": "Somebody must look it up.", "role": "Orchestrator (thought)"},
    {"content": "Count the boats.", "role": "Orchestrator (-> ComputerTerminal)"},
    {"content": "44", "role": "ComputerTerminal"},
    {"content": "It is 44.", "role": "Assistant"},
    {"content": "No agent selected.", "role": "Orchestrator (termination condition)"},
]


def mark(run: object, *steps: int, root: int | None = 1) -> dict[str, Any]:
    failures = [
        {
            "failure_id": i,
            "step_number": step,
            "step_reason": f"reason {i}",
            "failure_category": "System Failure",
            "failed_agent": "Assistant",
        }
        for i, step in enumerate(steps, start=1)
    ]
    return {
        "trajectory_id": run,
        "failures": failures,
        "root_cause": {"failure_id": root},
        "failure_summary": "Yachts.",
    }


def read(tmp_path: Path, *marks: object, content: object = TEAM) -> Trajectory | ReadError:
    path = tmp_path / "runs" / "q-7.json"
    path.parent.mkdir()
    path.write_bytes(orjson.dumps(content))
    (tmp_path / "magentic_one_ground_truth.json").write_bytes(orjson.dumps(list(marks)))
    (found,) = AgentRxReader().read(path)
    return found


def test_a_team_without_annotation_has_no_outcome(tmp_path: Path) -> None:
    run = read(tmp_path, mark("q-8", 3))
    assert isinstance(run, Trajectory)
    assert [(s.source, s.name) for s in run.steps][1:] == [("agent", "Orchestrator")] * 2 + [("agent", "Assistant")]
    assert (run.id, run.task_id, run.goal, run.success) == ("q-7", "who-and-when/q-7", GOAL, None)
    assert [run.text_at(s) for s in run.goal_at] == [GOAL]
    assert run.labels == {"harness_log": "No agent selected."}


def test_what_the_annotators_saw_becomes_labels(tmp_path: Path) -> None:
    run = read(tmp_path, mark("q-7", 2, 5, root=2))
    assert isinstance(run, Trajectory)
    assert (run.success, run.label_source) == (False, "agentrx.ground_truth")
    assert (run.labels["mistake_step_id"], run.labels["mistake_reason"]) == (4, "reason 2")
    assert (run.labels["mistake_agent"], run.labels["mistake_type"]) == ("Assistant", "System Failure")


@pytest.mark.parametrize("noted", [mark("q-7", 3, 4, root=9), mark("q-7"), mark("q-7", 99), mark("q-7", 0)])
def test_a_root_cause_that_is_not_clear_has_no_step(tmp_path: Path, noted: dict[str, Any]) -> None:
    run = read(tmp_path, noted, "junk", {"trajectory_id": "q-7"})
    assert isinstance(run, Trajectory)
    assert run.success is False
    assert "mistake_step_id" not in run.labels


def test_a_file_that_is_no_list_of_turns_is_an_error(tmp_path: Path) -> None:
    found = read(tmp_path, content=[{"content": 3, "role": "human"}])
    assert isinstance(found, ReadError)
    assert found.where == "[0].content"


def test_runs_are_known_and_annotations_passed_over(tmp_path: Path) -> None:
    read(tmp_path, mark("q-7", 3))
    (tmp_path / "my_ground_truth.json").write_bytes(b'[{"messages": [{"role": "user", "content": "x"}]}]')
    found = {path.name: pick_reader(path) for path in find_inputs(tmp_path)}
    assert {name: reader.format for name, reader in found.items() if not isinstance(reader, ReadError)} == {
        "q-7.json": "agentrx",
        "my_ground_truth.json": "openai",
    }
    history = orjson.dumps({"history": TEAM})
    assert not AgentRxReader().sniff(tmp_path, history)
    assert AgentRxReader().sniff(tmp_path, read_head(tmp_path / "runs" / "q-7.json"))


def conversation(reward: float, task_id: int = 7) -> dict[str, Any]:
    call = {"id": "c", "type": "function", "function": {"name": "get_order_details", "arguments": "{}"}}
    said: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Where is my order?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "{}"},
        {"role": "assistant", "content": "At sea."},
    ]
    return {"task_id": task_id, "reward": reward, "info": {"task": {"instruction": "You want it."}}, "traj": said}


def test_failed_shop_conversations_take_the_annotations(tmp_path: Path) -> None:
    (tmp_path / "tau_ground_truth.json").write_bytes(orjson.dumps([mark(7, 5), mark(8, 5)]))
    path = tmp_path / "results.json"
    path.write_bytes(orjson.dumps([conversation(0.0), conversation(1.0, 8), conversation(0.0, 9)]))
    runs = [run for run in TauBenchReader().read(path) if isinstance(run, Trajectory)]
    assert [run.labels.get("mistake_step_id") for run in runs] == [4, None, None]
    assert [run.success for run in runs] == [False, True, False]
