"""The second pass: duplicates, split, preferences, and the shuffle that keeps twins apart."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenther.conclusions import Detection, Example, Outcome, Verdict
from agenther.jobs.lines import Line, Turn, training_lines
from agenther.jobs.training import TrainingFiles, UnpairedShuffle
from agenther.messages import to_messages
from agenther.preferences import Pair
from agenther.stages.package.candidates import Candidate, pair_role, whole_run
from agenther.stages.package.duplicates import fingerprint
from agenther.stages.package.preferences import desirable, same_goal_pairs, undesirable
from agenther.stages.package.split import group_of, seeded_rank, side_of
from agenther.trajectory import Observation, Source, Step, ToolCall, Trajectory

FAILED = Detection(outcome=Outcome.FAILED, by="test", weight=0.7)
SUCCEEDED = Detection(outcome=Outcome.SUCCEEDED, by="test")
SOURCE = Source(path="p", format="f", index=0)


def agent(step_id: int, command: str, result: str = "ok") -> Step:
    call = ToolCall(tool_call_id=f"c{step_id}", function_name="bash", arguments=f'{{"command": "{command}"}}')
    return Step(
        step_id=step_id,
        source="agent",
        tool_calls=(call,),
        observations=(Observation(content=result, source_call_id=f"c{step_id}"),),
    )


def run_of(name: str, commands: list[str], *, success: bool, goal: str = "Count the buoys") -> Trajectory:
    steps = (Step(step_id=1, source="user", message=goal), *(agent(i + 2, c) for i, c in enumerate(commands)))
    return Trajectory(id=name, source=SOURCE, task_id="t", goal=goal, steps=steps, success=success, label_source="test")


def example_of(goal: str = "List the 3 red buoys", command: str = "ls buoys", **changes: object) -> Example:
    steps = (Step(step_id=1, source="user", message=goal), agent(2, "cd harbour"), agent(3, command))
    example = Example(
        id="e",
        trajectory_id="r",
        task_id="t",
        origin="hindsight",
        source=SOURCE,
        desired_goal="Count the buoys",
        hindsight_goal=goal,
        strategy="final",
        domain="shell",
        detection=FAILED,
        claims=(),
        verdict=Verdict(accepted=True, support=1.0, scores=()),
        weight=0.7,
        messages=tuple(to_messages([*steps[:2], steps[2].model_copy(update={"observations": ()})], with_step=True)),
        tools="[]",
        train_on=(2, 3),
        repairs=(),
        provenance={},
    )
    return example.model_copy(update=changes)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (example_of("list the three red buoys".replace("three", "3")), True),
        (example_of("Which are the 3 red buoys?"), True),
        (example_of(command="ls  'buoys'"), True),
        (example_of("List the 4 red buoys"), False),
        (example_of("List the 3 green buoys"), False),
        (example_of(command="ls -l buoys"), False),
        (example_of(origin="success"), False),
        (example_of(task_id="another", id="x", trajectory_id="y"), True),
    ],
)
def test_fingerprint(other: Example, same: bool) -> None:
    assert (fingerprint(example_of()) == fingerprint(other)) is same


@given(st.text(), st.integers(), st.floats(0, 1))
def test_a_group_is_always_on_the_same_side(group: str, seed: int, share: float) -> None:
    assert side_of(group, seed, share) == side_of(group, seed, share)
    assert side_of(group, seed, 0.0) == "train"
    assert side_of(group, seed, 1.0) == "test"


def test_the_share_of_test_groups_tends_to_what_was_asked() -> None:
    sides = [side_of(f"task {i}", 3, 0.2) for i in range(5000)]
    assert 0.18 < sides.count("test") / 5000 < 0.22
    assert sides != [side_of(f"task {i}", 4, 0.2) for i in range(5000)]


def pairs_of(runs: list[tuple[Trajectory, Detection]], most: int) -> list[Pair]:
    candidates = {
        run.key: Candidate(run.key, role, detection.weight, lambda run=run: run)
        for run, detection in runs
        if (role := pair_role(run, detection)) is not None
    }
    return list(same_goal_pairs(candidates.values(), most))


def test_pairs_share_the_beginning_and_part_at_an_agent_turn() -> None:
    good, bad = run_of("good", ["ls", "wc -l"], success=True), run_of("bad", ["ls", "rm"], success=False)
    (pair,) = pairs_of([(good, SUCCEEDED), (bad, FAILED)], 9)
    assert [m["role"] for m in pair.prompt] == ["user", "assistant", "tool"]
    assert pair.chosen[0]["role"] == pair.rejected[0]["role"] == "assistant"
    assert [*pair.prompt, *pair.chosen] == whole_run(good)
    assert [*pair.prompt, *pair.rejected] == whole_run(bad)
    assert (pair.chosen_trajectory, pair.rejected_trajectory, pair.weight) == ("good", "bad", 0.7)


def test_runs_that_differ_in_what_came_back_alone_are_no_pair() -> None:
    good, bad = run_of("good", ["ls", "wc -l"], success=True), run_of("bad", ["ls", "wc -l"], success=False)
    unlucky = bad.model_copy(update={"steps": (*bad.steps[:1], agent(2, "ls", "no such folder"), *bad.steps[2:])})
    assert pairs_of([(good, SUCCEEDED), (unlucky, FAILED)], 9) == []


@pytest.mark.parametrize(
    ("worse", "detection"),
    [
        (run_of("b", ["rm"], success=False, goal="Paint the buoys"), FAILED),
        (run_of("b", ["rm"], success=False), FAILED.model_copy(update={"infrastructure": True})),
        (run_of("b", ["rm"], success=False), FAILED.model_copy(update={"false_failure": True})),
        (run_of("b", ["rm"], success=False).model_copy(update={"tools": ({"type": "function"},)}), FAILED),
        (run_of("b", ["rm"], success=True), SUCCEEDED),
        (run_of("b", ["ls"], success=False), FAILED),
        (run_of("b", [], success=False), FAILED),
    ],
)
def test_no_pair_where_the_contrast_is_not_the_agents(worse: Trajectory, detection: Detection) -> None:
    good = run_of("good", ["ls"], success=True)
    assert not pairs_of([(good, SUCCEEDED), (worse, detection)], 9)


def test_runs_that_share_no_beginning_are_no_pair() -> None:
    bad = run_of("bad", ["rm"], success=False)
    start = bad.steps[0].model_copy(update={"message": "Hello, " + bad.steps[0].message})
    other = bad.model_copy(update={"steps": (start, *bad.steps[1:])})
    good = run_of("good", ["ls"], success=True)
    assert not pairs_of([(good, SUCCEEDED), (other, FAILED)], 9)


def test_equal_runs_give_one_pair() -> None:
    runs = [(run_of("g", ["ls"], success=True), SUCCEEDED), (run_of("b", ["rm"], success=False), FAILED)]
    assert len(pairs_of(runs * 3, 9)) == 1


def test_runs_of_unknown_task_are_grouped_by_goal() -> None:
    assert group_of(None, "Count the  Buoys") == group_of(None, "count the buoys")
    assert group_of("t", "Count the buoys") == "t"


def test_pairs_of_a_task_are_capped_and_spread() -> None:
    runs = [(run_of(f"g{i}", [f"good {i}"], success=True), SUCCEEDED) for i in range(4)]
    runs += [(run_of(f"b{i}", [f"bad {i}"], success=False), FAILED) for i in range(4)]
    pairs = pairs_of(runs, 4)
    assert len({p.chosen_trajectory for p in pairs}) == len({p.rejected_trajectory for p in pairs}) == 4
    assert len(pairs_of(runs, 99)) == 16


def test_desirable_starts_after_the_last_masked_turn() -> None:
    whole = desirable(example_of())
    assert whole is not None
    assert [m["role"] for m in whole.prompt] == ["user"]
    late = desirable(example_of(train_on=(3,)))
    assert late is not None
    assert [m["step"] for m in late.completion] == [3]
    assert desirable(example_of(train_on=(2,))) is None


def test_undesirable_is_the_whole_failed_run() -> None:
    run = run_of("bad", ["ls", "rm"], success=False)
    record = undesirable(run, FAILED)
    assert record is not None
    assert record.label is False
    assert [*record.prompt, *record.completion] == whole_run(run)
    assert record.completion[-1]["role"] == "assistant"
    assert undesirable(run, FAILED.model_copy(update={"infrastructure": True})) is None


def unpaired(run: int, number: int, *, label: bool) -> Line:
    return Line("kto.jsonl", f"{run} {label} {number}".encode(), Turn("train", label, seeded_rank(str(run), 0)))


@settings(max_examples=60, deadline=None)
@given(runs=st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=40))
def test_twins_lie_far_apart(runs: list[tuple[int, bool]]) -> None:
    """Whatever the number of goals a run gave, and however many runs have no undesirable twin."""
    shuffle = UnpairedShuffle()
    lines = [unpaired(i, k, label=True) for i, (n_good, _) in enumerate(runs) for k in range(n_good)]
    lines += [unpaired(i, 0, label=False) for i, (_, failed) in enumerate(runs) if failed]
    for line in lines:
        assert line.turn is not None
        shuffle.add(line, line.turn)
    found = [text for _, text, _ in shuffle]
    shuffle.close()
    assert sorted(found) == sorted(line.text for line in lines)
    rows = [text.split() for text in found]
    for i, (run, label, _) in enumerate(rows):
        for j, (other, other_label, _) in enumerate(rows):
            if run == other and label == b"True" and other_label == b"False":
                assert abs(i - j) > len(runs) // 2 - 1


def test_nothing_is_left_when_writing_fails(tmp_path: Path) -> None:
    def stop_halfway() -> None:
        with TrainingFiles(tmp_path) as files:
            for line in training_lines("sft", example_of(), "r", "train"):
                files.add(line)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_halfway()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
