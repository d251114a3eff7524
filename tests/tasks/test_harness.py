"""What decides a task, with answers and calls that differ and some that do not."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.tasks import harness
from agenther.tasks.harness import NOT_RECORDED, Recorded, call_key, plain, run, same_answer, same_calls

SCALARS = st.integers(-(10**6), 10**6) | st.text(
    st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=6
)


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (14, "14"), ("14", 14.0), ("3.50", 3.5), ("Ash  Blue", "ash blue"), (["a", "b"], ["B", "A"]), ([7], 7), (7, [7]),
        ([["Baking", 3], ["Glazing", 5]], [["glazing", "5"], ["baking", 3]]),
        ({"high": ["05:42", "18:10"]}, {"High": ["05:42", "18:10"]}),
        ("1.5e+3", 1500), (True, True), ("-0", 0),
    ],
)  # fmt: skip
def test_the_same_answer_in_another_spelling(expected: Any, found: Any) -> None:
    assert same_answer(expected, found) == (not (expected == 7 and found == [7]))


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        (14, 15), (14, "14 files"), (["a", "b"], ["a"]), (["a"], ["a", "a"]), (["a", "b"], "a b"), (14, True), (1, True),
        ([["Baking", 3]], [[3, "Baking"]]), ({"high": "05:42"}, {"high": "05:42", "low": "11:55"}), (None, ""), ("None", None),
        ({"high": ["05:42", "18:10"]}, {"high": ["18:10", "05:42"]}), ("$5.30", "$5.31"), (5.3, 5.31),
        ("12_34", "1234"), ("02134", 2134), ("12e4", 120000), (f"{10**35 + 1}", f"{10**35 + 2}"), ("٣", 3),
    ],
)  # fmt: skip
def test_another_answer(expected: Any, found: Any) -> None:
    assert not same_answer(expected, found)


def test_order_counts_where_it_is_asked_for() -> None:
    assert same_answer([1, 2], [2, 1])
    assert not same_answer([1, 2], [2, 1], ordered=True)


@given(st.lists(SCALARS, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_list_in_any_order_is_itself_and_no_other_list(values: list[Any], chance: random.Random) -> None:
    mixed = [*values]
    chance.shuffle(mixed)
    assert same_answer(values, mixed)
    place = chance.randrange(len(values))
    changed = [*values]
    changed[place] = f"{changed[place]}x"
    assert not same_answer(values, changed)
    assert not same_answer(values, [*values, values[0]])


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000))
def test_numbers_are_known_by_their_value(number: Any) -> None:
    assert plain(str(number)) == plain(f"{number}000") == plain(float(number))


def test_a_number_without_end_is_a_text() -> None:
    assert plain("1e999999999") == "1e999999999"
    assert plain("NaN") == "nan"


ORDER = {"name": "cancel", "arguments": {"id": "W77", "why": "mistake"}}


def test_calls_that_change_something_must_be_the_expected_ones() -> None:
    look = {"name": "get", "arguments": {"id": "W77"}}
    turned = {"name": "cancel", "arguments": {"why": "mistake", "id": "W77"}}
    assert same_calls([ORDER], ["cancel", "refund"], [look, turned, look])
    assert not same_calls([ORDER], ["cancel", "refund"], [turned, {"name": "refund", "arguments": {"id": "W77"}}])
    assert not same_calls([ORDER], ["cancel"], [turned, turned])
    assert not same_calls([ORDER], ["cancel"], [{"name": "cancel", "arguments": {"id": "W78", "why": "mistake"}}])
    assert not same_calls([ORDER], ["cancel"], [])


def test_a_recording_answers_what_was_asked_and_nothing_else() -> None:
    initial = {"responses": {call_key("cancel", ORDER["arguments"]): "cancelled"}, "effects": ["cancel"]}
    seen, state = run(Recorded(), initial, [ORDER])
    assert (seen, state) == ("cancelled", {"calls": [ORDER]})
    other = {"name": "cancel", "arguments": {"id": "W78", "why": "mistake"}}
    assert run(Recorded(), initial, [other]) == (NOT_RECORDED, {"calls": []})


def test_a_log_with_garbage_keeps_its_calls(tmp_path: Any) -> None:
    log = tmp_path / "calls.jsonl"
    log.write_text(
        '{"name": "a", "arguments": {"n": 1}}\n[]\nno json\n{"name": 3, "arguments": {}}\n{"name": "b", "arguments": []}\n'
    )
    assert harness.logged(log) == [{"name": "a", "arguments": {"n": 1}}]


def test_a_log_keeps_calls_with_any_character(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_ROOT", str(tmp_path))
    settings = tmp_path / "settings.json"
    settings.write_text('{"environment": {"kind": "recorded", "initial": {"responses": {}, "effects": []}}}')
    arguments = {"note": "two\u2028lines\x85 and\x1c more"}
    harness.call(settings, ["write", harness.json.dumps(arguments)])
    assert harness.logged(tmp_path / harness.LOG) == [{"name": "write", "arguments": arguments}]
