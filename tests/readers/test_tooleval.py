"""ToolEval's converted answers, on invented services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers.base import read_head
from agenther.readers.discover import find_inputs
from agenther.readers.tooleval import CUT_AT, ToolEvalReader
from agenther.trajectory import Trajectory

GOAL = "When is high tide in Skarvik tomorrow?"
TIDE = {
    "name": "tide_for_harbours",
    "arguments": '{"harbour": "Skarvik"}',
    "response": '{"error": "", "response": "06:12"}',
}
GIVEN = (
    '{"return_type": "give_answer", "final_answer": "High tide in Skarvik is at 06:12, and low tide six hours later."}'
)
FINISH = {"name": "Finish", "arguments": GIVEN, "response": ""}


def chain(*turns: tuple[str, object]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = []
    for role, message in reversed(turns):
        nodes = [{"role": role, "message": message, "next": nodes}]
    return nodes


def entry(*turns: tuple[str, object], final: str = GIVEN, **more: object) -> dict[str, Any]:
    details = chain(("system", ""), ("user", GOAL), *turns)
    answer = {"method": "otter_CoT", "total_steps": 4, "final_answer": final, "answer_details": details}
    tools = [{"name": "tide_for_harbours", "description": "Tides"}, {"name": "Finish"}]
    return {"query": GOAL, "available_tools": tools, "answer": answer} | more


def read(tmp_path: Path, content: object, name: str = "G1_quay.json") -> list[Trajectory | ReadError]:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(content))
    return list(ToolEvalReader().read(path))


def one(tmp_path: Path, *turns: tuple[str, object], **more: Any) -> Trajectory:
    (found,) = read(tmp_path, {"7": entry(*turns, **more)})
    assert isinstance(found, Trajectory), found
    return found


@pytest.mark.parametrize("written", [TIDE, repr(TIDE), orjson.dumps(TIDE).decode()], ids=["object", "python", "json"])
def test_a_call_in_any_writing(tmp_path: Path, written: object) -> None:
    run = one(tmp_path, ("assistant", "I look."), ("tool", written), ("tool", FINISH))
    assert [(s.source, s.message) for s in run.steps] == [("user", GOAL), ("agent", "I look."), ("agent", "")]
    (made,), (seen,) = run.steps[1].tool_calls, run.steps[1].observations
    assert (made.function_name, made.values, seen.content) == (TIDE["name"], {"harbour": "Skarvik"}, TIDE["response"])
    assert run.steps[2].tool_calls[0].arguments == GIVEN
    assert run.steps[2].observations == ()
    assert "observations_cut" not in run.labels
    assert (run.id, run.agent, run.tools[1]["function"]) == ("G1_quay/7", "otter_CoT", {"name": "Finish"})


def test_the_task_is_that_of_the_query_whatever_the_method(tmp_path: Path) -> None:
    run = one(tmp_path, ("tool", FINISH))
    assert run.task_id is not None
    assert run.task_id.startswith("toolbench/")
    assert [run.text_at(s) for s in run.goal_at] == [GOAL]


def test_without_votes_an_answer_has_no_outcome(tmp_path: Path) -> None:
    assert one(tmp_path, ("tool", FINISH)).success is None
    half = one(tmp_path, ("tool", FINISH), final='{"final_answer": "High at 06:12. I could not find the low tide."}')
    assert (half.success, half.labels["admitted"]) == (None, "I could not find the low tide.")


@pytest.mark.parametrize(
    ("turns", "final", "rule"),
    [
        ([("tool", TIDE)], "", "no_finish"),
        ([("tool", {**FINISH, "arguments": "{}"})], "", "empty_answer"),
        ([("tool", FINISH)], '{"return_type": "give_up_and_restart"}', "give_up"),
        ([("tool", FINISH)], '{"final_answer": "I could not find the tide."}', "apology"),
    ],
)
def test_an_unanswered_query_failed(tmp_path: Path, turns: list[Any], final: str, rule: str) -> None:
    run = one(tmp_path, *turns, final=final)
    assert (run.success, run.label_source) == (False, f"tooleval.{rule}")


def test_messages_that_were_cut_are_marked_and_the_answer_stays_whole(tmp_path: Path) -> None:
    thought = "I look at the tides. " * 9
    run = one(tmp_path, ("assistant", thought[:CUT_AT]), *(("tool", repr(c)[:CUT_AT]) for c in (TIDE, FINISH)))
    assert run.labels["observations_cut"] == CUT_AT
    assert [c.function_name for s in run.steps for c in s.tool_calls] == ["tide_for_harbours", "Finish"]
    assert run.steps[1].tool_calls[0].values == {"harbour": "Skarvik"}
    assert run.steps[-1].tool_calls[0].arguments == GIVEN


@pytest.mark.parametrize("length", range(len("{'name': 'tide_for_harbours'"), len(repr(TIDE))))
def test_a_call_cut_anywhere_behind_its_name_is_that_call(tmp_path: Path, length: int) -> None:
    run = one(tmp_path, ("tool", repr(TIDE)[:length]), ("tool", FINISH))
    assert run.steps[1].tool_calls[0].function_name == "tide_for_harbours"
    assert "observations_cut" in run.labels


def vote(folder: Path, name: str, *votes: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    solved = {str(i): f"AnswerStatus.{one}" for i, one in enumerate(votes)}
    (folder / name).write_bytes(orjson.dumps({"7": {"query": GOAL, "is_solved": solved}}))


@pytest.mark.parametrize(
    ("votes", "success"),
    [
        (("Solved", "Solved", "Unsolved"), True),
        (("Unsolved", "Unsolved", "Solved"), False),
        (("Solved", "Unsolved"), None),
        (("Unsure", "Unsure", "Solved"), None),
    ],
)
@pytest.mark.parametrize("far", [False, True], ids=["beside", "under pass_rate_results"])
def test_the_majority_of_the_votes_decides(tmp_path: Path, votes: tuple[str, ...], success: bool, far: bool) -> None:
    name, answers = "G1_quay_otter.json", tmp_path / "converted" / "otter"
    vote(tmp_path / "pass_rate_results" / "otter" if far else answers, name, *votes)
    (run,) = read(answers, {"7": entry(("tool", FINISH))})
    assert isinstance(run, Trajectory)
    assert (run.success, run.label_source) == (success, None if success is None else "tooleval.is_solved")
    assert sum(run.labels["is_solved"].values()) == len(votes)  # pyright: ignore
    assert [found.name for found in find_inputs(tmp_path)] == ["G1_quay.json"]


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"query": 3}, "7.query"),
        ({"available_tools": {}}, "7.available_tools"),
        ({"answer": []}, "7.answer"),
        ({"answer": {"answer_details": [{"role": "cook"}]}}, "7.answer.answer_details[0].role"),
        ({"answer": {"answer_details": chain(("tool", "no call"))}}, "7.answer.answer_details[0].message"),
        ({"answer": {"answer_details": chain(("tool", {}))}}, "7.answer.answer_details[0].message.name"),
    ],
)
def test_a_bad_entry_is_an_error_beside_good_ones(tmp_path: Path, changed: dict[str, object], where: str) -> None:
    good, bad = read(tmp_path, {"6": entry(("tool", FINISH)), "7": entry(**changed)})  # pyright: ignore
    assert isinstance(good, Trajectory)
    assert isinstance(bad, ReadError)
    assert bad.where == where


def test_sniffing(tmp_path: Path) -> None:
    path = tmp_path / "G1_quay.json"
    path.write_bytes(orjson.dumps({"7": entry(("tool", FINISH))}))
    assert ToolEvalReader().sniff(path, read_head(path))
    assert not ToolEvalReader().sniff(path, b'{"7": {"query": "x", "answer": 3}}')


def test_runs_that_are_named_as_votes_are(tmp_path: Path) -> None:
    for name in ("quay.json", "quay_runs.json"):
        read(tmp_path, {"7": entry(("assistant", "I look."))}, f"runs/{name}")
    assert [path.name for path in find_inputs(tmp_path)] == ["quay.json", "quay_runs.json"]
