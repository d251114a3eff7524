"""Values that texts name, and where texts say values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.verify.replay.asked.facts import Text, facts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Put 'two eggs' into bowl.txt.", ["two eggs", "bowl.txt"]),
        ("Pay $1,200.50 by May 3rd, 2027.", ["1200.50", "2027-05-03"]),
        ("Fly on the 3rd of May 2027 with card_77.", ["2027-05-03", "card_77"]),
        ("Tell Ada Marsh about #bread and @oven.", ["Ada Marsh", "#bread", "@oven"]),
        ("Hey, warm it to 200 C.", ["200"]),
        ("Bake the 2nd loaf; don't wait.", []),
        ("Book it for 31 February 2027.", ["31", "February", "2027"]),
    ],
)
def test_values_are_found_in_order(text: str, found: list[str]) -> None:
    assert [fact.text for fact in facts(text)] == found


@given(st.text(max_size=80))
def test_values_never_overlap_and_blank_out_letter_for_letter(text: str) -> None:
    read = Text(text)
    assert all(a.end <= b.start for a, b in zip(read.facts, read.facts[1:], strict=False))
    assert len(read.plain) == len(text)


def test_a_value_inside_another_is_not_said() -> None:
    text = Text("Rename 'old bread.txt' to 'cake.txt' and keep the bread.")
    assert text.where("old bread.txt") == (7,)
    assert text.where("bread.txt") == ()
    assert len(text.where("bread")) == 1
    assert text.where("Cake.txt") == ()


def test_numbers_are_said_by_their_value() -> None:
    assert Text("Add 1,500.0 grams").where(1500) == (4,)
    assert Text("Add 1,500 grams").where(150) == ()
