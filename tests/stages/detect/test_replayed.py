"""Runs marked as failed that end where the right calls end are false failures; all others stay what they were."""

from __future__ import annotations

import asyncio

import pytest
from tests.stages.replay_runs import SETTING, in_greenhouse, watered

from agenther.conclusions import Detection, Reason
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import Json
from agenther.stages.detect.replayed import ReplayDetector
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.parts import Replaying, rule_parts
from agenther.trajectory import Trajectory

RIGHT: list[Json] = [
    {"name": "open_valve", "arguments": {"bed": "north"}},
    {"name": "water_bed", "arguments": {"bed": "north", "litres": 5}},
]
LOOK: list[Json] = [{"name": "read_sensor", "arguments": {"bed": "south"}}]


def run(gold: list[Json] | None) -> Trajectory:
    labels = {"environment": SETTING.model_dump(mode="json")}
    return watered(labels=labels if gold is None else labels | {"gold_calls": gold})


def detect(trajectory: Trajectory) -> Detection:
    return asyncio.run(ReplayDetector(RuleDetector(), in_greenhouse).detect(trajectory))


def test_a_run_that_ends_right_is_set_aside_as_a_success() -> None:
    found = detect(run(RIGHT))
    assert found.false_failure
    assert "replayed" in found.explanation
    config = Config()
    result = asyncio.run(relabel(run(RIGHT), rule_parts(config, replaying=Replaying(in_greenhouse)), config))
    assert result.drop is not None
    assert result.drop.reason is Reason.PROBABLY_SUCCEEDED
    off = config.model_copy(update={"replay": False})
    result = asyncio.run(relabel(run(RIGHT), rule_parts(off, replaying=Replaying(in_greenhouse)), off))
    assert result.drop is None or result.drop.reason is not Reason.PROBABLY_SUCCEEDED


@pytest.mark.parametrize(
    "gold",
    [None, [], RIGHT[:1], LOOK, [*RIGHT, {"name": "explode", "arguments": {}}]],
    ids=["none", "empty", "less", "look", "broken"],
)
def test_all_others_stay_failures(gold: list[Json] | None) -> None:
    assert not detect(run(gold)).false_failure
