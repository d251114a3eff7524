"""What holds for the rows of every consumer that is named by `--for`, over runs of many shapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.writers.writer_material import MANY, agent, call, example, examples, pair, result, unpaired, user

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.writers import WRITERS, FileSize, checked_rows, kind_of, row_line

NEW = ("swift", "llamafactory", "axolotl", "openai", "atif")
TOOL = '[{"type":"function","function":{"name":"search","parameters":{"type":"object","properties":{}}}}]'
ROLES = {
    "user": "user",
    "human": "user",
    "tool": "tool",
    "tool_response": "tool",
    "observation": "tool",
    "assistant": "agent",
    "tool_call": "agent",
    "gpt": "agent",
    "function_call": "agent",
}


def rows_of(name: str, record: Any) -> list[dict[str, Any]]:
    rows = list(WRITERS[name].rows(record))
    for row in rows:
        WRITERS[name].check(row)
    return rows


def turns_of(name: str, row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return who speaks and what, system turns left out, turns of one speaker in a row as one."""
    if name == "llamafactory":
        turns = [(ROLES[t["from"]], t["value"]) for t in row["conversations"]]
    else:
        turns = [
            (ROLES[m["role"]], m["content"] + "".join(c["function"]["arguments"] for c in m.get("tool_calls", [])))
            for m in row["messages"]
            if m["role"] != "system"
        ]
    joined: list[tuple[str, str]] = []
    for who, text in turns:
        if joined and joined[-1][0] == who:
            joined[-1] = (who, joined[-1][1] + text)
        else:
            joined.append((who, text))
    return joined


def calls_in(name: str, row: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the calls of a row as its consumer reads them."""
    if name == "llamafactory":
        values = [t["value"] for t in row["conversations"] if t["from"] == "function_call"]
        parsed = [json.loads(v.partition("<tool_call>")[2].partition("</tool_call>")[0] or v) for v in values]
        calls = [one for p in parsed for one in (p if isinstance(p, list) else [p])]
        return [(c["name"], c["arguments"]) for c in calls]
    if name == "swift":
        calls = [json.loads(m["content"]) for m in row["messages"] if m["role"] == "tool_call"]
        return [(c["name"], c["arguments"]) for c in calls]
    functions = [c["function"] for m in row["messages"] for c in m.get("tool_calls", [])]
    return [(f["name"], json.loads(f["arguments"])) for f in functions]


@pytest.mark.parametrize("name", NEW)
@MANY
@given(one=examples(masks=False))
def test_any_run_is_one_row_that_passes_its_check(name: str, one: Example) -> None:
    for row in checked_rows(WRITERS[name], one):
        if isinstance(row, WriteError):
            assert name in ("openai", "llamafactory")
            assert "name of 1 to 64" in row.message or "<tool_call>" in row.message or "with a name" in row.message


@pytest.mark.parametrize("name", ["swift", "llamafactory", "axolotl"])
@MANY
@given(one=examples(masks=False))
def test_speakers_alternate_and_the_agent_is_last(name: str, one: Example) -> None:
    for row in (r for r in checked_rows(WRITERS[name], one) if isinstance(r, dict)):
        speakers = [who for who, _ in turns_of(name, row)]
        assert speakers[0] == "user"
        assert all((who == "agent") == bool(n % 2) for n, who in enumerate(speakers))
        assert speakers[-1] == "agent"


@pytest.mark.parametrize("name", ["swift", "llamafactory", "axolotl"])
@MANY
@given(one=examples(masks=False))
def test_calls_mean_the_same_and_each_is_answered_once(name: str, one: Example) -> None:
    asked = [c["function"] for m in one.messages for c in m.get("tool_calls", [])]  # type: ignore[union-attr]
    for row in (r for r in checked_rows(WRITERS[name], one) if isinstance(r, dict)):
        assert calls_in(name, row) == [(f["name"], json.loads(f["arguments"])) for f in asked]  # type: ignore[index,call-overload,arg-type]
        if name == "swift":
            n_results = sum(m["role"] == "tool_response" for m in row["messages"])  # type: ignore[union-attr,index,call-overload]
            assert n_results == sum(m["role"] == "tool" for m in one.messages)


@MANY
@given(one=examples())
def test_masks_are_those_of_the_example(one: Example) -> None:
    marks = [(m["content"], m["step"] in one.train_on) for m in one.messages if m["role"] == "assistant"]
    (axolotl,) = rows_of("axolotl", one)
    assert [(m["content"], m["training"]) for m in axolotl["messages"] if m["role"] == "assistant"] == marks
    (swift,) = rows_of("swift", one)
    loss: list[bool] = []
    for before, message in zip([{"role": ""}, *swift["messages"]], swift["messages"], strict=False):
        if message["role"] == "assistant" or (message["role"] == "tool_call" != before["role"] != "assistant"):
            loss.append(message["loss"])
        elif message["role"] == "tool_call":
            assert message["loss"] == before["loss"]
        else:
            assert "loss" not in message
    assert loss == [trained for _, trained in marks]
    for row in (r for r in checked_rows(WRITERS["openai"], one) if isinstance(r, dict)):
        assert [m["weight"] for m in row["messages"] if m["role"] == "assistant"] == [int(t) for _, t in marks]  # type: ignore[union-attr,index,call-overload]


@MANY
@given(one=examples())
def test_llamafactory_has_a_row_for_each_turn_to_imitate_where_one_is_masked(one: Example) -> None:
    writer, one = WRITERS["llamafactory"], one.model_copy(update={"tools": "[]"})
    rows = [row for row in checked_rows(writer, one) if isinstance(row, dict)]
    agents = [m["step"] for m in one.messages if m["role"] == "assistant"]
    if tuple(agents) == one.train_on:
        assert all(kind_of(writer, row, "sft") == "sft" for row in rows)
        return
    assert all(kind_of(writer, row, "sft") == "sft_last" for row in rows)
    whole: Any = next(writer.rows(one.model_copy(update={"train_on": tuple(agents)})))
    for row in rows:
        turns: Any = row["conversations"]
        assert row["step"] in one.train_on
        assert turns == whole["conversations"][: len(turns)]
        assert len(turns) == 2 * (agents.index(row["step"]) + 1)
    assert len({row["step"] for row in rows}) == len(rows)
    if len(rows) < len(one.train_on):
        assert any(isinstance(row, WriteError) for row in checked_rows(writer, one))


@pytest.mark.parametrize("name", NEW)
@given(many=st.lists(examples(masks=False), min_size=2, max_size=4))
def test_columns_and_types_are_the_same_in_all_rows(name: str, many: list[Example]) -> None:
    rows = [row for one in many for row in checked_rows(WRITERS[name], one) if isinstance(row, dict)]
    shapes = {tuple((k, type(v)) for k, v in row.items() if name != "openai" or k == "messages") for row in rows}
    assert len(shapes) <= 1
    known = set(WRITERS[name].columns("sft"))
    assert all(set(row) <= known for row in rows)


@pytest.mark.parametrize("name", NEW)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(many=st.lists(examples(masks=False), min_size=1, max_size=5))
def test_datasets_loads_what_was_written_unchanged(name: str, tmp_path_factory: Any, many: list[Example]) -> None:
    rows = [row for one in many for row in checked_rows(WRITERS[name], one) if isinstance(row, dict)]
    if not rows:
        return
    folder: Path = tmp_path_factory.mktemp("rows")
    (folder / "sft.jsonl").write_bytes(b"".join(row_line(row) for row in rows))
    loaded = datasets.load_dataset(
        "json", data_files=str(folder / "sft.jsonl"), split="train", cache_dir=str(folder / "cache")
    )
    assert [without_absent(row) for row in loaded] == [without_absent(row) for row in rows]


def without_absent(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_absent(v) for k, v in value.items() if v is not None}
    return [without_absent(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize(
    ("messages", "says"),
    [
        ([user(1), agent(2, "", call()), agent(3, "7")], "result of call c1"),
        ([user(1), agent(2, "one"), agent(3, "two")], "may follow assistant"),
        ([user(1), agent(2, "  ")], "blank"),
        ([user(1, "\ud800"), agent(2, "7")], "JSON can hold"),
        ([user(1), agent(2, "", call(arguments="ls -l")), result(2), agent(3, "7")], "a JSON object, found 'ls -l'"),
        ([user(1), agent(2, "", call(arguments='{"n": NaN}')), result(2), agent(3, "7")], "a JSON object"),
    ],
)
def test_what_a_trainer_would_mistake_is_named_and_set_aside(name: str, messages: list[Any], says: str) -> None:
    if name == "atif":
        return
    (error,) = checked_rows(WRITERS[name], example(messages))
    assert isinstance(error, WriteError)
    assert says in str(error)


@pytest.mark.parametrize("name", ["swift", "llamafactory"])
def test_a_user_turn_after_a_result_has_no_place(name: str) -> None:
    messages = [user(1), agent(2, "", call()), result(2), user(3, "and?"), agent(4, "7")]
    (error,) = checked_rows(WRITERS[name], example(messages))
    assert isinstance(error, WriteError)
    assert "after a result" in str(error)


@pytest.mark.parametrize("name", NEW)
def test_turns_after_the_last_trained_one_are_left_out(name: str) -> None:
    messages = [user(1), agent(2, "7"), user(3, "thanks"), agent(4, "bye")]
    (row,) = rows_of(name, example(messages, (2,)))
    if name != "atif":
        assert [text for _, text in turns_of(name, row)] == ["count the crates", "7"]


@pytest.mark.parametrize("name", ["llamafactory", "axolotl", "openai"])
def test_a_longer_pair_is_not_shortened(name: str) -> None:
    long = [agent(2, "", call()), result(2), agent(3, "7")]
    (error,) = checked_rows(WRITERS[name], pair([user(1)], long, [agent(2, "9")]))
    assert isinstance(error, WriteError)
    assert "swift and trl take them whole" in str(error)


@pytest.mark.parametrize("name", ["axolotl", "openai", "atif"])
def test_labelled_runs_are_refused_and_the_others_named(name: str) -> None:
    (error,) = checked_rows(WRITERS[name], unpaired([user(1)], [agent(2, "9")], label=False))
    assert isinstance(error, WriteError)
    assert "kto" in WRITERS[name].refuses
    assert "kto" not in WRITERS[name].kinds
    assert "swift" in WRITERS[name].refuses["kto"]


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_kind_is_written_or_refused(name: str) -> None:
    writer = WRITERS[name]
    assert sorted({*writer.kinds, *writer.refuses} - {"sft_last"}) == ["dpo", "goal_contrast", "kto", "sft"]


@pytest.mark.parametrize("name", NEW)
def test_the_guide_has_the_command_and_says_what_becomes_of_w(name: str) -> None:
    writer = WRITERS[name]
    files: Any = {(side, kind): FileSize(20, 5000) for side in ("train", "test") for kind in writer.kinds}
    made = writer.sidecars(files)
    assert "severity\nweight" in made["README.md"] or "severity weight" in made["README.md"]
    assert not writer.sidecars({})
    for kind in writer.refuses:
        assert f"- No `{kind}`" in made["README.md"]
    for text in made.values():
        assert "{commands}" not in text
    if f"{writer.kinds[0]}.yaml" in made:
        limits = [line for kind in writer.kinds for line in made[f"{kind}.yaml"].splitlines() if " 8192 " in line]
        assert len(limits) == len(writer.kinds)
