import json
from pathlib import Path

import orjson
import pytest

from agenther.environments.calls import Call, gold_of
from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import read_head
from agenther.trajectory import Trajectory

READER = READERS["openai"]
GOAL = "Which bus goes to the lighthouse on Sunday?"
CHAT = [
    {"role": "developer", "content": "You know the timetable."},
    {"role": "user", "content": GOAL},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "find_stop", "arguments": '{"name":"lighthouse"}'}},
            {"id": "b", "type": "function", "function": {"name": "day", "arguments": {"of": "Sunday"}}},
        ],
    },
    {"role": "tool", "content": "7"},
    {"role": "tool", "tool_call_id": "a", "content": "stop 14"},
    {"role": "assistant", "content": "Bus 6 goes there."},
]


def read(tmp_path: Path, value: object, name: str = "runs.json") -> list[Trajectory | ReadError]:
    path = tmp_path / name
    path.write_bytes(value if isinstance(value, bytes) else orjson.dumps(value))
    assert READER.sniff(path, read_head(path)) or not isinstance(value, list | dict)
    return list(READER.read(path))


def one(tmp_path: Path, value: object) -> Trajectory:
    (run,) = read(tmp_path, value)
    assert isinstance(run, Trajectory), run
    return run


def test_a_record_with_all_fields(tmp_path: Path):
    record = {"id": "r7", "task_id": 3, "messages": CHAT, "success": False, "reward": 0.5, "metadata": {"x": 1}}
    record["tools"] = json.dumps([{"name": "find_stop", "description": "Find a stop", "parameters": {}}])
    run = one(tmp_path, record)
    assert (run.id, run.task_id, run.success, run.reward) == ("r7", "3", False, 0.5)
    assert run.label_source == "openai.success"
    assert run.goal == GOAL
    assert [run.text_at(span) for span in run.goal_at] == [GOAL]
    assert run.labels == {"metadata": {"x": 1}}
    assert run.tools[0]["function"] == {"name": "find_stop", "description": "Find a stop", "parameters": {}}
    assert [step.source for step in run.steps] == ["system", "user", "agent", "agent"]


def test_where_a_run_can_be_made_again_and_its_right_calls(tmp_path: Path):
    gold = [{"name": "find_stop", "arguments": {"name": "lighthouse"}}]
    setting = {"kind": "buses", "initial": {"day": 7}}
    run = one(tmp_path, {"messages": CHAT, "environment": setting, "gold_calls": gold})
    assert run.labels == {"environment": setting, "gold_calls": gold}
    assert gold_of(run) == (Call("find_stop", {"name": "lighthouse"}),)
    assert gold_of(one(tmp_path, {"messages": CHAT, "gold_calls": []})) == ()
    assert one(tmp_path, {"messages": CHAT, "environment": "none", "gold_calls": "none"}).labels == {}


def test_answers_without_id_join_the_calls_that_wait_in_order(tmp_path: Path):
    messages = [m if m.get("tool_call_id") is None else {**m, "tool_call_id": None} for m in CHAT]
    step = one(tmp_path, {"messages": messages}).steps[2]
    assert [(o.source_call_id, o.content) for o in step.observations] == [("a", "7"), ("b", "stop 14")]
    assert step.tool_calls[1].values == {"of": "Sunday"}


def test_answers_with_id_keep_it(tmp_path: Path):
    step = one(tmp_path, {"messages": CHAT}).steps[2]
    assert step.observations[1].source_call_id == "a"


@pytest.mark.parametrize("value", [CHAT, [CHAT], {"conversation": CHAT}, [{"trajectory": CHAT}]])
def test_messages_may_lie_bare_or_under_other_names(tmp_path: Path, value: object):
    assert one(tmp_path, value).goal == GOAL


def test_lines_are_read_as_lines_whatever_the_suffix(tmp_path: Path):
    lines = b"\n".join([orjson.dumps({"messages": CHAT, "reward": 1}), b"{oops", orjson.dumps({"messages": "no"})])
    good, broken, wrong = read(tmp_path, lines, "runs.json")
    assert isinstance(good, Trajectory)
    assert good.success is True
    assert isinstance(broken, ReadError)
    assert broken.line == 2
    assert isinstance(wrong, ReadError)
    assert (wrong.line, wrong.where, wrong.expected) == (3, "messages", "list")


@pytest.mark.parametrize("name", ["runs.json", "runs.jsonl"])
def test_a_byte_order_mark_is_no_content(tmp_path: Path, name: str):
    (run,) = read(tmp_path, b"\xef\xbb\xbf" + orjson.dumps({"messages": CHAT}), name)
    assert isinstance(run, Trajectory)


def test_legacy_function_calls(tmp_path: Path):
    messages = [
        {"role": "user", "content": "ferry?"},
        {"role": "assistant", "content": None, "function_call": {"name": "ferries", "arguments": "{}"}},
        {"role": "function", "name": "ferries", "content": "at noon"},
    ]
    step = one(tmp_path, {"messages": messages, "functions": [{"name": "ferries"}]}).steps[1]
    assert step.observations[0].source_call_id == step.tool_calls[0].tool_call_id != ""


def test_parts_that_are_no_text_are_named(tmp_path: Path):
    content = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {}},
        {"type": "text", "text": "it?"},
    ]
    run = one(tmp_path, {"messages": [{"role": "user", "content": content}]})
    assert run.goal == "What is\nit?"
    assert run.labels == {"non_text_parts": ["messages[0].content[1]: image_url"]}


def test_a_goal_is_found_wherever_it_stands(tmp_path: Path):
    messages = [
        {"role": "system", "content": f"Task: {GOAL} Be brief."},
        {"role": "user", "content": "Go."},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "a", "function": {"name": "start"}}]},
        {"role": "tool", "content": f"Instruction: {GOAL}"},
    ]
    run = one(tmp_path, {"messages": messages, "goal": GOAL})
    assert [(span.step, span.field) for span in run.goal_at] == [(1, "message"), (3, "observations[0].content")]


def test_a_short_goal_is_only_the_first_user_turn(tmp_path: Path):
    run = one(tmp_path, [{"role": "system", "content": "tide tables"}, {"role": "user", "content": "tide"}])
    assert [span.step for span in run.goal_at] == [2]


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"role": "oracle", "content": ""}, "messages[0].role"),
        ({"role": "tool", "content": ""}, "messages[0]"),
        ({"role": "user", "content": 4}, "messages[0].content"),
        ({"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}, "messages[0].tool_calls[0].name"),
        ("text", "messages[0]"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, message: object, where: str):
    path = tmp_path / "runs.json"
    path.write_bytes(orjson.dumps({"messages": [message]}))
    (error,) = READER.read(path)
    assert isinstance(error, ReadError)
    assert error.where == where


def test_other_formats_are_not_taken(tmp_path: Path):
    deep = {"samples": [{"more": {"messages": [{"role": "user", "content": "x"}]}}]}
    for value in (deep, {"history": [{"role": "user", "content": "x"}]}, {"messages": [1]}):
        assert not READER.sniff(tmp_path / "x.json", orjson.dumps(value))


def test_calls_of_another_dialect_are_an_error_and_not_lost(tmp_path: Path):
    part = {"type": "tool_use", "id": "t", "name": "find_stop", "input": {}}
    (error,) = read(tmp_path, [{"messages": [*CHAT[:2], {"role": "system", "content": [part]}]}])
    assert isinstance(error, ReadError)
    assert error.where.endswith("content[0]")


def test_a_call_of_the_responses_api(tmp_path: Path):
    output: list[dict[str, object]] = [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Search first."}]},
        {"type": "web_search_call", "id": "w1", "status": "completed", "action": {"query": "bus to Skarvik"}},
        {"type": "function_call", "call_id": "c1", "name": "find_stop", "arguments": '{"near": "quay"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "stop 14"},
        {"type": "custom_tool_call", "call_id": "c2", "name": "note", "input": "14"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "noted"},
        {"type": "mcp_call", "id": "m1", "name": "day", "arguments": "{}", "output": "7"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Bus 6 goes there."}]},
    ]
    tools = [{"type": "function", "name": "find_stop", "parameters": {}}]
    run = one(
        tmp_path,
        {"id": "r1", "instructions": "Be brief.", "input": GOAL, "output": output, "tools": tools, "reward": 0},
    )
    assert [step.source for step in run.steps] == ["system", "user", "agent", "agent", "agent", "agent"]
    calls = [
        (call.tool_call_id, call.function_name, call.values) for step in run.agent_steps for call in step.tool_calls
    ]
    assert calls == [
        ("w1", "web_search", {"action": {"query": "bus to Skarvik"}}),
        ("c1", "find_stop", {"near": "quay"}),
        ("c2", "note", {"input": "14"}),
        ("m1", "day", {}),
    ]
    assert [o.content for step in run.agent_steps for o in step.observations] == ["stop 14", "noted", "7"]
    assert (run.agent_steps[0].reasoning, run.agent_steps[-1].message) == ("Search first.", "Bus 6 goes there.")
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [GOAL]
    assert (run.id, run.success, run.tools[0]["function"]) == ("r1", False, {"name": "find_stop", "parameters": {}})
