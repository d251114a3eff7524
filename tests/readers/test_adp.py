from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import read_head
from agenther.trajectory import Trajectory

READER = READERS["adp"]
ASKED = "Mend the tide table of the harbour."
FINISH = {"class_": "message_action", "content": "<finish> It is done. </finish>", "description": ""}
SUBMIT = {"class_": "api_action", "function": "submit", "kwargs": {}, "description": None}


def seen(text: str, source: str = "environment") -> dict[str, Any]:
    return {"class_": "text_observation", "content": text, "name": None, "source": source}


def code(text: str, language: str = "bash") -> dict[str, Any]:
    return {"class_": "code_action", "language": language, "content": text, "description": "Let us look."}


def record(*items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "tide-1", "content": [seen(ASKED, "user"), *items], "details": {}} | fields


def read(tmp_path: Path, *records: object) -> list[Trajectory | ReadError]:
    path = tmp_path / "std.json"
    path.write_bytes(orjson.dumps(records))
    assert READER.sniff(path, read_head(path))
    return list(READER.read(path))


def one(tmp_path: Path, *items: dict[str, Any], **fields: Any) -> Trajectory:
    (run,) = read(tmp_path, record(*items, **fields))
    assert isinstance(run, Trajectory)
    return run


def test_a_run(tmp_path: Path):
    edit = {"class_": "api_action", "function": "edit", "kwargs": {"path": "a.csv"}, "description": None}
    run = one(tmp_path, code("ls"), seen("a.csv"), edit, seen("Edited.", "user"), FINISH)
    assert [step.source for step in run.steps] == ["user", "agent", "agent", "agent"]
    look, change = run.steps[1:3]
    assert (look.message, look.tool_calls[0].function_name, look.tool_calls[0].values) == (
        "Let us look.",
        "bash",
        {"command": "ls"},
    )
    assert (look.observations[0].content, look.observations[0].source_call_id) == ("a.csv", "call_2")
    assert (change.tool_calls[0].values, change.observations[0].content) == ({"path": "a.csv"}, "Edited.")
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ASKED]
    assert (run.id, run.success, run.label_source) == ("tide-1", None, None)


def test_the_closing_praise_is_the_label_and_no_text(tmp_path: Path):
    run = one(tmp_path, SUBMIT, seen("Your solution has been verified as correct. ", "user"), FINISH)
    assert (run.success, run.label_source) == (True, "adp.verdict")
    assert run.labels["verdicts"] == ["Your solution has been verified as correct. "]
    assert all("verified" not in text for step in run.steps for _, text in step.fields())
    assert [len(step.observations) for step in run.agent_steps] == [0, 0]


@pytest.mark.parametrize(
    "items",
    [
        (SUBMIT, seen("Your solution is not correct, the task failed.", "user"), FINISH),
        (SUBMIT, seen("Your command ran successfully.", "user"), FINISH),
        (SUBMIT, seen("Task completed successfully."), FINISH),
        (SUBMIT, seen("Well done on completing the task!", "user"), SUBMIT),
        (FINISH,),
    ],
)
def test_nothing_else_is_a_verdict(tmp_path: Path, items: tuple[dict[str, Any], ...]):
    run = one(tmp_path, *items)
    assert (run.success, "verdicts" in run.labels) == (None, False)


def test_a_user_who_answers_a_message_is_a_user(tmp_path: Path):
    asks = {"class_": "message_action", "content": "Which harbour?", "description": None}
    run = one(tmp_path, asks, seen("Skarvik.", "user"), code("print(1)", "python"), seen("1"))
    assert [step.source for step in run.steps] == ["user", "agent", "user", "agent"]
    assert run.steps[3].tool_calls[0].values == {"code": "print(1)"}


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (record(content=[]), "[0].content"),
        (record({"class_": "dance"}), "[0].content[1].class_"),
        (record({"class_": "api_action"}), "[0].content[1].function"),
        (record("text"), "[0].content[1]"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_a_wrong_record_spoils_no_neighbour(tmp_path: Path, wrong: dict[str, Any], where: str):
    error, good = read(tmp_path, wrong, record(FINISH))
    assert isinstance(error, ReadError)
    assert error.where == where
    assert isinstance(good, Trajectory)


def test_an_issue_that_the_prompt_marks_is_the_goal(tmp_path: Path):
    prompt = f"Consider this.\n<pr_description>\n{ASKED}\n</pr_description>\nNow begin."
    (run,) = read(tmp_path, {"id": "tide-2", "content": [seen(prompt, "user"), code("ls"), seen("a.csv")]})
    assert isinstance(run, Trajectory)
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ASKED]
