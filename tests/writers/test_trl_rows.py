from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.writers.writer_material import MANY, agent, call, example, examples, pair, result, unpaired, user

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.writers import WRITERS, checked_rows, row_line

TRL = WRITERS["trl"]


def rows_of(record: Any) -> list[dict[str, Any]]:
    rows = list(TRL.rows(record))
    for row in rows:
        TRL.check(row)
    return rows


@MANY
@given(examples())
def test_every_stretch_of_trained_turns_is_one_row_that_passes_the_check(one: Example) -> None:
    rows = rows_of(one)
    trained = [step for row in rows for step in json.loads(row["metadata"])["steps"]]
    assert trained == list(one.train_on)


@MANY
@given(examples())
def test_completions_start_and_end_with_the_agent_and_hold_no_masked_turn(one: Example) -> None:
    texts = {m["step"]: m for m in one.messages if m["role"] == "assistant"}
    for row in rows_of(one):
        completion = row["completion"]
        assert completion[0]["role"] == completion[-1]["role"] == "assistant"
        steps = json.loads(row["metadata"])["steps"]
        assert [m["content"] for m in completion if m["role"] == "assistant"] == [texts[s]["content"] for s in steps]


@MANY
@given(examples())
def test_prompt_and_completion_together_are_the_run_up_to_there(one: Example) -> None:
    for row in rows_of(one):
        whole = row["prompt"] + row["completion"]
        assert [(m["role"], m["content"]) for m in whole] == [
            (m["role"], m["content"]) for m in one.messages[: len(whole)]
        ]


@MANY
@given(examples())
def test_every_call_is_answered_once_and_its_arguments_mean_the_same(one: Example) -> None:
    for row in rows_of(one):
        whole = row["prompt"] + row["completion"]
        asked = [c["id"] for m in whole[:-1] for c in m.get("tool_calls", [])]
        assert asked == [m["tool_call_id"] for m in whole if m["role"] == "tool"]
        for ours, theirs in zip(whole, one.messages, strict=False):
            for mine, original in zip(ours.get("tool_calls", []), theirs.get("tool_calls", []), strict=True):
                assert mine["function"]["arguments"] == json.loads(original["function"]["arguments"])


@given(st.lists(examples(), min_size=2, max_size=4))
def test_columns_and_types_are_the_same_in_all_rows(many: list[Example]) -> None:
    shapes = {tuple((k, type(v)) for k, v in row.items()) for one in many for row in rows_of(one)}
    assert len(shapes) == 1


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(examples(), min_size=1, max_size=5))
def test_datasets_loads_what_was_written_unchanged(tmp_path_factory: Any, many: list[Example]) -> None:
    folder: Path = tmp_path_factory.mktemp("rows")
    rows = [row for one in many for row in rows_of(one)]
    (folder / "sft.jsonl").write_bytes(b"".join(row_line(row) for row in rows))
    loaded = datasets.load_dataset(
        "json", data_files=str(folder / "sft.jsonl"), split="train", cache_dir=str(folder / "cache")
    )
    assert [without_absent(row) for row in loaded] == [without_absent(row) for row in rows]


def without_absent(value: Any) -> Any:
    """A struct column gives every message every key, None where it was absent: the templates treat both alike."""
    if isinstance(value, dict):
        return {k: without_absent(v) for k, v in value.items() if v is not None}
    return [without_absent(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([user(1), agent(2, "", call()), agent(3, "7")], "result of call c1"),
        ([user(1), agent(2, "", call()), result(2), result(2), agent(3, "7")], "may follow tool, found role tool"),
        ([user(1), result(1), agent(2, "7")], "found role tool"),
        ([user(1), agent(2, "one"), agent(3, "two")], "may follow assistant"),
        ([agent(1, "hello")], "prompt: expected at least one message"),
        ([user(1), agent(2, "", call(arguments="ls -l")), result(2), agent(3, "7")], "a JSON object, found 'ls -l'"),
        ([user(1), agent(2, "", call(arguments="[1]")), result(2), agent(3, "7")], "a JSON object"),
        ([user(1), agent(2, "", call(arguments='{"n": 1e999}')), result(2), agent(3, "7")], "found inf"),
        ([user(1), agent(2, "", call(arguments='{"n": [1e-12]}')), result(2), agent(3, "7")], "`datasets` keeps"),
        (
            [user(1), agent(2, "", call(arguments='{"n": ' + "9" * 30 + "}")), result(2), agent(3, "7")],
            "`datasets` keeps",
        ),
        ([user(1), agent(2, "  ")], "blank"),
        ([user(1, "\ud800"), agent(2, "7")], "JSON can hold"),
        ([user(1), agent(2, "", call(), call()), result(2), result(2), agent(3, "7")], "ids of their own"),
    ],
)
def test_what_the_trainer_would_mistake_is_named_and_set_aside(messages: list[Any], says: str) -> None:
    (error,) = checked_rows(TRL, example(messages))
    assert isinstance(error, WriteError)
    assert says in str(error)


def test_numbers_are_refused_exactly_where_datasets_changes_them() -> None:
    """The rule beside the parser itself: pandas' ujson, through which `datasets` reads objects."""
    ujson = importlib.import_module("pandas.io.json")
    numbers = [n / 10**d for d in (1, 2, 3, 4, 7, 12) for n in range(-2000, 40000, 7)] + [1e-12, 1e14 + 0.5, 0.1 + 0.2]
    changed = {n for n in numbers if ujson.ujson_loads(ujson.ujson_dumps(n)) != n}
    refused = {n for n in numbers if isinstance(next(_rows_with(n)), WriteError)}
    assert 0.3 in changed
    assert changed == refused


def _rows_with(number: float) -> Iterator[Any]:
    return checked_rows(TRL, example([user(1), agent(2, "", call(arguments={"n": number})), result(2), agent(3, "7")]))


def test_a_broken_stretch_leaves_the_others() -> None:
    messages = [user(1), agent(2, "look"), user(2, "8 crates"), agent(3, "hm"), user(3, "?"), agent(4, " ")]
    good, bad = checked_rows(TRL, example(messages, (2, 4)))
    assert isinstance(good, dict)
    assert isinstance(bad, WriteError)


def test_results_without_ids_answer_open_calls_in_order() -> None:
    messages = [user(1), agent(2, "", call("a", call_id=""), call("b", call_id="")), result(2, "A", None)]
    messages += [result(2, "B", None), agent(3, "done")]
    (row,) = rows_of(example(messages))
    assert [(m["name"], m["content"]) for m in row["completion"] if m["role"] == "tool"] == [("a", "A"), ("b", "B")]


def test_pairs_and_labels_become_rows() -> None:
    prompt, good, bad = [user(1)], [agent(2, "7")], [agent(2, "9")]
    (dpo,) = rows_of(pair(prompt, good, bad))
    (kto,) = rows_of(unpaired(prompt, bad, label=False))
    assert dpo["chosen"] == [{"role": "assistant", "content": "7"}]
    assert kto["label"] is False
    assert isinstance(kto["weight"], float)
    assert "step" not in dpo["prompt"][0]


def test_a_pair_of_equals_and_a_label_that_is_no_bool_are_refused() -> None:
    same = pair([user(1)], [agent(2, "7")], [agent(2, "7")])
    (error,) = checked_rows(TRL, same)
    assert "the same" in str(error)
    (row,) = TRL.rows(unpaired([user(1)], [agent(2, "7")], label=True))
    for wrong in ("true", 1, None):
        with pytest.raises(WriteError, match="label"):
            TRL.check(row | {"label": wrong})
    with pytest.raises(WriteError, match="weight"):
        TRL.check(row | {"weight": 1})
    with pytest.raises(WriteError, match="columns"):
        TRL.check(row | {"extra": 1})
    with pytest.raises(WriteError, match="tools"):
        TRL.check(row | {"tools": [1]})
