import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from agenther.errors import ConfigError, ReadError, UserError
from agenther.jobs.inputs import map_reader
from agenther.jobs.job import Job, execute
from agenther.readers.mapped import MapReader
from agenther.readers.mapping import MessagesMap, RunMap, StepsMap, SuccessMap, load_map
from agenther.testing.strategies import file_contents
from agenther.trajectory import Trajectory

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "map"
TEMPLATE = ROOT / "src" / "agenther" / "readers" / "map_template.toml"
STEPS: dict[str, Any] = {
    "goal": "ask",
    "steps": {"path": "trace", "call_name": "do.what", "call_arguments": "do.how", "observation": "seen"},
}
RUN: dict[str, Any] = {
    "ask": "Water the ferns in the hall",
    "trace": [{"do": {"what": "water", "how": {"plant": "fern"}}, "seen": {"wet": True}}],
}


def read(
    tmp_path: Path, run_map: dict[str, Any], *records: Any, name: str = "runs.jsonl"
) -> list[Trajectory | ReadError]:
    path = tmp_path / name
    path.write_text("\n".join(json.dumps(record) for record in records))
    return list(MapReader(RunMap.model_validate(run_map)).read(path))


def one(tmp_path: Path, run_map: dict[str, Any], record: Any) -> Trajectory:
    (run,) = read(tmp_path, run_map, record)
    assert isinstance(run, Trajectory), run
    return run


def example(name: str, file: str) -> tuple[MapReader, list[Trajectory]]:
    reader = MapReader(load_map(EXAMPLES / name))
    runs = list(reader.read(EXAMPLES / file))
    assert all(isinstance(run, Trajectory) for run in runs)
    return reader, [run for run in runs if isinstance(run, Trajectory)]


def test_the_example_with_steps_is_read_whole():
    reader, (failed, succeeded) = example("steps.toml", "library.json")
    assert reader.unmatched() == []
    assert (failed.id, failed.task_id, failed.agent) == ("desk-1", "desk/longest-loan", "pocket-model")
    assert (failed.success, failed.reward, failed.label_source) == (False, 0, "map.success: points")
    assert succeeded.success is True
    assert failed.labels == {"exit_status": "gave_up"}
    assert failed.text_at(failed.goal_at[0]) == failed.goal
    step = failed.steps[1]
    assert step.reasoning == "First the tables."
    assert step.tool_calls[0].values == {"query": "SHOW TABLES"}
    assert step.observations[0].source_call_id == step.tool_calls[0].tool_call_id
    assert failed.steps[-1].message.startswith("There are 23 members")


def test_the_example_with_steps_gives_a_label(tmp_path: Path):
    job = Job((str(EXAMPLES / "library.json"),), tmp_path / "out", map_file=EXAMPLES / "steps.toml")
    assert execute(job).counts["accepted"] == 1
    inputs = json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]
    assert [mark.get("role") for mark in inputs] == [None, "map"]


def test_the_example_with_a_chat_is_read_whole():
    reader, (unfulfilled, abandoned) = example("chat.toml", "lamps.jsonl")
    assert reader.unmatched() == []
    assert (unfulfilled.success, abandoned.success) == (False, None)
    assert [step.source for step in unfulfilled.steps] == ["user", "agent", "agent"]
    assert unfulfilled.steps[1].tool_calls[0].function_name == "read_meter"
    assert unfulfilled.steps[1].observations[0].content == '{"watts":340}'
    assert [tool["function"]["name"] for tool in unfulfilled.tools] == ["read_meter", "set_lamp"]  # type: ignore[index]


def test_a_chat_in_parts_of_the_other_dialect_is_understood(tmp_path: Path):
    said = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "sky"}},
    ]
    seen = [{"type": "tool_result", "tool_use_id": "t1", "content": "blue"}]
    turns = [("asker", "What colour is the sky?"), ("helper", said), ("asker", seen), ("helper", "Blue.")]
    record = {"log": [{"by": who, "what": what} for who, what in turns]}
    chat = {"path": "log", "role": "by", "content": "what", "roles": {"asker": "user", "helper": "assistant"}}
    run = one(tmp_path, {"messages": chat, "goal": "log[0].what"}, record)
    assert [step.source for step in run.steps] == ["user", "agent", "agent"]
    assert run.steps[1].tool_calls[0].values == {"at": "sky"}
    assert run.steps[1].observations[0].content == "blue"


def test_every_key_is_explained_in_the_template_which_can_be_used():
    text = TEMPLATE.read_text()
    for kind in (RunMap, SuccessMap, MessagesMap, StepsMap):
        for key in kind.model_fields:
            assert f"# {key} = " in text or f"# [{key}]" in text, key
    lines = [line.removeprefix("# ") for line in text.splitlines() if re.match(r"# (\[|\w+ = )", line)]
    assert set(tomllib.loads("\n".join(lines))) == set(RunMap.model_fields)


@pytest.mark.parametrize(
    ("success", "value", "expected"),
    [
        ("won", True, True),
        ("won", None, None),
        ({"path": "won", "inverted": True}, True, False),
        ({"path": "won", "inverted": True}, None, None),
        ({"path": "won", "equals": "yes"}, "yes", True),
        ({"path": "won", "equals": ["yes", 1]}, "perhaps", False),
        ({"path": "won", "equals": [1]}, True, False),
        ({"path": "won", "equals": ["yes"], "fails": ["no"]}, "perhaps", None),
        ({"path": "won", "fails": ["no"]}, "no", False),
        ({"path": "won", "at_least": 1}, 0.99, False),
        ({"path": "won", "at_least": 1}, 1, True),
        ({"path": "won", "at_most": 3, "inverted": True}, 4, True),
    ],
)
def test_success_is_what_the_map_says(tmp_path: Path, success: Any, value: Any, expected: bool | None):
    run = one(tmp_path, {**STEPS, "success": success}, {**RUN, "won": value})
    assert run.success is expected
    assert (run.label_source is None) == (expected is None)


def test_a_record_without_the_field_of_success_is_unlabelled(tmp_path: Path):
    for condition in ({"equals": ["yes"]}, {"at_least": 1}, {"inverted": True}, {"fails": ["no"]}):
        assert one(tmp_path, {**STEPS, "success": {"path": "won", **condition}}, RUN).success is None


def test_reward_alone_says_nothing_of_success(tmp_path: Path):
    run = one(tmp_path, {**STEPS, "reward": "score"}, {**RUN, "score": 70})
    assert (run.reward, run.success, run.label_source) == (70, None, None)


def test_results_that_are_no_text_are_kept_as_json(tmp_path: Path):
    run = one(tmp_path, STEPS, RUN)
    assert run.steps[1].observations[0].content == '{"wet":true}'
    assert run.steps[1].tool_calls[0].arguments == '{"plant":"fern"}'


def test_an_action_may_be_one_text(tmp_path: Path):
    react = {"goal": "ask", "steps": {"path": "trace", "action": "do"}}
    record = {"ask": "Find the tide", "trace": [{"do": "Search[tide [low] today]"}]}
    call = one(tmp_path, react, record).steps[1].tool_calls[0]
    assert (call.function_name, call.values) == ("Search", {"input": "tide [low] today"})
    bash = {"goal": "ask", "steps": {"path": "trace", "action": "do", "tool": "bash", "argument": "command"}}
    call = one(tmp_path, bash, {"ask": "List", "trace": [{"do": "ls -la"}]}).steps[1].tool_calls[0]
    assert (call.function_name, call.values) == ("bash", {"command": "ls -la"})
    (error,) = read(tmp_path, react, {"ask": "List", "trace": [{"do": "ls -la"}]})
    assert "`Name[text]`" in str(error)


def test_runs_lie_in_lists_and_objects(tmp_path: Path):
    nested = {**STEPS, "records": "a.runs"}
    for runs in ([RUN, RUN], {"x": RUN, "y": RUN}):
        found = read(tmp_path, nested, {"a": {"runs": runs}}, name="runs.json")
        assert [run.id for run in found if isinstance(run, Trajectory)] == ["runs/0", "runs/1"]
    assert len(read(tmp_path, nested, {"a": {"runs": [RUN]}}, {"a": {"runs": [RUN, RUN]}})) == 3
    (error,) = read(tmp_path, nested, {"a": {}}, name="runs.json")
    assert (
        str(error)
        == f"{tmp_path}/runs.json a.runs: expected a list of records (`records` of the map), found NoneType None"
    )
    assert len(read(tmp_path, STEPS, [RUN, RUN], name="list.json")) == 2


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"ask": None}, "ask"),
        ({"ask": 3}, "ask"),
        ({"trace": None}, "trace"),
        ({"trace": []}, "trace"),
        ({"trace": [RUN["trace"][0], {}]}, "trace[1]"),
        ({"trace": [{"do": {"how": {}}}]}, "trace[0].do.what"),
        ({"won": "yes"}, "won"),
        ({"score": "ten"}, "score"),
        ({"n": [1]}, "n"),
    ],
)
def test_errors_name_line_and_path_and_spare_the_neighbours(tmp_path: Path, change: dict[str, Any], place: str):
    run_map = {**STEPS, "success": "won", "reward": "score", "id": "n"}
    first, error, last = read(tmp_path, run_map, RUN, {**RUN, **change}, RUN)
    assert isinstance(first, Trajectory)
    assert isinstance(last, Trajectory)
    assert isinstance(error, ReadError)
    assert (error.line, error.where) == (2, place)


def test_an_expression_that_cannot_be_applied_to_a_value_is_an_error_of_that_record(tmp_path: Path):
    good, bad = read(tmp_path, {**STEPS, "agent": "join('-', names)"}, {**RUN, "names": ["a"]}, RUN)
    assert isinstance(good, Trajectory)
    assert isinstance(bad, ReadError)
    assert "`agent` of the map" in bad.expected


def test_paths_that_never_find_anything_are_named(tmp_path: Path):
    reader = MapReader(RunMap.model_validate({**STEPS, "agent": "who", "id": "n"}))
    path = tmp_path / "runs.jsonl"
    path.write_text(json.dumps({**RUN, "n": 1}) + "\n" + json.dumps(RUN))
    assert reader.unmatched() == []
    assert len(list(reader.read(path))) == 2
    assert reader.unmatched() == ["agent = who"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("goal = 'a'\nstepz = 1\n[steps]\npath = 't'\naction = 'x'", "map.toml:2 stepz", "known: records, id"),
        ("goal = 'a'\n[steps]\npath = 't'\naction = 'x'\nway = 'y'", "map.toml:5 steps.way", "known: path, thought"),
        ("goal = 3\n[steps]\npath = 't'\naction = 'x'", "map.toml:1 goal", "template"),
        ("goal = 'a-b'\n[steps]\npath = 't'\naction = 'x'", "map.toml:1 goal: 'a-b' is no JMESPath", "double quotes"),
        ("goal = 'f(a)'\n[steps]\npath = 't'\naction = 'x'", "no function f()", "JMESPath"),
        ("goal = 'a'\n", "exactly one of the tables", "template"),
        ("[steps]\npath = 't'\naction = 'x'", "steps need `goal`", "template"),
        ("goal = 'a'\n[steps]\npath = 't'", "map.toml:2 steps", "JMESPath"),
        ("goal = 'a'\nmessages = 'm'\nsuccess = 'x == `1`'", "map.toml:3 success.path: a condition", ""),
        ("messages = 'm'\n[success]\npath = 'x'\nequals = [1]\nat_least = 1", "map.toml:2 success: either", ""),
        (f"goal = '{'(' * 5000}'\n[steps]\npath = 't'\naction = 'x'", "nested too deeply", "JMESPath"),
        ("goal = 'a", "expected a map in TOML", "template"),
    ],
)
def test_what_is_wrong_with_a_map_is_said_in_one_line_with_a_hint(tmp_path: Path, text: str, message: str, hint: str):
    path = tmp_path / "map.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_map(path)
    assert message in caught.value.message
    assert "\n" not in caught.value.message
    assert hint in caught.value.hint


def test_a_map_and_a_format_do_not_go_together(tmp_path: Path):
    with pytest.raises(UserError, match="format of its own"):
        map_reader(EXAMPLES / "chat.toml", "openai")


def test_a_changed_map_makes_results_anew(tmp_path: Path):
    path, out = tmp_path / "map.toml", tmp_path / "out"
    text = (EXAMPLES / "steps.toml").read_text()
    job = Job((str(EXAMPLES / "library.json"),), out, map_file=path)
    accepted: list[int] = []
    for change in (text, text.replace("at_least = 10", "at_least = 0"), text.replace("'query'\ntool", "'query'\ntool")):
        path.write_text(change)
        accepted.append(execute(job).counts["accepted"])
    assert accepted == [1, 0, 1]


def test_every_part_of_a_map_that_decides_content_decides_the_key(tmp_path: Path):
    base = {**STEPS, "success": "won", "reward": "score", "agent": "who", "labels": {"a": "x"}}
    record = {**RUN, "won": False, "score": 1, "who": "me", "x": 1, "other": "words"}
    keys = {one(tmp_path, base, record).key}
    for change in (
        {"success": "won || won"},
        {"reward": None},
        {"agent": "other"},
        {"labels": {"b": "x"}},
        {"system": "other"},
        {"answer": "other"},
        {"answer_by": "action"},
    ):
        keys.add(one(tmp_path, {**base, **change}, record).key)
    assert len(keys) == 8


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(content=file_contents())
def test_any_content_comes_out_as_runs_and_read_errors(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    path = tmp_path_factory.mktemp("any") / "any.json"
    path.write_bytes(content)
    for name in ("steps.toml", "chat.toml"):
        for item in MapReader(load_map(EXAMPLES / name)).read(path):
            assert isinstance(item, Trajectory | ReadError)


@pytest.mark.parametrize("path", ["a == 'ok' || a == 'done'", "outcome | a == 'ok'", "won || (a == 'ok')", "[!a][0]"])
def test_success_is_no_comparison_however_it_is_written(path: str):
    with pytest.raises(ValueError, match="a condition would call"):
        SuccessMap(path=path)


def test_success_may_stand_in_a_member_that_a_comparison_picks():
    assert SuccessMap(path="scores[?name == 'x'].value | [0]").equals is None
