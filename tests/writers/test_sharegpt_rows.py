from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import given
from tests.writers.writer_material import MANY, agent, call, example, examples, pair, result, user

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.writers import WRITERS, checked_rows, row_line

SHAREGPT = WRITERS["sharegpt"]


@MANY
@given(examples(masks=False))
def test_turns_alternate_and_end_with_the_agent(one: Example) -> None:
    (row,) = SHAREGPT.rows(one)
    SHAREGPT.check(row)
    turns: Any = row["conversations"]
    assert [t["from"] for t in turns] == ["human", "gpt"] * (len(turns) // 2)


@MANY
@given(examples(masks=False))
def test_no_text_is_lost(one: Example) -> None:
    (row,) = SHAREGPT.rows(one)
    whole: Any = [str(row["system"]), *(t["value"] for t in row["conversations"])]  # type: ignore[union-attr]
    for message in one.messages:
        assert any(str(message["content"]) in text for text in whole)


def test_calls_and_results_are_text_in_their_order() -> None:
    messages = [
        {"role": "system", "content": "Be brief.", "step": 1},
        user(2),
        agent(3, "Looking.", call("find", {"q": "crate"}), reasoning_content="where?"),
        result(3, "crate: 7"),
        agent(4, "7"),
    ]
    (row,) = SHAREGPT.rows(example(messages, tools='[{"a":1}]'))
    assert row["conversations"] == [
        {"from": "human", "value": "count the crates"},
        {"from": "gpt", "value": 'Thought: where?\nLooking.\nAction: {"name": "find", "arguments": {"q": "crate"}}'},
        {"from": "human", "value": "Observation: crate: 7"},
        {"from": "gpt", "value": "7"},
    ]
    assert str(row["system"]).startswith("Be brief.\n\nTools")
    assert str(row["system"]).endswith('[{"a":1}]')


@pytest.mark.parametrize(
    ("messages", "train_on", "says"),
    [
        ([user(1), agent(2, "a"), user(2), agent(3, "b")], (3,), "found masked ones"),
        ([user(1), agent(2, "", call()), agent(3, "b")], None, "result of call"),
        ([user(1), agent(2, "a"), agent(3, "b")], None, "may follow assistant"),
        ([user(1), agent(2, "")], None, "blank"),
    ],
)
def test_what_the_dialect_cannot_say_is_set_aside(messages: list[Any], train_on: Any, says: str) -> None:
    (error,) = checked_rows(SHAREGPT, example(messages, train_on))
    assert isinstance(error, WriteError)
    assert says in str(error)


def test_pairs_have_no_row_here() -> None:
    (error,) = checked_rows(SHAREGPT, pair([user(1)], [agent(2, "7")], [agent(2, "9")]))
    assert isinstance(error, WriteError)


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [{"from": "human", "value": "a"}],
        [{"from": "gpt", "value": "a"}, {"from": "human", "value": "b"}],
        [{"from": "human", "value": "a"}, {"from": "gpt", "value": 1}],
    ],
)
def test_a_row_out_of_order_is_refused(turns: Any) -> None:
    (row,) = SHAREGPT.rows(example([user(1), agent(2, "7")]))
    with pytest.raises(WriteError, match="conversations"):
        SHAREGPT.check(row | {"conversations": turns})


def test_datasets_loads_it(tmp_path: Path) -> None:
    (row,) = SHAREGPT.rows(example([user(1, "où? 🧭"), agent(2, "7")]))
    (tmp_path / "sft.jsonl").write_bytes(row_line(row))
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "sft.jsonl"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded[0] == row
