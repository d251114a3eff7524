from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.runs import write_runs
from tests.writers.writer_material import agent, call, example, result, user

from agenther.conclusions import Detection, Example, Outcome
from agenther.config import Config
from agenther.errors import UserError
from agenther.jobs.job import Job, execute
from agenther.messages import to_messages
from agenther.testing import assistant, make_trajectory, tool, tool_call
from agenther.testing import user as asks
from agenther.train.contrast import SAME, WHOLE, contrast, read_contrasts
from agenther.train.rows import Sample, read_samples
from agenther.trajectory import Trajectory

OLD, NEW = "How many lanterns hang in the harbour?", "Count the crates in the shed."


def recorded(*more: dict[str, Any]) -> Trajectory:
    return make_trajectory(
        asks(OLD), assistant("", tool_call("count", thing="crates")), tool("7 crates"), assistant("There are 7."), *more
    )


def relabelled(run: Trajectory, **changes: Any) -> Example:
    messages = [m for m in to_messages(run.steps, with_step=True) if m["step"] <= 3]
    messages[0] = {**messages[0], "content": NEW}
    return example(messages, **(changes | {"detection": failed()}))


def failed() -> Detection:
    return Detection(outcome=Outcome.FAILED, by="label:test")


def test_a_whole_failed_run_is_contrasted_with_itself_under_its_own_goal() -> None:
    made = contrast(relabelled(recorded(), weight=0.4), recorded())
    assert isinstance(made, Sample)
    better, worse = made.sides
    assert (better.messages[0]["content"], worse.messages[0]["content"]) == (NEW, OLD)
    assert better.messages[1:] == worse.messages[1:]
    assert better.trained == worse.trained == (1, 3)
    assert (made.weight, made.kind) == (0.4, SAME)


def test_masked_turns_carry_no_loss_on_either_side() -> None:
    made = contrast(relabelled(recorded(), train_on=(3,)), recorded())
    assert isinstance(made, Sample)
    assert [side.trained for side in made.sides] == [(3,), (3,)]


def test_a_part_might_have_succeeded_so_the_worse_side_is_the_whole_run() -> None:
    run = recorded(asks("And?"), assistant("I give up."))
    made = contrast(relabelled(run), run)
    assert isinstance(made, Sample)
    assert (made.kind, made.sides[0].trained, made.sides[1].trained) == (WHOLE, (1, 3), (1, 3, 5))
    assert [message["content"] for message in made.sides[1].messages] == [
        OLD,
        "",
        "7 crates",
        "There are 7.",
        "And?",
        "I give up.",
    ]


def test_left_out_steps_and_edited_turns_stand_against_the_run_as_recorded() -> None:
    edited = [
        user(1, NEW),
        agent(2, "", call("count", '{"thing":"crates"}', "call_1")),
        result(2, "7", "call_1"),
        agent(3, "7."),
    ]
    for messages in ([user(1, NEW), agent(3, "There are 7.")], edited):
        made = contrast(example(messages, detection=failed()), recorded())
        assert isinstance(made, Sample)
        assert (made.kind, made.sides[1].trained) == (WHOLE, (1, 3))
        assert made.sides[1].messages[-1]["content"] == "There are 7."
    masked = contrast(example(edited, train_on=(2,), detection=failed()), recorded())
    assert isinstance(masked, Sample)
    assert (masked.kind, masked.sides[1].trained) == (SAME, (1,))


@pytest.mark.parametrize("why", [{"infrastructure": True}, {"false_failure": True}, {"outcome": Outcome.UNKNOWN}])
def test_a_run_that_may_not_have_failed_gives_none(why: dict[str, Any]) -> None:
    doubtful = relabelled(recorded()).model_copy(update={"detection": failed().model_copy(update=why)})
    assert contrast(doubtful, recorded()) == "its run does not fail its goal beyond doubt"


def test_contrasts_of_a_job_are_those_of_its_train_side(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 60)
    execute(Job((str(runs),), tmp_path / "out", Config(test_share=0.5)))
    refused: Counter[str] = Counter()
    made = list(read_contrasts(tmp_path / "out", refused))
    examples = (tmp_path / "out" / "examples.jsonl").read_text().splitlines()
    n_train = sum('"split":"train"' in line for line in examples)
    assert 0 < n_train < len(examples)
    assert len(made) + refused.total() == n_train
    same = list(read_contrasts(tmp_path / "out", Counter(), same_run=True))
    assert same == [one for one in made if one.kind == SAME]
    assert len(same) < len(made)


@pytest.mark.parametrize("method", ["sft", "dpo", "kto"])
def test_rows_train_what_the_agent_said_after_the_prompt(tmp_path: Path, method: Any) -> None:
    runs = write_runs(tmp_path / "runs.json", 60)
    execute(Job((str(runs),), tmp_path / "out"))
    samples = list(read_samples(tmp_path / "out" / "train" / "trl" / f"{method}.jsonl", method))
    assert samples
    for sample in samples:
        assert len(sample.sides) == (2 if method == "dpo" else 1)
        for side in sample.sides:
            assert side.trained
            assert {side.messages[n]["role"] for n in side.trained} == {"assistant"}
    if method == "kto":
        assert {sample.label for sample in samples} == {True, False}


def test_a_folder_without_a_job_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="finished job"):
        list(read_contrasts(tmp_path, Counter()))
    with pytest.raises(UserError, match="finished job"):
        list(read_samples(tmp_path / "train" / "trl" / "sft.jsonl", "sft"))
    (tmp_path / "sft.jsonl").write_text('{"prompt": []}\n')
    with pytest.raises(UserError, match=r"sft.jsonl:1: expected a row for sft"):
        list(read_samples(tmp_path / "sft.jsonl", "sft"))
