"""What a log lacks or repeats decides what may be learned from it."""

import asyncio
from typing import Any

import orjson
import pytest

from agenther.conclusions import Detection, Outcome, Reason, Result
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import Json, JsonObject
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.package.candidates import pair_role, whole_run
from agenther.stages.package.preferences import undesirable
from agenther.stages.parts import rule_parts
from agenther.stages.recording import error_code, retried_steps, shared_steps
from agenther.testing import assistant, make_trajectory, tool, tool_call, tool_schema, user
from agenther.trajectory import Trajectory

TOOLS = (
    tool_schema("tide_table", "Get the tide times of a harbour", harbour={"type": "string"}),
    tool_schema("Finish", "End", final_answer={"type": "string"}),
)
GOAL = "Tell me the tide at Skarvik and reserve a berth with electricity and water for two nights."
RUN = [
    user(GOAL),
    assistant("I ask for the tide.", tool_call("tide_table", "a", harbour="Skarvik")),
    tool({"error": "", "response": "{'tides': [{'kind': 'high', 'at': '06:12'}]}"}, "a"),
    assistant("I tell.", tool_call("Finish", "b", final_answer="In Skarvik the tide is high at 06:12.")),
    tool("ok", "b"),
]


def run(labels: JsonObject, **fields: Any) -> Trajectory:
    return make_trajectory(*RUN, tools=TOOLS, labels=labels, **fields)


def outcome(labels: JsonObject, **fields: Any) -> Result:
    config = Config(domains=("rest",), include_successes=True)
    return asyncio.run(relabel(run(labels, **fields), rule_parts(config), config))


def test_a_whole_log_gives_its_label() -> None:
    (example,) = outcome({}).examples
    assert (example.hindsight_goal, example.train_on) == ("Get the tide times of Skarvik.", (2, 3))


@pytest.mark.parametrize("success", [True, False])
def test_nothing_is_learned_from_a_cut_log(success: bool) -> None:
    result = outcome({"observations_cut": 100}, success=success)
    assert not result.examples
    assert result.drop is not None
    assert result.drop.reason is (Reason.NOT_FAILED if success else Reason.EVIDENCE_FAILED)


def test_no_pair_holds_a_cut_log() -> None:
    failed = Detection(outcome=Outcome.FAILED, by="test")
    other = make_trajectory(*RUN[:3], assistant("No idea."), tools=TOOLS, goal=GOAL)
    assert pair_role(run({}, success=True), failed) == "better"
    assert pair_role(run({"observations_cut": 100}, success=True), failed) is None
    cut = other.model_copy(update={"labels": {"observations_cut": 100}})
    assert undesirable(other, failed) is not None
    assert undesirable(cut, failed) is None


def test_steps_of_an_earlier_branch_are_context() -> None:
    (example,) = outcome({"shared_steps": 1}).examples
    assert example.train_on == (3,)
    assert "masked step 2: kept as context, carries no loss" in example.repairs
    (whole,) = outcome({"shared_steps": 1}, success=True).examples
    assert whole.train_on == (3,)


def test_what_an_earlier_branch_holds_entirely_is_its_own() -> None:
    drop = outcome({"shared_steps": 2}).drop
    assert drop is not None
    assert drop.reason is Reason.NEAR_DUPLICATE


@pytest.mark.parametrize("value", [0, -1, "2", True, None, 2.0])
def test_odd_counts_share_nothing(value: Json) -> None:
    assert shared_steps(run({"shared_steps": value})) == frozenset()


def test_thoughts_about_texts_that_the_log_lacks_are_taken_out() -> None:
    (example,) = outcome({"retried_steps": [2, "x"]}).examples
    assert next(m["content"] for m in example.messages if m["role"] == "assistant") == ""
    assert example.train_on == (2, 3)
    assert retried_steps(run({"retried_steps": 2})) == frozenset()


def test_nor_do_whole_runs_hold_such_thoughts() -> None:
    told = [*RUN[:3], assistant("As I tried before."), *RUN[3:]]
    trajectory = make_trajectory(*told, labels={"retried_steps": [2, 3]}, success=True)
    assert [m["content"] for m in whole_run(trajectory) if m["role"] == "assistant"] == ["", "I tell."]
    config = Config(domains=("rest",), include_successes=True)
    (example,) = asyncio.run(relabel(trajectory, rule_parts(config), config)).examples
    assert "As I tried" not in str(example.messages)
    assert example.train_on == (2, 4)


@pytest.mark.parametrize(("code", "failed"), [(0, None), (3, None), (4, None), (11, 11), ("11", None)])
def test_a_code_says_that_a_call_failed(code: Json, failed: int | None) -> None:
    trajectory = run({"observation_codes": {"2": code}})
    assert error_code(trajectory, trajectory.step(2)) == failed
    assert error_code(run({"observation_codes": [code]}), trajectory.step(2)) is None


def test_a_call_that_failed_by_its_code_is_no_evidence_and_an_error() -> None:
    drop = outcome({"observation_codes": {"2": 11}}).drop
    assert drop is not None
    assert drop.reason in (Reason.NOTHING_ACHIEVED, Reason.IRRECOVERABLE)
    last = make_trajectory(
        *RUN[:3], tools=TOOLS, labels={"observation_codes": {"2": 5}}, success=None, label_source=None
    )
    assert RuleDetector().judge(last).by == "rule:last_output_is_error"


def test_giving_up_is_a_sign() -> None:
    ended = make_trajectory(*RUN[:3], assistant("", tool_call("Finish", "b", return_type="give_up_and_restart")))
    unlabelled = ended.model_copy(update={"success": None})
    assert RuleDetector().judge(unlabelled).by == "rule:gave_up"
    assert orjson.loads(ended.steps[-1].tool_calls[0].arguments) == {"return_type": "give_up_and_restart"}


def test_what_an_earlier_run_has_too_is_not_to_be_avoided() -> None:
    failed = Detection(outcome=Outcome.FAILED, by="test")
    whole, branch = (undesirable(run(labels), failed) for labels in ({}, {"shared_steps": 1}))
    assert whole is not None
    assert branch is not None
    assert (len(whole.prompt), len(branch.prompt)) == (1, 3)
    assert undesirable(run({"shared_steps": 2}), failed) is None
