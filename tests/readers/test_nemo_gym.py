from pathlib import Path
from typing import Any

import orjson
import pytest

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import read_head
from agenther.trajectory import GoalHolder, Trajectory

READER = READERS["nemo-gym"]
ASKED = "Which of the three ferries to Skarvik leaves last?"


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def thought(text: str) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def call(call_id: str, name: str = "get_ferries") -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": name, "arguments": '{"to":"Skarvik"}'}


def output(call_id: str, text: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def record(*items: dict[str, Any], given: object = None, **fields: Any) -> dict[str, Any]:
    tool = {"type": "function", "name": "get_ferries", "parameters": {"type": "object"}, "strict": True}
    asked = [{"role": "system", "content": "Be brief."}, user(ASKED)] if given is None else given
    return {
        "responses_create_params": {"input": asked, "tools": [tool]},
        "response": {"model": "tiny-7b", "output": list(items)},
        "reward": 0.0,
    } | fields


def read(tmp_path: Path, *records: object) -> list[Trajectory | ReadError]:
    path = tmp_path / "rollouts.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(r) for r in records))
    assert READER.sniff(path, read_head(path))
    return list(READER.read(path))


def one(tmp_path: Path, *items: dict[str, Any], **fields: Any) -> Trajectory:
    (run,) = read(tmp_path, record(*items, **fields))
    assert isinstance(run, Trajectory)
    return run


def test_a_rollout(tmp_path: Path):
    items = (thought("Ask."), call("c1"), call("c2"), output("c2", "two"), output("c1", "one"), said("The 21:40."))
    run = one(tmp_path, *items)
    assert [step.source for step in run.steps] == ["system", "user", "agent", "agent"]
    turn = run.steps[2]
    assert (turn.reasoning, [c.tool_call_id for c in turn.tool_calls]) == ("Ask.", ["c1", "c2"])
    assert [(o.source_call_id, o.content) for o in turn.observations] == [("c2", "two"), ("c1", "one")]
    assert run.steps[3].message == "The 21:40."
    assert [run.text_at(span) for span in run.goal_at] == [run.goal] == [ASKED]
    assert (run.id, run.agent, run.success, run.label_source) == ("rollouts/0", "tiny-7b", False, "nemo-gym.reward")
    parameters = {"name": "get_ferries", "parameters": {"type": "object"}, "strict": True}
    assert run.tools == ({"type": "function", "function": parameters},)


@pytest.mark.parametrize(
    ("reward", "success"), [(1, True), (10.0, True), (0.9999999999999998, True), (0.875, False), (-2.0, False)]
)
def test_a_reward_of_one_or_more_is_success(tmp_path: Path, reward: float, success: bool):
    run = one(tmp_path, reward=reward)
    assert (run.success, run.reward) == (success, reward)


def test_reasoning_logged_behind_its_call_belongs_to_the_same_turn(tmp_path: Path):
    run = one(tmp_path, call("c1"), thought("Look."), output("c1", "one"), thought("Tell."), said("The 21:40."))
    assert [step.reasoning for step in run.agent_steps] == ["Look.", "Tell."]


def test_a_second_message_is_a_turn_of_its_own(tmp_path: Path):
    run = one(tmp_path, said("First."), said(""), said("Third."))
    assert [step.message for step in run.agent_steps] == ["First.", "", "Third."]


def test_an_output_without_its_call_is_no_answer_to_another(tmp_path: Path):
    run = one(tmp_path, said("Looking."), output("c9", "parse error"))
    assert run.steps[-1].observations[0].source_call_id is None
    assert run.labels["outputs_without_call"] == ["c9"]


@pytest.mark.parametrize(
    "prompt",
    [
        f"Write commands as JSON.\n\nTask Description:\n{ASKED}\n\nCurrent terminal state:\n$ ",
        f"Answer at the end.\n\nQuestion:\n{ASKED}",
        f"Question:\n{ASKED}\n",
        f"Question:\nWhat is two and two?\nAnswer: 4\n\nQuestion:\n{ASKED}",
    ],
)
def test_a_framed_task_is_the_goal_alone(tmp_path: Path, prompt: str):
    run = one(tmp_path, said("Done."), given=prompt)
    (span,) = run.goal_at
    assert (run.goal, run.text_at(span)) == (ASKED, ASKED)


def test_an_echo_of_the_goal_is_a_place_of_it(tmp_path: Path):
    run = one(tmp_path, call("c1"), output("c1", f"You asked: {ASKED}"))
    assert [(span.step, run.text_at(span)) for span in run.goal_at] == [(2, ASKED), (3, ASKED)]


def test_one_request_among_several_has_no_place(tmp_path: Path):
    turns = [user("Add a walk at noon."), {"role": "assistant", "content": "Added."}, user("Move the walk to one.")]
    run = one(tmp_path, said("Moved."), given=turns)
    assert (run.goal, run.goal_at) == ("Move the walk to one.", ())


def test_a_simulated_customer_holds_the_goal(tmp_path: Path):
    scenario = {"reason_for_contact": "Return a kettle", "task_instructions": "Be polite", "outside": False}
    run = one(tmp_path, said("Which?"), user("The red one."), said("Done."), customer_scenario=scenario)
    assert (run.goal, run.goal_at) == ("Return a kettle\nBe polite", ())
    assert run.goal_holder is GoalHolder.SIMULATED_USER
    assert [step.source for step in run.steps[2:]] == ["agent", "user", "agent"]


def test_user_turns_of_a_game_are_what_it_showed(tmp_path: Path):
    run = one(tmp_path, said("up"), user("You moved."), said("left"), terminated=False, truncated=True)
    assert run.answer_by == "action"
    first, second = run.agent_steps
    assert [(o.role, o.content) for o in first.observations] == [("user", "You moved.")]
    assert (second.message, run.labels["truncated"]) == ("left", True)


def test_a_task_kept_apart_has_a_goal_without_place(tmp_path: Path):
    config = {"problem_info": {"instance_id": "harbour-7", "problem_statement": "Mend the tide table."}}
    numbers = {"_ng_task_index": 0, "_ng_rollout_index": 3}
    run = one(tmp_path, said("Done."), given=[], instance_config=config, **numbers)
    assert (run.goal, run.goal_at, run.task_id) == ("Mend the tide table.", (), "nemo-gym/harbour-7")
    assert run.id == "rollouts/0-3"


def test_tasks_are_told_apart_by_number_and_prompt(tmp_path: Path):
    numbered = [record(_ng_task_index=n, given=given) for n, given in ((0, None), (0, None), (1, None), (0, "Another"))]
    ids = [run.task_id for run in read(tmp_path, *numbered) if isinstance(run, Trajectory)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_one_prompt_alone_names_no_task(tmp_path: Path):
    assert one(tmp_path, said("x")).task_id is None


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        (record(reward="high"), "reward"),
        (record({"type": "item_reference"}), "response.output[0].type"),
        (record({"role": "judge", "content": "x"}), "response.output[0].role"),
        (record(output("c1", "x"), given=[]), "response.output[0]"),
    ],
)
def test_a_wrong_record_spoils_no_neighbour(tmp_path: Path, wrong: dict[str, Any], where: str):
    error, good = read(tmp_path, wrong, record())
    assert isinstance(error, ReadError)
    assert error.where == where
    assert isinstance(good, Trajectory)


def test_parts_that_are_no_text_are_named(tmp_path: Path):
    given = [{"role": "user", "content": [{"type": "input_text", "text": ASKED}, {"type": "input_image"}]}]
    run = one(tmp_path, said("x"), given=given)
    assert run.goal == ASKED
    assert run.labels["non_text_parts"] == ["responses_create_params.input[0].content[1]: input_image"]
