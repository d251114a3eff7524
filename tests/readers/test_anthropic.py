from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.discover import pick_reader
from agenther.trajectory import Trajectory

GOAL = "When does the mill in Vesterby open on Sunday?"


def use(call_id: str, kind: str = "tool_use", **values: Any) -> dict[str, Any]:
    return {"type": kind, "id": call_id, "name": "find_hours", "input": values}


def result(call_id: str, content: object, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **fields}


def say(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def agent(*blocks: object) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def user(*blocks: object) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def read(tmp_path: Path, **record: Any) -> Trajectory | ReadError:
    path = tmp_path / "runs.json"
    path.write_bytes(orjson.dumps(record))
    assert pick_reader(path) is READERS["openai"]
    (run,) = READERS["openai"].read(path)
    return run


def one(tmp_path: Path, *messages: object, **record: Any) -> Trajectory:
    run = read(tmp_path, messages=[user(say(GOAL)), *messages], **record)
    assert isinstance(run, Trajectory), run
    return run


def test_a_run_with_calls_results_and_thoughts(tmp_path: Path):
    run = one(
        tmp_path,
        agent({"type": "thinking", "thinking": "Look.", "signature": "x"}, say("I look."), use("a", place="mill")),
        user(result("a", [say("Sunday"), say("10 to 16")])),
        agent(say("At 10.")),
    )
    assert [step.source for step in run.steps] == ["user", "agent", "agent"]
    turn = run.steps[1]
    assert (turn.reasoning, turn.message) == ("Look.", "I look.")
    assert [(c.tool_call_id, c.function_name, c.values) for c in turn.tool_calls] == [
        ("a", "find_hours", {"place": "mill"})
    ]
    assert [(o.source_call_id, o.content) for o in turn.observations] == [("a", "Sunday\n10 to 16")]
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [GOAL]
    assert run.labels == {}


def test_results_come_before_what_the_user_says_beside_them(tmp_path: Path):
    run = one(tmp_path, agent(use("a"), use("b")), user(result("b", "two"), result("a", "one"), say("Go on.")))
    assert [step.source for step in run.steps] == ["user", "agent", "user"]
    assert [(o.source_call_id, o.content) for o in run.steps[1].observations] == [("b", "two"), ("a", "one")]
    assert run.steps[2].message == "Go on."


def test_a_result_marked_as_an_error_is_named(tmp_path: Path):
    run = one(
        tmp_path, agent(use("a"), use("b")), user(result("a", "shut", is_error=True), result("b", "", is_error=False))
    )
    assert run.labels == {"tool_errors": ["a"]}


def test_what_the_provider_fetched_is_an_observation(tmp_path: Path):
    page = {"type": "web_search_result", "title": "Mill", "url": "https://mill.example", "encrypted_content": "Zm9v"}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [page]}
    run = one(tmp_path, agent(say("I search."), use("s", "server_tool_use", query="mill"), found, say("At 10.")))
    assert [step.message for step in run.agent_steps] == ["I search.", "At 10."]
    seen = run.agent_steps[0].observations[0].content
    assert orjson.loads(seen) == {"type": "web_search_result", "title": "Mill", "url": "https://mill.example"}


def test_system_and_tools_beside_the_messages(tmp_path: Path):
    tools = [{"name": "find_hours", "description": "Hours of a place", "input_schema": {"type": "object"}}]
    run = one(tmp_path, agent(use("a")), system=[say("Be brief.")], tools=tools)
    assert [(step.step_id, step.source) for step in run.steps] == [(1, "system"), (2, "user"), (3, "agent")]
    assert [span.step for span in run.goal_at] == [2]
    body = {"name": "find_hours", "description": "Hours of a place", "parameters": {"type": "object"}}
    assert run.tools == ({"type": "function", "function": body},)


def test_parts_that_are_no_text_are_named_by_their_place(tmp_path: Path):
    image = {"type": "image", "source": "mill.png"}
    run = one(tmp_path, agent(use("a")), user(result("a", [image]), image))
    assert run.labels == {
        "non_text_parts": ["messages[2].content[0].content[0]: image", "messages[2].content[1]: image"]
    }
    assert run.steps[1].observations[0].content == ""


def test_a_block_of_no_readable_type_is_named(tmp_path: Path):
    run = one(tmp_path, agent({"type": ["tool_use"]}, use("a")))
    assert run.labels == {"non_text_parts": ["messages[1].content[0]: ['tool_use']"]}


@pytest.mark.parametrize(
    ("message", "where"),
    [
        (agent({"type": "tool_use", "id": "a"}), "messages[1].content[0].name"),
        (agent(use("a"), 4), "messages[1].content[1]"),
        (user(result("a", "x")), "messages[1]"),
        (user(say("x"), result("a", 4)), "messages[1].content[1].content"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, message: object, where: str):
    error = read(tmp_path, messages=[user(say(GOAL)), message])
    assert isinstance(error, ReadError)
    assert error.where == where
