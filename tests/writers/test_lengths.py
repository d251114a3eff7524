"""What holds for the number of tokens that a row says it has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from tests.writers.writer_material import agent, call, example, examples, pair, result, tokens_of, unpaired, user

from agenther.conclusions import Example
from agenther.llm.counters import Estimate
from agenther.writers import WRITERS, checked_rows
from agenther.writers.lengths import PER_MESSAGE, PER_ROW, Measure, with_facts


class Letters:
    """Counts letters, so that what is counted twice or not at all is seen."""

    by = "letters"

    def __call__(self, text: str) -> int:
        return len(text)


TURNS = [
    user(1, "u" * 100),
    agent(2, "a" * 200, call("look", {"at": "c" * 300})),
    result(2, "r" * 400),
    agent(3, "e" * 500),
]


def lengths(name: str, record: Any, counter: Any = None) -> list[int]:
    measure = Measure(counter or Letters())
    return [measure.row(row) for row in checked_rows(WRITERS[name], record) if isinstance(row, dict)]


@pytest.mark.parametrize("name", WRITERS)
def test_every_consumer_s_row_counts_all_its_texts_once(name: str) -> None:
    (n,) = lengths(name, example(TURNS))
    assert 1500 <= n < 1800


@pytest.mark.parametrize("name", ["trl", "swift"])
def test_the_longer_side_of_a_pair_counts(name: str) -> None:
    shared, short, long = user(1, "u" * 100), agent(2, "s" * 10), agent(2, "l" * 900)
    one, other = pair([shared], [short], [long]), pair([shared], [long], [short])
    assert 1000 <= lengths(name, one)[0] == lengths(name, other)[0] < 1200
    assert 1000 <= lengths(name, unpaired([shared], [long], True))[0] < 1200


@pytest.mark.parametrize("name", ["llamafactory", "axolotl", "openai"])
def test_sides_of_one_turn_count_with_what_stands_before(name: str) -> None:
    (n,) = lengths(name, pair([user(1, "u" * 100)], [agent(2, "s" * 10)], [agent(2, "l" * 900)]))
    assert 1000 <= n < 1200


@pytest.mark.parametrize("name", WRITERS)
def test_tools_count_in_the_longest_way_of_printing_them(name: str) -> None:
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}]
    (plain,), (with_tools,) = lengths(name, example(TURNS)), lengths(name, example(TURNS, tools=json.dumps(tools)))
    assert with_tools - plain > len(json.dumps(tools))


def test_a_result_counts_as_the_json_string_that_some_templates_print() -> None:
    measure = Measure(Letters())
    assert measure.message({"role": "tool", "content": '"\n'}) == PER_MESSAGE + 6
    assert measure.message({"role": "user", "content": '"\n'}) == PER_MESSAGE + 2
    assert Measure(Letters()).around("[]") == PER_ROW


@pytest.mark.parametrize("name", ["trl", "swift", "llamafactory", "axolotl", "openai", "atif"])
@pytest.mark.parametrize("words", ["", "I look."])
def test_calls_count_as_templates_print_them_that_parse_them_first(name: str, words: str) -> None:
    given = {"at": list(range(50))}
    closely, widely = (
        example([user(1, "u"), agent(2, words, call("look", json.dumps(given, separators=marks)))])
        for marks in ((",", ":"), (", ", ": "))
    )
    assert lengths(name, closely) == lengths(name, widely)


@given(examples())
def test_no_consumer_s_row_counts_more_than_the_example_does(record: Example) -> None:
    most = tokens_of(Measure(Estimate()), record.messages, record.tools)
    for name in WRITERS:
        for n in lengths(name, record, Estimate()):
            assert n <= most + _rewritten(record), name


def _rewritten(record: Example) -> int:
    """Return what `<` costs that a consumer writes as an escape, and control characters as JSON does."""
    text = json.dumps(record.messages)
    return 9 * (text.count("<") + text.count("\\u"))


def test_facts_stand_in_the_metadata_or_not_at_all() -> None:
    (row,) = WRITERS["trl"].rows(example(TURNS))
    assert json.loads(str(with_facts(row, {"n_tokens": 7})["metadata"]))["n_tokens"] == 7
    (document,) = WRITERS["atif"].rows(example(TURNS))
    assert with_facts(document, {"n_tokens": 7})["extra"]["label"]["n_tokens"] == 7  # type: ignore[index, call-overload]
    (bare,) = WRITERS["openai"].rows(example(TURNS))
    assert with_facts(bare, {"n_tokens": 7}) == bare
