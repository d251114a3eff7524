import io
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.discover import pick_reader
from agenther.trajectory import Trajectory

READER = READERS["inspect"]
ASKED = "Find the file that names the ferry to Skarvik."
HEADER = {"version": 2, "status": "success", "eval": {"task": "ferries", "model": "tiny/7b"}, "plan": {}}
CALL = {"id": "c1", "function": "bash", "arguments": {"cmd": "ls"}, "type": "function"}
TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": ASKED, "source": "input"},
    {"role": "assistant", "content": "I look.", "tool_calls": [CALL], "source": "generate"},
    {"role": "tool", "content": "ferry.txt", "tool_call_id": "c1", "function": "bash"},
    {
        "role": "assistant",
        "content": [{"type": "reasoning", "reasoning": "Found."}, {"type": "text", "text": "It is ferry.txt"}],
    },
]


def scored(**values: object) -> dict[str, Any]:
    return {name: {"value": value, "answer": "x"} for name, value in values.items()}


def sample(**fields: Any) -> dict[str, Any]:
    return {
        "id": "s/1",
        "epoch": 1,
        "input": ASKED,
        "target": "ferry.txt",
        "messages": TURNS,
        "attachments": {},
    } | fields


def read(path: Path) -> list[Trajectory | ReadError]:
    assert pick_reader(path) is READER
    return list(READER.read(path))


def one(tmp_path: Path, **fields: Any) -> Trajectory:
    path = tmp_path / "log.json"
    path.write_bytes(orjson.dumps({**HEADER, "samples": [sample(**fields)]}))
    (run,) = read(path)
    assert isinstance(run, Trajectory), run
    return run


def archive(tmp_path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def change(path: Path, name: str, offset: int, form: str, value: int) -> None:
    """Write a number into what the archive's list says of a member."""
    raw = bytearray(path.read_bytes())
    at = raw.rindex(name.encode()) - 46
    struct.pack_into(form, raw, at + offset, value)
    path.write_bytes(raw)


def members(**more: bytes) -> dict[str, bytes]:
    two = {f"samples/{n}_epoch_1.json": orjson.dumps(sample(id=n, scores=scored(match="I"))) for n in (1, 2)}
    return {"_journal/start.json": b"{}", **two, **more, "header.json": orjson.dumps(HEADER)}


def test_a_sample(tmp_path: Path):
    run = one(tmp_path, scores=scored(match="I"), metadata={"level": 2})
    assert [step.source for step in run.steps] == ["system", "user", "agent", "agent"]
    turn = run.steps[2]
    assert (turn.tool_calls[0].function_name, turn.tool_calls[0].values) == ("bash", {"cmd": "ls"})
    assert [(o.source_call_id, o.name, o.content) for o in turn.observations] == [("c1", "bash", "ferry.txt")]
    assert (run.steps[3].reasoning, run.steps[3].message) == ("Found.", "It is ferry.txt")
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ASKED]
    assert (run.id, run.agent) == ("log/s/1_epoch_1", "tiny/7b")
    assert (run.success, run.reward, run.label_source) == (False, 0.0, "inspect.scores")
    assert run.labels == {"target": "ferry.txt", "metadata": {"level": 2}, "scores": {"match": "I"}}


def test_epochs_of_one_sample_are_one_task_and_other_questions_are_another(tmp_path: Path):
    first, again = one(tmp_path), one(tmp_path, epoch=2)
    assert first.task_id == again.task_id != one(tmp_path, input="Find the file that names the bus.").task_id
    assert (again.id, again.labels["epoch"]) == ("log/s/1_epoch_2", 2)


@pytest.mark.parametrize(
    ("scores", "success", "reward"),
    [
        (scored(a="C"), True, 1.0),
        (scored(a=1), True, 1.0),
        (scored(a=True, b="C"), True, None),
        (scored(a="N"), False, 0.0),
        (scored(a=0.0, b={"x": False, "y": "I"}), False, None),
        (scored(a="C", b="I"), None, None),
        (scored(a="P"), None, 0.5),
        (scored(a=0.7), None, 0.7),
        (scored(a=7), None, None),
        (scored(a="well done"), None, None),
        (scored(a="C", b=7), None, None),
        (scored(a="C", b=None), True, 1.0),
        (scored(a=[]), None, None),
        ({}, None, None),
    ],
)
def test_success_is_what_all_scorers_say(tmp_path: Path, scores: object, success: bool | None, reward: float | None):
    run = one(tmp_path, scores=scores)
    assert (run.success, run.reward, run.label_source is None) == (success, reward, success is None)


def test_nan_is_no_score(tmp_path: Path):
    path = tmp_path / "log.json"
    raw = orjson.dumps({**HEADER, "samples": [sample(scores=scored(a="C", b="?"))]})
    path.write_bytes(raw.replace(b'"?"', b"NaN"))
    (run,) = read(path)
    assert isinstance(run, Trajectory)
    assert run.success is True


def test_attachments_stand_where_they_belong(tmp_path: Path):
    turns = [*TURNS[:3], {**TURNS[3], "content": "attachment://ab12"}]
    event = {
        "event": "model",
        "tools": [{"name": "bash", "description": "attachment://cd34", "parameters": {}, "options": None}],
    }
    attached = {"ab12": "ferry.txt in full", "cd34": "Runs a command."}
    run = one(tmp_path, messages=turns, attachments=attached, events=[{"event": "state"}, event])
    assert run.steps[2].observations[0].content == "ferry.txt in full"
    body = {"name": "bash", "description": "Runs a command.", "parameters": {}}
    assert run.tools == ({"type": "function", "function": body},)


def test_a_failed_tool_shows_its_error(tmp_path: Path):
    error = {"type": "timeout", "message": "Command timed out."}
    run = one(tmp_path, messages=[*TURNS[:3], {**TURNS[3], "content": "", "error": error}])
    assert run.steps[2].observations[0].content == "Error: Command timed out."
    assert run.labels["tool_errors"] == ["c1"]


def test_what_the_provider_did_is_a_call_with_its_result(tmp_path: Path):
    parts = [
        {"type": "tool_use", "id": "w", "name": "web_search", "arguments": '{"q":"ferry"}', "result": "ferry.txt"},
        {"type": "text", "text": "It is ferry.txt"},
    ]
    run = one(tmp_path, messages=[*TURNS[:2], {"role": "assistant", "content": parts, "tool_calls": [CALL]}])
    search, last = run.agent_steps
    assert [(c.function_name, c.values) for c in search.tool_calls] == [("web_search", {"q": "ferry"})]
    assert search.observations[0].content == "ferry.txt"
    assert (last.message, [c.tool_call_id for c in last.tool_calls]) == ("It is ferry.txt", ["c1"])


def test_what_the_harness_says_of_a_submission_is_a_label(tmp_path: Path):
    said = "\nYour submission was incorrect. Please proceed and attempt to find the correct answer.\n"
    also = "Your submission was incorrect. You have 2 tries left."
    turns = [*TURNS, {"role": "user", "content": said}, TURNS[2], TURNS[3], {"role": "user", "content": also}]
    run = one(tmp_path, messages=turns)
    assert [step.message for step in run.user_steps] == [ASKED, "You have 2 tries left."]
    assert run.labels["verdicts"] == [said.strip(), "Your submission was incorrect."]


def test_a_verdict_among_content_parts_is_no_turn(tmp_path: Path):
    said = [{"type": "text", "text": "Your submission was incorrect."}]
    turns = [
        {"role": "user", "content": "Name the oldest pier", "source": "input"},
        {"role": "assistant", "content": "A"},
    ]
    run = one(tmp_path, messages=[*turns, {"role": "user", "content": said}, {"role": "assistant", "content": "B"}])
    assert [step.message for step in run.steps] == ["Name the oldest pier", "A", "B"]
    assert run.labels["verdicts"] == ["Your submission was incorrect."]


def test_what_stopped_a_run_is_recorded(tmp_path: Path):
    run = one(tmp_path, limit={"type": "message", "limit": 30}, error={"message": "Connection error.", "traceback": ""})
    assert (run.labels["terminate_reason"], run.labels["harness_error"]) == ("message limit", "Connection error.")
    assert run.labels["truncated"] is True
    output = {"choices": [{"stop_reason": "model_length"}]}
    labels = one(tmp_path, output=output).labels
    assert (labels["stop_reason"], labels["terminate_reason"]) == ("model_length", "context_length_exceeded")
    assert "stop_reason" not in one(tmp_path, output={"choices": [{"stop_reason": "stop"}]}).labels


@pytest.mark.parametrize(
    ("given", "choices", "n_places"),
    [
        ([{"role": "user", "content": ASKED}], None, 1),
        ([{"role": "user", "content": [{"type": "text", "text": ASKED}]}], None, 1),
        ([{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Yes?"}, TURNS[1]], None, 0),
        (ASKED, ["ferry.txt", "bus.txt"], 0),
    ],
)
def test_only_a_request_that_stands_alone_has_a_place(tmp_path: Path, given: object, choices: object, n_places: int):
    run = one(tmp_path, input=given, choices=choices)
    assert (run.goal, len(run.goal_at)) == (ASKED, n_places)


def test_a_sample_that_never_began_holds_what_was_asked(tmp_path: Path):
    run = one(tmp_path, messages=[], error={"message": "The sandbox did not start."})
    assert [(step.source, step.message) for step in run.steps] == [("user", ASKED)]


def test_an_archive_is_read_sample_by_sample(tmp_path: Path):
    path = archive(tmp_path, members(**{"samples/3_epoch_2.json": b"{oops", "summaries.json": b"[]"}))
    first, second, broken = read(path)
    assert isinstance(first, Trajectory)
    assert isinstance(second, Trajectory)
    assert (first.id, second.id, second.success) == ("log/1_epoch_1", "log/2_epoch_1", False)
    assert isinstance(broken, ReadError)
    assert broken.where == "samples/3_epoch_2.json"


def test_a_member_packed_with_zstandard_is_read(tmp_path: Path):
    given = members()
    name = "samples/1_epoch_1.json"
    plain = given[name]
    given[name] = zstandard.ZstdCompressor().compress(plain)
    path = archive(tmp_path, given, zipfile.ZIP_STORED)
    for offset, form, value in ((10, "<H", 93), (16, "<I", zlib.crc32(plain)), (24, "<I", len(plain))):
        change(path, name, offset, form, value)
    with pytest.raises(NotImplementedError), zipfile.ZipFile(path) as file:
        file.read(name)
    assert [type(item) for item in read(path)] == [Trajectory, Trajectory]
    change(path, name, 24, "<I", len(plain) - 1)
    damaged, whole = read(path)
    assert isinstance(damaged, ReadError)
    assert isinstance(whole, Trajectory)


@pytest.mark.parametrize(
    ("offset", "form", "value", "found"),
    [
        (8, "<H", 1, "encrypted"),
        (10, "<H", 99, "not supported"),
        (24, "<I", 0xFFFFFFF0, "4095 MiB"),
        (24, "<I", 5, "Bad CRC"),
        (16, "<I", 7, "Bad CRC"),
    ],
)
def test_a_bad_member_stops_no_other(tmp_path: Path, offset: int, form: str, value: int, found: str):
    path = archive(tmp_path, members())
    change(path, "samples/1_epoch_1.json", offset, form, value)
    bad, good = read(path)
    assert isinstance(bad, ReadError)
    assert bad.where == "samples/1_epoch_1.json"
    assert found in bad.found
    assert isinstance(good, Trajectory)


@pytest.mark.parametrize("end", [40, 200, -30])
def test_a_cut_archive_is_an_error(tmp_path: Path, end: int):
    path = archive(tmp_path, members())
    path.write_bytes(path.read_bytes()[:end])
    (error,) = list(READER.read(path))
    assert isinstance(error, ReadError)


def test_an_archive_without_header_and_with_a_sample_in_chunks(tmp_path: Path):
    given = members(**{"samples/9_epoch_1/sample.json": b"{}"})
    del given["header.json"]
    given["_journal/start.json"] = orjson.dumps({"version": 2, "eval": HEADER["eval"]})
    first, _, chunked = read(archive(tmp_path, given))
    assert isinstance(first, Trajectory)
    assert str(first.task_id).startswith("inspect/ferries/1/")
    assert first.labels["eval_status"] == ""
    assert isinstance(chunked, ReadError)


@pytest.mark.parametrize(
    ("log", "where"),
    [
        ({**HEADER}, "samples"),
        ({**HEADER, "samples": [4]}, "samples[0]"),
        ({**HEADER, "samples": [sample(messages=[{"role": "tool", "content": "x"}])]}, "samples[0].messages[0]"),
        ({**HEADER, "samples": [sample(input=None)]}, "samples[0].input"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, log: object, where: str):
    path = tmp_path / "log.json"
    path.write_bytes(orjson.dumps(log))
    (error,) = read(path)
    assert isinstance(error, ReadError)
    assert error.where == where


def test_other_archives_are_not_taken(tmp_path: Path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        file.writestr("runs.jsonl", "{}")
    assert not READER.sniff(tmp_path / "runs.zip", held.getvalue())
