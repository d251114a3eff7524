from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.discover import pick_reader
from agenther.trajectory import Trajectory

READER = READERS["swe-smith"]
ISSUE = "The tide table starts at day 2."
SYSTEM = "You mend code.\n---- BEGIN FUNCTION #1: bash ----"
LOOK = "I look.\n\n<function=bash>\n<parameter=command>ls -F\nls docs</parameter>\n</function>"
EDIT = "<function=edit_file>\n<parameter=path>tide.py</parameter>\n<parameter=text>\nday = 1\n</parameter>\n</function>"


def say(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


TURNS = [
    say("system", SYSTEM),
    say("user", f"Consider:\n<pr_description>\n{ISSUE}\n</pr_description>\nBegin."),
    say("assistant", LOOK),
    say("user", "OBSERVATION:\ntide.py"),
    say("assistant", EDIT),
    say("user", "Done."),
]


def record(**fields: Any) -> dict[str, Any]:
    return {
        "messages": TURNS,
        "instance_id": "quay__1",
        "resolved": False,
        "model": "tiny-7b",
        "traj_id": "q1",
    } | fields


def read(tmp_path: Path, *records: object) -> list[Trajectory | ReadError]:
    path = tmp_path / "runs.json"
    path.write_bytes(orjson.dumps(records))
    assert pick_reader(path) is READER
    return list(READER.read(path))


def one(tmp_path: Path, **fields: Any) -> Trajectory:
    (run,) = read(tmp_path, record(**fields))
    assert isinstance(run, Trajectory), run
    return run


def test_a_run_with_written_calls(tmp_path: Path):
    run = one(tmp_path, patch="diff")
    assert [step.source for step in run.steps] == ["system", "user", "agent", "agent"]
    look, edit = run.agent_steps
    call = look.tool_calls[0]
    assert (call.function_name, call.values) == ("bash", {"command": "ls -F\nls docs"})
    assert call.at is not None
    assert look.message[slice(*call.at)] == LOOK.removeprefix("I look.\n\n")
    assert [look.message[a:b] for a, b in look.thought_at] == ["I look."]
    assert [(o.role, o.content) for o in look.observations] == [("user", "OBSERVATION:\ntide.py")]
    assert (edit.tool_calls[0].function_name, edit.tool_calls[0].values) == (
        "edit_file",
        {"path": "tide.py", "text": "day = 1"},
    )
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ISSUE]
    assert (run.id, run.task_id, run.agent) == ("q1", "swe-smith/quay__1", "tiny-7b")
    assert (run.success, run.label_source, run.labels) == (False, "swe-smith.resolved", {"patch": "diff"})


def test_messages_may_be_json_text_and_calls_structured(tmp_path: Path):
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": '{"command":"ls"}'}}
    turns = [*TURNS[:2], say("assistant", "I look.", tool_calls=[call]), say("tool", "tide.py", tool_call_ids=["c1"])]
    run = one(tmp_path, messages=orjson.dumps(turns).decode(), resolved=None)
    step = run.agent_steps[0]
    assert (step.tool_calls[0].at, step.observations[0].source_call_id) == (None, "c1")
    assert (run.success, run.label_source) == (None, None)


def test_two_written_calls_in_a_turn_are_none_that_is_clear(tmp_path: Path):
    run = one(tmp_path, messages=[*TURNS[:2], say("assistant", LOOK + EDIT)])
    assert run.agent_steps[0].tool_calls == ()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"messages": "{"}, "[1].messages"),
        ({"messages": [4]}, "[1].messages[0]"),
        ({"messages": TURNS[:2]}, "[1].messages"),
        ({"resolved": "yes"}, "[1].resolved"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, fields: dict[str, Any], where: str):
    good, error = read(tmp_path, record(), record(**fields))
    assert isinstance(good, Trajectory)
    assert isinstance(error, ReadError)
    assert error.where == where


def test_plain_chats_are_not_taken(tmp_path: Path):
    assert not READER.sniff(tmp_path / "x.json", orjson.dumps({"messages": [say("user", "x")], "resolved": True}))


def test_a_chat_that_names_its_trajectory_is_no_repair(tmp_path: Path):
    path = tmp_path / "runs.json"
    turns = [say("user", "When is high tide?"), say("assistant", "At six."), say("user", "And low tide?")]
    path.write_bytes(orjson.dumps([{"traj_id": "q1", "success": False, "messages": turns}]))
    reader = pick_reader(path)
    assert not isinstance(reader, ReadError)
    (run,) = reader.read(path)
    assert isinstance(run, Trajectory)
    assert (reader.format, run.success) == ("openai", False)
    assert [step.source for step in run.steps] == ["user", "agent", "user"]
