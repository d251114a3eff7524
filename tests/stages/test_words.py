"""English at the grain of the rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.words import (
    content_stems,
    find_word,
    is_noun,
    plural,
    sentences,
    singular,
    split_name,
    stem,
)


def cut(text: str) -> list[str]:
    return [text[a:b].strip() for a, b in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        (
            "I write a query that\nselects the ids.\nThen I stop.",
            ["I write a query that\nselects the ids.", "Then I stop."],
        ),
        ("The language is not\nEnglish. Done.", ["The language is not\nEnglish.", "Done."]),
        ("It costs 2.50 e.g. today", ["It costs 2.50 e.g. today"]),
        ("Plan\n1. Look\n2. Take", ["Plan", "1. Look", "2. Take"]),
        ("First\n\nsecond", ["First", "second"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(alphabet="ab. \n!?A1-"))
def test_sentences_cover_the_text(text: str) -> None:
    assert "".join(text[a:b] for a, b in sentences(text)) == text


@given(st.text(st.sampled_from("aAbB_1. kK\u212aé")), st.text(st.sampled_from("aAb_1. kKé"), max_size=3))
def test_a_word_is_found_where_a_search_without_case_finds_it(text: str, word: str) -> None:
    match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
    assert find_word(text, word) == (match.span() if match else None)


def test_stems_join_inflections_and_leave_numbers() -> None:
    assert stem("Singers") == stem("singer")
    assert stem("matches") == stem("matching") == stem("match")
    assert stem("2014") == "2014"


def test_content_stems_leave_out_request_words_and_split_identifiers() -> None:
    assert content_stems("Please list the names of all creditLimits") == {"credit", "limit"}
    assert content_stems("ship_name") == {"ship"}


def test_nouns() -> None:
    assert is_noun("orchestra")
    assert not is_noun("has")
    assert plural("flight company") == "flight companies"
    assert plural("dogs") == "dogs"
    assert singular("boxes") == "box"
    assert split_name("creditLimit_usd") == ("credit", "Limit", "usd")
