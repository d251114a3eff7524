from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers.base import read_head
from agenther.readers.swe_agent import SweAgentReader, issue_of
from agenther.trajectory import Trajectory

ISSUE = "Tide table off by one\nThe table of `skarvik.py` starts at day 2."
PROMPT = f"We mend an issue.\nISSUE:\n{ISSUE}\n\nINSTRUCTIONS:\nOne command at a time."
THOUGHT = "I look around.\n"


def wrote(action: str, thought: str = THOUGHT) -> dict[str, object]:
    content = f"{thought}```\n{action}\n```"
    return {"role": "assistant", "content": content, "thought": thought, "action": f"{action}\n", "agent": "main"}


def called(name: str, call_id: str, action: str, **arguments: str) -> dict[str, object]:
    function = {"name": name, "arguments": orjson.dumps(arguments).decode()}
    calls = [{"id": call_id, "type": "function", "function": function}]
    return {"role": "assistant", "content": THOUGHT, "action": action, "agent": "main", "tool_calls": calls}


def told(role: str, content: object, **more: object) -> dict[str, object]:
    return {"role": role, "content": content, "agent": "main", "message_type": "observation"} | more


def entry(action: str, observation: str) -> dict[str, object]:
    return {"action": action, "observation": observation, "response": f"{THOUGHT}```\n{action}\n```", "state": "{}"}


TEXT = (told("system", "You mend code."), told("user", PROMPT), wrote("ls -F"), told("user", "skarvik.py"))
CALLS = (
    told("user", PROMPT),
    called("bash", "c1", "ls -F", command="ls -F"),
    told("tool", [{"type": "text", "text": "skarvik.py"}], tool_call_ids=["c1"]),
)


def traj(*history: object, trajectory: object = (), **info: object) -> dict[str, object]:
    return {"environment": "main", "trajectory": trajectory, "history": list(history), "info": info}


def read(tmp_path: Path, content: object, name: str = "quay-12.traj") -> Trajectory | ReadError:
    path = tmp_path / name
    path.write_bytes(orjson.dumps(content))
    (found,) = SweAgentReader().read(path)
    return found


def one(tmp_path: Path, content: object, name: str = "quay-12.traj") -> Trajectory:
    found = read(tmp_path, content, name)
    assert isinstance(found, Trajectory), found
    return found


def test_the_goal_is_the_issue(tmp_path: Path) -> None:
    run = one(tmp_path, traj(*TEXT))
    assert run.goal == ISSUE
    assert [(span.step, run.text_at(span)) for span in run.goal_at] == [(2, ISSUE)]
    assert run.task_id == one(tmp_path, traj(*CALLS), "other.traj").task_id, "one issue is one task"


@pytest.mark.parametrize(
    ("prompt", "issue"),
    [
        ("<pr_description>\nMend it.\n\n</pr_description>\nHelp.", "Mend it."),
        ("Please solve this issue: Mend it.\n\nYou can execute commands.", "Mend it."),
        (" Mend it. ", "Mend it."),
    ],
)
def test_where_an_issue_stands_in_a_prompt(prompt: str, issue: str) -> None:
    assert issue_of(prompt) == issue


def test_written_commands_have_their_places(tmp_path: Path) -> None:
    run = one(tmp_path, traj(*TEXT, wrote("open skarvik.py")))
    first, second = run.agent_steps
    (call,) = first.tool_calls
    assert call.at is not None
    assert first.message[slice(*call.at)] == "ls -F"
    assert (call.function_name, call.values) == ("bash", {"command": "ls -F"})
    assert [first.message[a:b] for a, b in first.thought_at] == [THOUGHT.strip()]
    assert (first.observations[0].role, first.observations[0].source_call_id) == ("user", call.tool_call_id)
    assert second.tool_calls[0].function_name == "open", "a command of the agent's own editor"


def test_called_tools_are_structured(tmp_path: Path) -> None:
    (step,) = one(tmp_path, traj(*CALLS)).agent_steps
    (call,) = step.tool_calls
    assert (call.tool_call_id, call.function_name, call.values, call.at) == ("c1", "bash", {"command": "ls -F"}, None)
    (seen,) = step.observations
    assert (seen.content, seen.role, seen.source_call_id) == ("skarvik.py", "tool", "c1")


def test_a_demonstration_is_no_part_of_the_run(tmp_path: Path) -> None:
    demo = [told("user", "ISSUE:\nOther\n\nINSTRUCTIONS:", is_demo=True), wrote("rm x") | {"is_demo": True}]
    run = one(tmp_path, traj(TEXT[0], *demo, *TEXT[1:]))
    assert run.steps == one(tmp_path, traj(*TEXT)).steps
    assert run.labels["demonstrations_left_out"] == 2


def test_the_end_is_taken_from_the_trajectory(tmp_path: Path) -> None:
    whole = [entry("ls -F", "skarvik.py"), entry("submit", "diff --git a b")]
    for history in (TEXT, (*TEXT, wrote("submit"))):
        run = one(tmp_path, traj(*history, trajectory=whole))
        last = run.steps[-1]
        assert [call.function_name for call in last.tool_calls] == ["submit"]
        assert [seen.content for seen in last.observations] == ["diff --git a b"]
        assert len(run.agent_steps) == 2
    calls = one(tmp_path, traj(*CALLS, trajectory=whole))
    assert (calls.steps[-1].tool_calls[0].at, calls.steps[-1].observations[0].role) == (None, "tool")


def test_a_trajectory_of_another_run_adds_nothing(tmp_path: Path) -> None:
    other = [entry("pwd", "/quay"), entry("submit", "diff")]
    assert one(tmp_path, traj(*TEXT, trajectory=other)).steps == one(tmp_path, traj(*TEXT)).steps


def test_how_it_ended_is_no_outcome(tmp_path: Path) -> None:
    run = one(tmp_path, traj(*TEXT, exit_status="submitted", submission="diff", model_stats={}))
    assert (run.success, run.label_source, run.answer_by, run.id) == (None, None, "message", "quay-12")
    assert run.labels == {"exit_status": "submitted", "submission": "diff"}


@pytest.mark.parametrize(("resolved", "success"), [(True, True), (False, False), ("yes", None)])
def test_the_report_beside_the_file_is_the_outcome(tmp_path: Path, resolved: object, success: bool | None) -> None:
    (tmp_path / "quay-12.report.json").write_bytes(orjson.dumps({"resolved": resolved}))
    assert one(tmp_path, traj(*TEXT)).success is success
    assert one(tmp_path, traj(*TEXT), "quay-13.traj").success is None


@pytest.mark.parametrize("wrapped", [True, False])
def test_mini_swe_agent(tmp_path: Path, wrapped: bool) -> None:
    act = {"role": "assistant", "content": "THOUGHT: look\n\n```mswea_bash_command\nls quay\n```"}
    messages = [
        {"role": "system", "content": "Answer in one block."},
        {"role": "user", "content": f"Please solve this issue: {ISSUE}\n\nYou can execute commands."},
        act,
        {"role": "user", "content": "<output>\nboat\n</output>"},
        act | {"content": "no command"},
    ]
    run = one(tmp_path, {"messages": messages, "info": {}} if wrapped else messages, "tide.traj.json")
    assert (run.goal, run.id) == (ISSUE, "tide")
    first, last = run.agent_steps
    assert first.tool_calls[0].values == {"command": "ls quay"}
    assert (len(first.observations), last.tool_calls) == (1, ())


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (3, "record"),
        ({"history": 3}, "history"),
        (traj(), "history"),
        (traj(*TEXT, told("robot", "x")), "history[4].role"),
        (traj(told("tool", "x")), "history[0].role"),
        (traj(told("user", 3)), "history[0].content"),
        (traj(CALLS[0], CALLS[1] | {"tool_calls": [{"id": "a"}]}), "history[1].tool_calls[0].function"),
    ],
)
def test_a_bad_file_is_an_error(tmp_path: Path, content: object, where: str) -> None:
    found = read(tmp_path, content)
    assert isinstance(found, ReadError)
    assert found.where == where


def test_sniffing(tmp_path: Path) -> None:
    path = tmp_path / "1.traj"
    for content, expected in [
        (orjson.dumps(traj(*TEXT, trajectory=[entry("ls", "x")])), True),
        (orjson.dumps({"history": list(TEXT)}), True),
        (b'[{"role": "assistant", "content": "```mswea_bash_command\\nls\\n```"}]', True),
        (b'{"history": [{"role": "user", "content": "x"}]}', False),
        (b'{"trajectory": [{"role": "user", "content": "x"}]}', False),
    ]:
        path.write_bytes(content)
        assert SweAgentReader().sniff(path, read_head(path)) is expected


def test_the_report_is_no_input_of_its_own(tmp_path: Path) -> None:
    report, other = tmp_path / "quay-12.report.json", tmp_path / "quay-13.report.json"
    (tmp_path / "quay-12.traj.gz").touch()
    assert SweAgentReader().companion(report)
    assert not SweAgentReader().companion(other)
    assert not SweAgentReader().companion(tmp_path / "quay-12.traj.gz")
