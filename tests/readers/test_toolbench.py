"""ToolBench answer files, on an invented search through invented services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers.base import read_head
from agenther.readers.discover import find_inputs
from agenther.readers.toolbench import MOST_LEAVES, ToolBenchReader
from agenther.trajectory import Trajectory

GOAL = "When is high tide in Skarvik tomorrow, and what does a berth cost?"
TIDE = '{"error": "", "response": "{\'high\': \'06:12\'}"}'
ANSWER = '{"return_type": "give_answer", "final_answer": "High tide is at 06:12, a berth costs 31.5 EUR."}'
SORRY = '{"return_type": "give_answer", "final_answer": "I\'m sorry, but I couldn\'t find the tide."}'
GIVE_UP = '{"return_type": "give_up_and_restart"}'
FUNCTIONS: list[dict[str, Any]] = [
    {"name": "tide_for_harbours", "description": "Tides", "parameters": {}},
    {"name": "Finish"},
]


def node(kind: str, text: str, *children: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"node_type": kind, "description": text, "is_terminal": False, "children": list(children)} | more


def call(name: str, arguments: str, seen: str, code: int, *children: dict[str, Any]) -> dict[str, Any]:
    return node("Action", name, node("Action Input", arguments, *children, observation=seen, observation_code=code))


def finish(arguments: str) -> dict[str, Any]:
    return call("Finish", arguments, '{"response":"..."}', 4 if arguments == GIVE_UP else 3)


def think(text: str, *children: dict[str, Any]) -> dict[str, Any]:
    return node("Thought", text, *children)


def tree(*children: dict[str, Any], win: bool = True, **generation: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"valid_data": True, "query": GOAL, "function": FUNCTIONS} | generation
    whole = node("Action Input", "", *children)
    return {
        "win": win,
        "tree": {"size": 9, "tree": whole},
        "forward_args": {"single_chain_max_step": 6},
        "answer_generation": made,
    }


BRANCHED = tree(
    call(
        "tide_for_harbours",
        '{"harbour": "Skarvik"}',
        TIDE,
        0,
        think("Now the price.", call("price_for_harbours", "{}", '{"error": "quota", "response": ""}', 11)),
        think("Another way.", finish(GIVE_UP)),
        call("berth_for_harbours", "{}", '{"error": "", "response": "31.5"}', 0, finish(ANSWER)),
    )
)


def read(tmp_path: Path, content: object, name: str = "41_DFS_woFilter_w2.json") -> list[Trajectory | ReadError]:
    path = tmp_path / name
    path.write_bytes(orjson.dumps(content))
    return list(ToolBenchReader().read(path))


def runs(tmp_path: Path, content: object) -> list[Trajectory]:
    found = read(tmp_path, content)
    assert all(isinstance(one, Trajectory) for one in found), found
    return [one for one in found if isinstance(one, Trajectory)]


def test_every_leaf_is_a_run_and_the_one_that_answered_comes_first(tmp_path: Path) -> None:
    found = runs(tmp_path, BRANCHED)
    assert [(r.success, r.label_source, r.labels["terminate_reason"]) for r in found] == [
        (True, "toolbench.win", "give_answer"),
        (False, "toolbench.no_finish", "stopped"),
        (False, "toolbench.give_up", "give_up"),
    ]
    assert [r.id.rsplit("/", 1)[1] for r in found] == ["3", "1", "2"]
    assert len({r.id for r in found}) == 3
    assert {r.task_id for r in found} == {found[0].task_id}
    assert (found[0].agent, found[0].answer_by) == ("DFS_woFilter_w2", "message")


def test_a_thought_and_its_call_are_one_turn(tmp_path: Path) -> None:
    run = runs(tmp_path, BRANCHED)[1]
    assert [(s.source, s.message) for s in run.steps] == [("user", GOAL), ("agent", ""), ("agent", "Now the price.")]
    (made,), (seen,) = run.steps[1].tool_calls, run.steps[1].observations
    assert (made.function_name, made.values, seen.content) == ("tide_for_harbours", {"harbour": "Skarvik"}, TIDE)
    assert seen.source_call_id == made.tool_call_id
    assert run.steps[2].thought_at == ((0, len("Now the price.")),)
    assert run.tools[0] == {"type": "function", "function": FUNCTIONS[0]}


def test_the_answer_stays_the_call_that_gave_it(tmp_path: Path) -> None:
    last = runs(tmp_path, BRANCHED)[0].steps[-1]
    assert (last.tool_calls[0].function_name, last.tool_calls[0].arguments) == ("Finish", ANSWER)


def test_shared_turns_belong_to_the_first_run_that_has_them(tmp_path: Path) -> None:
    first, *others = runs(tmp_path, BRANCHED)
    assert "shared_steps" not in first.labels
    assert [r.labels["shared_steps"] for r in others] == [1, 1]


def test_codes_and_turns_taken_after_other_branches_are_kept(tmp_path: Path) -> None:
    answered, failed, given_up = runs(tmp_path, BRANCHED)
    assert failed.labels["observation_codes"] == {"2": 0, "3": 11}
    assert (answered.labels["retried_steps"], given_up.labels["retried_steps"]) == ([3], [3])
    assert "retried_steps" not in failed.labels


def test_an_apology_is_no_success(tmp_path: Path) -> None:
    (run,) = runs(tmp_path, tree(finish(SORRY)))
    assert (run.success, run.label_source) == (False, "toolbench.apology")


def test_a_gap_that_is_admitted_leaves_the_outcome_open(tmp_path: Path) -> None:
    half = '{"final_answer": "High tide is at 06:12. Unfortunately, I could not find the price."}'
    (run,) = runs(tmp_path, tree(finish(half)))
    assert (run.success, run.label_source) == (None, None)
    assert run.labels["admitted"] == "Unfortunately, I could not find the price."


def test_a_wide_tree_gives_its_best_runs_and_says_how_many_it_has(tmp_path: Path) -> None:
    bad = [call("tide_for_harbours", f'{{"harbour": "{i}"}}', "{}", 1) for i in range(MOST_LEAVES)]
    good = call("tide_for_harbours", '{"harbour": "Skarvik"}', TIDE, 0)
    found = runs(tmp_path, tree(*bad, good, win=False))
    assert len(found) == MOST_LEAVES
    assert [r.labels["leaf"] for r in found] == [*range(1, MOST_LEAVES), MOST_LEAVES + 1]
    assert [r.labels.get("leaves_left_out") for r in found] == [1, *[None] * (MOST_LEAVES - 1)]
    assert {str(r.labels["terminate_reason"]) for r in found} == {"no_such_function", "stopped"}


def test_where_the_search_ended_is_told(tmp_path: Path) -> None:
    deep = call("a", "{}", TIDE, 0, call("a", "{}", TIDE, 0, call("b", "{}", '{"error": "slow", "response": ""}', 5)))
    (run,) = runs(tmp_path, tree(deep, win=False))
    assert run.labels["terminate_reason"] == "max_steps"
    assert run.labels["error"] == "server timed out (observation_code 5)"


def test_the_prompt_is_taken_from_recorded_messages(tmp_path: Path) -> None:
    messages = [
        {"role": "system", "content": "You are AutoHarbour."},
        {"role": "user", "content": f"\n{GOAL}\nBegin!\n"},
    ]
    (run,) = runs(tmp_path, tree(finish(ANSWER), train_messages=[messages[:1], messages]))
    assert [s.source for s in run.steps] == ["system", "user", "agent"]
    assert [(s.step, run.text_at(s)) for s in run.goal_at] == [(2, GOAL)]
    assert run.labels["observation_codes"] == {"3": 3}


@pytest.mark.parametrize("messages", [[], None, [[]], [[{"role": "user", "content": GOAL}]], [[1, 2]], "x"])
def test_without_recorded_messages_the_query_is_the_prompt(tmp_path: Path, messages: object) -> None:
    (run,) = runs(tmp_path, tree(finish(ANSWER), train_messages=messages))
    assert [(s.source, s.message) for s in run.steps[:1]] == [("user", GOAL)]


def test_a_last_thought_and_a_call_without_input_are_turns(tmp_path: Path) -> None:
    found = runs(tmp_path, tree(think("One.", think("Two.")), node("Action", "tide_for_harbours"), win=False))
    assert [[s.message for s in r.agent_steps] for r in found] == [["One.", "Two."], [""]]
    assert found[1].agent_steps[0].tool_calls[0].arguments == ""


def test_tries_are_runs(tmp_path: Path) -> None:
    flat = [
        node("Action", "tide_for_harbours"),
        node("Action Input", "{}", observation=TIDE, observation_code=0),
        think("Hm."),
        node("Action", "Finish"),
        node("Action Input", ANSWER, observation="{}", observation_code=3),
    ]
    content = tree(win=True) | {
        "trys": [{"chain": flat[:2], "win": False}, {"chain": flat, "win": True}, {"chain": list[Any]()}]
    }
    del content["tree"]
    found = runs(tmp_path, content)
    assert [(r.success, len(r.agent_steps)) for r in found] == [(True, 2), (False, 1)]
    assert all("shared_steps" not in r.labels and "retried_steps" not in r.labels for r in found)


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (tree() | {"win": "yes"}, "win"),
        (tree(query=None), "answer_generation.query"),
        (tree(function=[1]), "answer_generation.function[0]"),
        (tree(node("Plan", "x")), "tree.tree.children[0].node_type"),
        (tree(node("Action", "x", node("Action Input", ""), children=3)), "tree.tree.children[0].children"),
        ({"win": True, "answer_generation": {"query": GOAL}}, "trys"),
        (tree(), "record"),
        (tree(node("Action Input", "{}")), "tree.tree.children[0]"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: object, where: str) -> None:
    found = read(tmp_path, content)
    assert [one.where for one in found if isinstance(one, ReadError)] == [where]


def test_a_bad_branch_leaves_the_others(tmp_path: Path) -> None:
    bad, good = read(tmp_path, tree(finish(ANSWER), node("Plan", "x")))
    assert isinstance(bad, ReadError)
    assert isinstance(good, Trajectory)


def test_sniffing_and_the_lists_of_queries(tmp_path: Path) -> None:
    path = tmp_path / "41_CoT@1.json"
    path.write_bytes(orjson.dumps(BRANCHED))
    assert ToolBenchReader().sniff(path, read_head(path))
    assert not ToolBenchReader().sniff(path, b'{"win": true, "tree": {}}')
    (tmp_path / "G1_query.json").write_bytes(b"[]")
    assert [found.name for found in find_inputs(tmp_path)] == ["41_CoT@1.json"]
