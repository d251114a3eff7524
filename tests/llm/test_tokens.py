from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.llm.serving import make_request

from agenther.llm.base import AnswerForm
from agenther.llm.tokens import _WEIGHTS, estimate_prompt, estimate_tokens

COUNTED = [
    ("", 0),
    ("The lamp is on the desk, and the drawer is closed.", 13),
    ('{"order_id": "W1203", "items": [{"sku": 41, "qty": 2}]}', 29),
    ("def add(a, b):\n    return a + b\n", 12),
    ("Привет, как дела сегодня?", 12),
    ("今天的天气很好，我们去公园吧。", 18),
    ("3f2a9c1e-77b0-4d35-9a52-0c1de8f4b6a7", 35),
    ("ERROR 404: no such file /srv/data/report.csv", 16),
    ("🎉🎉 done", 9),
]
"""Texts with the most tokens that three tokenizers make of them."""


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_an_estimate_is_not_below_and_not_far_above(text: str, tokens: int) -> None:
    assert tokens <= estimate_tokens(text) <= 1.6 * tokens


@given(st.text(), st.text())
def test_parts_have_no_fewer_tokens_than_the_whole(one: str, other: str) -> None:
    assert estimate_tokens(one + other) <= estimate_tokens(one) + estimate_tokens(other)
    assert max(estimate_tokens(one), estimate_tokens(other)) <= estimate_tokens(one + " " + other)


def test_a_lone_half_of_a_pair_harms_nothing() -> None:
    assert estimate_tokens("\ud83d") > 0


def test_a_prompt_has_its_messages_their_marks_and_the_schema() -> None:
    request = make_request("The lamp is on the desk.")
    assert estimate_prompt(request) > estimate_tokens("The lamp is on the desk.")
    form = AnswerForm(name="judge", json_schema={"type": "object", "properties": {"valid": {"type": "boolean"}}})
    assert estimate_prompt(request.model_copy(update={"form": form})) > estimate_prompt(request) + 10


def test_no_byte_is_of_two_classes() -> None:
    """Each class is counted in what those before it have left."""
    counted = [byte for kind, _ in _WEIGHTS for byte in kind]
    assert len(counted) == len(set(counted))
