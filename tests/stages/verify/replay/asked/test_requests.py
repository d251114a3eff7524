"""Verbs by which texts ask, and tools in plain words."""

from __future__ import annotations

import pytest

from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import in_other_unit, one_word_each
from agenther.stages.verify.replay.asked.requests import requests
from agenther.stages.verify.replay.asked.toolbox import Toolbox
from agenther.testing import tool_schema


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("Sort the spoons and count them.", ["sort", "count"]),
        ("Could you please gently stir the soup?", ["stir"]),
        ("I want to see what is left.", ["see"]),
        ("I came to sort the spoons.", []),
        ("Let's go ahead and delete it, then list the rest.", ["delete", "list"]),
        ("Would you mind listing the spoons?", ["listing"]),
        ("How many spoons are there?", ["how"]),
        ("The count of spoons matters.", []),
        ("Now log in and send it.", ["login", "send"]),
    ],
)
def test_verbs_that_ask_are_told_from_others(text: str, verbs: list[str]) -> None:
    assert [one.word for one in requests(Text(text)) if not one.is_light] == verbs


def test_the_name_of_a_tool_is_a_verb() -> None:
    text = Text("First stirx the soup.")
    assert requests(text) == ()
    assert [one.word for one in requests(text, frozenset({"stirx"}))] == ["stirx"]


def test_two_words_that_are_one_verb_keep_their_place() -> None:
    text = "Set up a table, then turn  off the light."
    assert one_word_each(text) == "setup  a table, then stop      the light."


def test_a_number_in_another_unit_is_another_number() -> None:
    assert in_other_unit("liters", "The amount in gallons.")
    assert not in_other_unit("gallons", "The amount in gallons.")
    assert not in_other_unit("liters", "How many spoons.")


def test_a_tool_fits_a_text_that_speaks_of_what_it_deals_with() -> None:
    shared = "This tool belongs to the kitchen. "
    tools = Toolbox(
        [
            tool_schema("wash_spoon", shared + "Wash a spoon."),
            tool_schema("wash_cup", shared + "Wash a cup."),
            tool_schema("break_cup", shared + "Break a cup."),
        ],
        called=("hum",),
    )
    words = Text("Please wash the cup").words
    fits = {name: tools.fit(tool, words) for name, tool in tools.tools.items()}
    assert max(fits, key=lambda name: fits[name]) == "wash_cup"
    assert tools["wash_cup"].own == "Wash a cup."
    assert fits["hum"] == 0
