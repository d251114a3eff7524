"""Single turns with calls come out for every consumer that compares single turns; the contrast of two goals, for ms-swift."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.writers.writer_material import SQL_TOOLS, contrast, pair, query, result, user

from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, PairEvidence
from agenther.trajectory import Span
from agenther.writers import WRITERS, FileSize, checked_rows


def step_pair() -> Pair:
    prompt = [user(1, "Count the buoys"), query(2, "SHOW TABLES"), result(2, "buoy", "call_2")]
    made = pair(prompt, [query(3, "SELECT COUNT(*) FROM buoy")], [query(3, "SELECT COUNT(*) FROM bouy")])
    where = PairEvidence(trajectory_id="a/2", span=Span(step=3, field="observations[0].content", start=0, end=9))
    return made.model_copy(update={"kind": "step", "tools": SQL_TOOLS, "outcome_inferred": True, "evidence": (where,)})


def row_for(name: str, record: Pair | Contrast) -> dict[str, Any]:
    (row,) = checked_rows(WRITERS[name], record)
    assert isinstance(row, dict), row
    return row


@pytest.mark.parametrize(
    ("name", "chosen", "rejected"),
    [
        ("trl", "chosen", "rejected"),
        ("swift", "messages", "rejected_messages"),
        ("llamafactory", "chosen", "rejected"),
        ("openai", "preferred_output", "non_preferred_output"),
    ],
)
def test_a_pair_of_calls_has_a_row(name: str, chosen: str, rejected: str) -> None:
    row = row_for(name, step_pair())
    assert "FROM buoy" in json.dumps(row[chosen])
    assert "FROM bouy" in json.dumps(row[rejected])
    assert "FROM bouy" not in json.dumps(row[chosen])


@pytest.mark.parametrize("name", ["trl", "swift", "llamafactory"])
def test_the_row_says_which_kind_it_is_why_and_where_it_shows(name: str) -> None:
    told = json.loads(row_for(name, step_pair())["metadata"])
    assert (told["kind"], told["outcome_inferred"], told["why"]) == ("step", True, "one succeeded")
    assert told["evidence"] == [
        {"trajectory_id": "a/2", "step": 3, "field": "observations[0].content", "start": 0, "end": 9}
    ]


def test_calls_would_vanish_in_axolotl_so_the_pair_is_set_aside() -> None:
    (error,) = checked_rows(WRITERS["axolotl"], step_pair())
    assert isinstance(error, WriteError)
    assert "swift and trl take those" in str(error)


def test_each_goal_has_a_conversation_of_its_own_and_masked_turns_stay_masked() -> None:
    row = row_for("swift", contrast())
    assert row["messages"][0] == {"role": "user", "content": "Count the crates"}
    assert row["rejected_messages"][0] == {"role": "user", "content": "Count the buoys"}
    assert [m.get("loss") for m in row["messages"]] == [None, True]
    assert [m.get("loss") for m in row["rejected_messages"]] == [None, False, None, True]
    told = json.loads(row["metadata"])
    assert (told["kind"], told["sides"]) == ("goal_contrast", "whole_run")
    assert told["why"]


def test_its_settings_are_those_of_dpo_on_a_file_of_its_own() -> None:
    made = WRITERS["swift"].sidecars({("train", "goal_contrast"): FileSize(3, 900)})
    assert "dataset: goal_contrast.jsonl\nrlhf_type: dpo\n" in made["goal_contrast.yaml"]
    assert "swift rlhf goal_contrast.yaml" in made["README.md"]


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "swift"])
def test_others_refuse_it_and_name_who_has_it(name: str) -> None:
    assert "swift" in WRITERS[name].refuses["goal_contrast"]
    (error,) = checked_rows(WRITERS[name], contrast())
    assert isinstance(error, WriteError)
