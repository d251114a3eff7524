"""Pairs of a whole job: counted by kind as the rows say it, no more of a kind than a task may give, the same for any workers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.runs import write_runs

from agenther.config import Config
from agenther.jobs.job import Job, execute
from agenther.train.contrast import read_contrasts

CONSUMERS = ("trl", "swift")


def job(inputs: Path, out: Path, workers: int = 1, **settings: Any) -> Path:
    config = Config(weights="ignore", **settings)
    execute(Job((str(inputs),), out, config, workers=workers, consumers=CONSUMERS))
    return out


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("pairs") / "ic_sql_invented.json", 160)


@pytest.fixture(scope="module")
def out(inputs: Path) -> Path:
    return job(inputs, inputs.parent / "out")


def told(out: Path, name: str) -> list[dict[str, Any]]:
    rows = (line for side in ("train", "test") for line in (out / side / name).open(encoding="utf-8"))
    return [json.loads(json.loads(row)["metadata"]) for row in rows]


def test_the_manifest_counts_what_the_rows_say(out: Path) -> None:
    pairs = json.loads((out / "manifest.json").read_text())["pairs"]
    rows = [*told(out, "swift/dpo.jsonl"), *told(out, "swift/goal_contrast.jsonl")]
    assert pairs == Counter(row["kind"] for row in rows)
    assert all(pairs[kind] > 0 for kind in ("same_goal", "step", "goal_contrast"))
    assert [row["id"] for row in told(out, "trl/dpo.jsonl")] == [row["id"] for row in told(out, "swift/dpo.jsonl")]
    for row in rows:
        assert row["why"]
        assert row.get("outcome_inferred", False) is (row["kind"] in ("step", "hindsight_goal"))


def test_each_kind_has_its_own_share_of_a_task(inputs: Path, out: Path, tmp_path: Path) -> None:
    for most, folder in ((4, out), (1, job(inputs, tmp_path / "one", pairs_per_task=1))):
        per_task = Counter((row["task_id"], row["kind"]) for row in told(folder, "trl/dpo.jsonl"))
        assert max(per_task.values()) == most
    assert not told(job(inputs, tmp_path / "none", pairs_per_task=0), "trl/dpo.jsonl")


def test_the_pairs_are_the_same_for_any_number_of_workers(inputs: Path, out: Path, tmp_path: Path) -> None:
    other = job(inputs, tmp_path / "out", workers=2)
    for name in ("trl/dpo.jsonl", "swift/dpo.jsonl", "swift/goal_contrast.jsonl"):
        assert (other / "train" / name).read_bytes() == (out / "train" / name).read_bytes()


def test_the_contrasts_are_those_that_our_trainer_makes(out: Path) -> None:
    made = list(read_contrasts(out, Counter()))
    rows = [json.loads(line) for line in (out / "train/swift/goal_contrast.jsonl").open(encoding="utf-8")]
    assert len(made) == len(rows)
    for sample, row in zip(made, rows, strict=True):
        better, worse = sample.sides
        assert better.messages[0]["content"] == row["messages"][0]["content"]
        assert worse.messages[0]["content"] == row["rejected_messages"][0]["content"]
        for side, column in ((better, "messages"), (worse, "rejected_messages")):
            assert len(side.trained) == sum(m.get("loss") is True for m in row[column])
