from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.discover import pick_reader
from agenther.trajectory import Trajectory

READER = READERS["claude-code"]
ASKED = "Rename the harbour module to port, tests too"


def line(kind: str, content: object, uuid: str = "", parent: str | None = None, **fields: Any) -> dict[str, Any]:
    role: dict[str, Any] = {"role": kind, "content": content}
    if kind == "assistant":
        role |= {"model": "tiny-7b"}
    message = role | fields.pop("message", {})
    return {"type": kind, "sessionId": "s1", "uuid": uuid, "parentUuid": parent, "message": message, **fields}


def use(call_id: str, command: str = "ls") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "Bash", "input": {"command": command}}


def result(call_id: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": text, **fields}


def say(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def read(tmp_path: Path, *lines: object, name: str = "s1.jsonl") -> list[Trajectory | ReadError]:
    path = tmp_path / name
    path.write_bytes(b"\n".join(one if isinstance(one, bytes) else orjson.dumps(one) for one in lines))
    assert pick_reader(path) is READER
    return list(READER.read(path))


def one(tmp_path: Path, *lines: object) -> Trajectory:
    (run,) = read(tmp_path, *lines)
    assert isinstance(run, Trajectory), run
    return run


def test_a_session_is_one_run_with_later_requests_as_user_turns(tmp_path: Path):
    run = one(
        tmp_path,
        {"type": "summary", "summary": "Rename", "leafUuid": "x"},
        line("user", ASKED, "u1"),
        line("assistant", [{"type": "thinking", "thinking": "Look."}], "a1", "u1", message={"id": "m1"}),
        line("assistant", [use("c1")], "a2", "a1", message={"id": "m1"}),
        line("user", [result("c1", "harbour.py", is_error=False)], "u2", "a2"),
        {"type": "progress", "sessionId": "s1", "uuid": "p1", "parentUuid": "u2"},
        line("assistant", [say("Done.")], "a3", "p1", message={"id": "m2"}),
        line("user", [say("Now commit.")], "u3", "a3"),
        line("assistant", [say("Committed.")], "a4", "u3", message={"id": "m3"}),
    )
    assert [step.source for step in run.steps] == ["user", "agent", "agent", "user", "agent"]
    turn = run.steps[1]
    assert (turn.reasoning, turn.tool_calls[0].values) == ("Look.", {"command": "ls"})
    assert [(o.source_call_id, o.content) for o in turn.observations] == [("c1", "harbour.py")]
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ASKED]
    assert (run.id, run.agent, run.success) == ("s1", "tiny-7b", None)
    assert run.labels == {"other_lines": {"summary": 1, "progress": 1}}


def test_parallel_calls_of_one_answer_stay_one_turn(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", ASKED, "u1"),
        line("assistant", [use("c1")], "a1", "u1", message={"id": "m1"}),
        line("user", [result("c1", "one")], "u2", "a1"),
        line("assistant", [use("c2", "pwd")], "a2", "a1", message={"id": "m1"}),
        line("user", [result("c2", "two", is_error=True)], "u3", "a2"),
        line("assistant", [say("Done.")], "a3", "u3", message={"id": "m2"}),
    )
    turn = run.steps[1]
    assert [call.tool_call_id for call in turn.tool_calls] == ["c1", "c2"]
    assert [(o.source_call_id, o.content) for o in turn.observations] == [("c1", "one"), ("c2", "two")]
    assert (len(run.steps), run.labels) == (3, {"tool_errors": ["c2"]})


def test_what_only_the_program_said_is_no_goal_and_left_out(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", "Caveat: The messages below were made by the user", "u0", isMeta=True),
        line("user", "<command-name>/model</command-name>", "u1", "u0"),
        line("user", "<local-command-stdout>tiny</local-command-stdout>", "u2", "u1"),
        line("user", [say("<system-reminder>Be kind.</system-reminder>"), say(ASKED)], "u3", "u2"),
        line("assistant", [say("Done.")], "a1", "u3"),
    )
    assert [step.message for step in run.steps] == [ASKED, "Done."]
    assert (run.goal, run.labels) == (ASKED, {"noise_lines": 3})


def test_the_goal_of_a_command_is_what_it_stands_for(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", "<command-message>rename</command-message>\n<command-args>port</command-args>", "u1"),
        line("user", [say("Rename the module given: port")], "u2", "u1", isMeta=True),
        line("assistant", [say("Done.")], "a1", "u2"),
        line("user", "Thanks, now the docs.", "u3", "a1"),
    )
    assert run.goal == "Rename the module given: port"
    assert [span.step for span in run.goal_at] == [1]


def test_a_prompt_that_was_taken_back_goes_with_all_that_followed(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", ASKED, "u1"),
        line("assistant", [say("Which one?")], "a1", "u1"),
        line("user", "The old one.", "u2", "a1"),
        {"type": "attachment", "sessionId": "s1", "uuid": "t1", "parentUuid": "u2"},
        line("assistant", [use("c1")], "a2", "t1"),
        line("user", [result("c1", "gone")], "u3", "a2"),
        {"type": "system", "sessionId": "s1", "uuid": "y1", "parentUuid": "a1"},
        line("user", "The new one.", "u4", "y1"),
        line("assistant", [say("Done.")], "a3", "u4"),
    )
    assert [step.message for step in run.steps] == [ASKED, "Which one?", "The new one.", "Done."]
    assert run.labels["rewound_lines"] == 3


def test_a_side_chain_is_a_run_of_its_own(tmp_path: Path):
    side = {"isSidechain": True}
    main, first, second = read(
        tmp_path,
        line("user", ASKED, "u1"),
        line("assistant", [use("c1")], "a1", "u1"),
        line("user", "Find all uses of harbour in tests", "x1", None, **side),
        line("assistant", [say("Three files.")], "x2", "x1", **side),
        line("user", "Find all uses of harbour in docs", "y1", None, agentId="b7", **side),
        line("assistant", [say("No file.")], "y2", "y1", agentId="b7", **side),
        line("user", [result("c1", "Three files.")], "u2", "a1"),
    )
    runs = [run for run in (main, first, second) if isinstance(run, Trajectory)]
    assert [(run.id, run.goal[:17], len(run.steps)) for run in runs] == [
        ("s1", "Rename the harbou", 2),
        ("s1/x1", "Find all uses of ", 2),
        ("s1/b7", "Find all uses of ", 2),
    ]


def test_an_error_of_the_provider_is_no_word_of_the_agent(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", ASKED, "u1"),
        line("assistant", [say("I start.")], "a1", "u1"),
        line(
            "assistant",
            [say("API Error: overloaded_error")],
            "a2",
            "a1",
            isApiErrorMessage=True,
            message={"model": "<synthetic>"},
        ),
    )
    assert [step.message for step in run.agent_steps] == ["I start."]
    assert run.labels == {"noise_lines": 1, "harness_error": "API Error: overloaded_error"}


def test_a_session_that_was_summed_up_has_a_goal_without_place(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", "This session is being continued from a previous conversation.", "u0", isCompactSummary=True),
        line("user", ASKED, "u1", "u0"),
        line("assistant", [say("Done.")], "a1", "u1"),
    )
    assert (run.goal, run.goal_at, run.labels["compactions"]) == (ASKED, (), 1)


def test_a_session_that_the_user_broke_off(tmp_path: Path):
    stop = line("user", [say("[Request interrupted by user for tool use]")], "u2", "u1")
    run = one(tmp_path, line("user", ASKED, "u1"), line("assistant", [use("c1")], "a1", "u1"), stop)
    assert run.labels == {"interrupted": True}


def test_nothing_asked_and_nothing_answered_is_no_run(tmp_path: Path):
    assert read(tmp_path, {"type": "summary", "summary": "Rename", "leafUuid": "x"}) == []
    assert read(tmp_path, line("user", "<command-name>/exit</command-name>", "u1")) == []


def test_an_export_and_stream_json_are_read_too(tmp_path: Path):
    turns = [line("user", ASKED), line("assistant", [say("Done.")])]
    (export,) = read(tmp_path, {"loglines": turns}, name="export.json")
    streamed = [{"type": e["type"], "message": e["message"], "session_id": "s9"} for e in turns[1:]]
    ended = {"type": "result", "subtype": "error_max_turns", "session_id": "s9"}
    (stream,) = read(tmp_path, *streamed, ended, name="out.jsonl")
    assert isinstance(export, Trajectory)
    assert isinstance(stream, Trajectory)
    assert (export.goal, len(export.steps)) == (ASKED, 2)
    assert (stream.id, stream.goal, stream.goal_at) == ("s9", "", ())
    told = {"terminate_reason": "error_max_turns", "truncated": True}
    assert stream.labels == {"other_lines": {"result": 1}, **told}


def test_sessions_in_one_file_are_runs_of_their_own(tmp_path: Path):
    other = line("user", "Rename the pier module to quay", "v1") | {"sessionId": "s2"}
    runs = read(tmp_path, line("user", ASKED, "u1"), line("assistant", [say("Done.")], "a1", "u1"), other)
    assert [run.id for run in runs if isinstance(run, Trajectory)] == ["s1", "s2"]


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (b"{oops", "column 2"),
        ({"type": "user", "sessionId": "s1"}, "message"),
        ([1], "record"),
    ],
)
def test_a_line_that_cannot_be_read_stops_no_other(tmp_path: Path, wrong: object, where: str):
    error, run = read(tmp_path, line("user", ASKED, "u1"), wrong, line("assistant", [say("Done.")], "a1", "u1"))
    assert isinstance(error, ReadError)
    assert (error.line, error.where) == (2, where)
    assert isinstance(run, Trajectory)
    assert len(run.steps) == 2


def test_a_session_of_nothing_but_bad_lines_is_an_error_and_no_run(tmp_path: Path):
    path = tmp_path / "s1.jsonl"
    path.write_bytes(orjson.dumps({"type": "user", "sessionId": "s1"}))
    (error,) = READER.read(path)
    assert isinstance(error, ReadError)


def test_other_formats_are_not_taken(tmp_path: Path):
    chat = {"messages": [{"role": "user", "content": "x"}], "id": "a", "type": "assistant"}
    assert not READER.sniff(tmp_path / "x.json", orjson.dumps(chat))


def test_a_first_prompt_that_was_written_anew(tmp_path: Path):
    run = one(
        tmp_path,
        line("user", "Rename the quay module to port", "u1"),
        line("assistant", [say("Done.")], "a1", "u1", message={"id": "m1"}),
        line("user", ASKED, "u2"),
        line("assistant", [say("Renamed.")], "a2", "u2", message={"id": "m2"}),
    )
    assert (run.goal, run.labels["rewound_lines"]) == (ASKED, 2)
    assert [step.message for step in run.steps] == [ASKED, "Renamed."]


def test_a_provider_that_broke_is_not_the_agents_failure(tmp_path: Path):
    ended = {"type": "result", "subtype": "success", "is_error": True, "sessionId": "s1", "result": "API Error: 529"}
    run = one(tmp_path, line("user", ASKED, "u1"), line("assistant", [use("c1")], "a1", "u1"), ended)
    assert run.labels["harness_error"] == "API Error: 529"
