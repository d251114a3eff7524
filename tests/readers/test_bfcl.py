from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.readers.valid_files import VALID

from agenther.environments.base import setting_of
from agenther.environments.calls import gold_of
from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import Item, read_head
from agenther.trajectory import GoalHolder, Trajectory

READER = READERS["bfcl"]
NAME = "BFCL_v4_multi_turn_base_result.json"
OWN = "multi_turn_base_8001"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what is installed on this machine out."""
    monkeypatch.setenv("AGENTHER_BFCL_PYTHON", str(tmp_path / "none"))
    monkeypatch.delenv("AGENTHER_BFCL_DATA", raising=False)


def record(**fields: Any) -> dict[str, Any]:
    turn = {
        "begin_of_turn_query": [{"role": "user", "content": "Open a ticket named Lamp, please."}],
        "step_0": [
            {"role": "assistant", "content": [{"create_ticket": '{"title": "Lamp"}'}]},
            {"role": "handler_log", "content": "ok", "model_response_decoded": ["create_ticket(title='Lamp')"]},
            {"role": "tool", "content": '{"id": 3}'},
        ],
        "step_1": [
            {"role": "assistant", "content": "It is ticket 3."},
            {"role": "handler_log", "content": "Error decoding the model response.", "error": "no call"},
        ],
    }
    return {"id": OWN, "result": [], "inference_log": [turn]} | fields


def write(path: Path, *lines: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return path


def read(path: Path) -> list[Item]:
    assert READER.sniff(path, read_head(path))
    return list(READER.read(path))


def run_of(path: Path) -> Trajectory:
    (run,) = read(path)
    assert isinstance(run, Trajectory)
    return run


def data(folder: Path) -> Path:
    """Write the data of an invented package, as it is installed."""
    home = folder / "lib" / "python3.11" / "site-packages" / "bfcl_eval" / "data"
    entry = {
        "id": OWN,
        "question": [[{"role": "user", "content": "Open a ticket named Lamp, please."}]],
        "initial_config": {"TicketAPI": {"ticket_queue": []}},
        "involved_classes": ["TicketAPI"],
        "excluded_function": ["close_ticket"],
    }
    write(home / "BFCL_v4_multi_turn_base.json", entry)
    gold = {"id": OWN, "ground_truth": [["create_ticket('Lamp', priority=2)"], []]}
    write(home / "possible_answer" / "BFCL_v4_multi_turn_base.json", gold)
    number = {"type": "float", "description": "from 1 to 5"}
    parameters = {
        "type": "dict",
        "properties": {"title": {"type": "string"}, "priority": number},
        "required": ["title"],
    }
    docs = [{"name": "create_ticket", "description": "Opens one", "parameters": parameters, "response": {}}]
    docs.append({"name": "close_ticket", "parameters": {"type": "dict", "properties": {}}})
    write(home / "multi_turn_func_doc" / "ticket_api.json", *docs)
    (home.parents[1] / "bfcl_eval-9.1.dist-info").mkdir()
    return home


def test_without_data_and_verdict_a_run_is_read_and_names_no_environment(tmp_path: Path) -> None:
    run = run_of(write(tmp_path / NAME, record()))
    assert (run.goal, run.goal_holder, run.success, run.label_source) == (
        "Open a ticket named Lamp, please.",
        GoalHolder.AGENT,
        None,
        None,
    )
    assert run.text_at(run.goal_at[0]) == run.goal
    (call,) = run.steps[1].tool_calls
    assert (call.function_name, call.values, call.at) == ("create_ticket", {"title": "Lamp"}, None)
    assert run.steps[1].observations[0].source_call_id == call.tool_call_id
    assert (run.steps[2].message, run.task_id, run.tools) == ("It is ticket 3.", f"bfcl/{OWN}", ())
    assert (setting_of(run), gold_of(run), run.labels) == (None, None, {})


@pytest.mark.parametrize("where", ["variable", "environment", "project"])
def test_the_packages_data_gives_setting_gold_and_tools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    home = data(tmp_path)
    path = tmp_path / NAME
    match where:
        case "variable":
            monkeypatch.setenv("AGENTHER_BFCL_DATA", str(home))
        case "environment":
            (tmp_path / "bin").mkdir()
            (tmp_path / "bin" / "python").touch()
            monkeypatch.setenv("AGENTHER_BFCL_PYTHON", str(tmp_path / "bin" / "python"))
        case _:
            path = home.parents[1] / "result" / "pilot-1" / "multi_turn" / NAME
    run = run_of(write(path, record()))
    setting = setting_of(run)
    assert setting is not None
    assert (setting.kind, setting.version) == ("bfcl_multi_turn", "9.1")
    assert setting.initial == {
        "involved_classes": ["TicketAPI"],
        "initial_config": {"TicketAPI": {"ticket_queue": []}},
    }
    assert gold_of(run) == (("create_ticket", {"title": "Lamp", "priority": 2}),)
    (tool,) = run.tools
    assert tool["function"]["parameters"]["properties"]["priority"]["type"] == "number"  # pyright: ignore
    assert run.agent == ("pilot-1" if where == "project" else None)


def test_verdicts_lie_under_score_as_results_lie_under_result(tmp_path: Path) -> None:
    path = write(tmp_path / "result" / "pilot-1" / "multi_turn" / NAME, record(), record(id="multi_turn_base_8002"))
    failed = {
        "id": OWN,
        "valid": False,
        "error": {"error_type": "multi_turn:force_terminated"},
        "prompt": {"initial_config": {"TicketAPI": {}}, "involved_classes": ["TicketAPI"]},
        "possible_answer": [["create_ticket(title='Lamp')"]],
        "inference_log": [],
    }
    score = tmp_path / "score" / "pilot-1" / "multi_turn" / "BFCL_v4_multi_turn_base_score.json"
    write(score, {"accuracy": 0.5, "correct_count": 1, "total_count": 2}, failed)
    lost, won = read(path)
    assert isinstance(lost, Trajectory)
    assert isinstance(won, Trajectory)
    assert (lost.success, won.success, lost.label_source) == (False, True, "bfcl.score")
    assert lost.labels["bfcl_error_type"] == "multi_turn:force_terminated"
    assert gold_of(lost) == (("create_ticket", {"title": "Lamp"}),)
    assert setting_of(lost) is not None
    assert setting_of(won) is None
    assert READER.companion(score)  # pyright: ignore
    assert not READER.companion(path)  # pyright: ignore
    assert not READER.sniff(score, read_head(score))
    path.unlink()
    assert not READER.companion(score)  # pyright: ignore


def test_several_requests_are_a_script_and_text_agents_have_places(tmp_path: Path) -> None:
    run, _ = READER.read(VALID / "bfcl" / NAME)
    assert isinstance(run, Trajectory)
    assert (run.goal_holder, run.goal_at) == (GoalHolder.SIMULATED_USER, ())
    assert run.goal.split("\n")[1].startswith("Make a folder named charts")
    assert [step.source for step in run.steps] == ["user", "agent", "agent", "user", "agent", "agent"]
    (text,) = READER.read(VALID / "bfcl.2.jsonl")
    assert isinstance(text, Trajectory)
    step = text.agent_steps[0]
    assert [step.message[slice(*call.at)] for call in step.tool_calls if call.at] == ["ls(a=True)", "cd(folder='old')"]
    assert [observation.role for observation in step.observations] == ["user", "user"]
    assert text.labels == {"truncated": True}


@pytest.mark.parametrize("text", ["create_ticket(title=other)", "create_ticket(title=f(x=1))", "a.b(c=1)", "?"])
def test_a_call_that_is_no_plain_one_keeps_its_text(tmp_path: Path, text: str) -> None:
    raw = record()
    raw["inference_log"][0]["step_0"][1]["model_response_decoded"] = [text]
    call = run_of(write(tmp_path / NAME, raw)).steps[1].tool_calls[0]
    assert (call.arguments, call.values) == (text, {})


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"inference_log": None, "result": "Error during inference: worn out"}, "inference_log"),
        ({"id": 4}, "id"),
        ({"inference_log": [{"begin_of_turn_query": 3}]}, "inference_log[0].begin_of_turn_query"),
        ({"inference_log": [{"begin_of_turn_query": [], "step_0": ["x"]}]}, "inference_log[0].step_0[0]"),
    ],
)
def test_what_is_wrong_is_named_and_its_neighbours_are_read(tmp_path: Path, fields: dict[str, Any], where: str) -> None:
    error, run = read(write(tmp_path / NAME, record(**fields), record()))
    assert isinstance(error, ReadError)
    assert error.where == where
    assert isinstance(run, Trajectory)


def test_other_categories_are_left_to_other_readers(tmp_path: Path) -> None:
    path = write(tmp_path / "BFCL_v4_simple_python_result.json", {"id": "simple_python_1", "result": [{"f": "{}"}]})
    assert not READER.sniff(path, read_head(path))
