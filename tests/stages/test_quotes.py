"""Quotes are found where they stand, whatever JSON and the fence made of white space and signs; nothing else is found."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.fence import escape
from agenther.stages.quotes import bare, locate
from agenther.testing.make import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Trajectory


def run_with(output: str, **arguments: str) -> Trajectory:
    return make_trajectory(user("Find it"), assistant("", tool_call("look", **arguments)), tool(output))


def quoted(output: str, quote: str, **arguments: str) -> str | None:
    run = run_with(output, **arguments)
    span = locate(run, 2, quote)
    return None if span is None else f"{span.field.split('[')[0]}: {run.text_at(span)}"


@pytest.mark.parametrize(
    ("output", "quote", "found"),
    [
        ("rows: 42", "42", "42"),
        ("born 1984, aged 4", "4", "4"),
        ("total\t  of\n 12 pots", "total of 12 pots", "total\t  of\n 12 pots"),
        ('{"name": "Moor \\"Inn\\""}', 'Moor "Inn"', 'Moor \\"Inn\\"'),
        ('{"text": "a\\nb c"}', "a\nb", "a\\nb"),
        ("caf\\u00e9 Torvik", "café Torvik", "caf\\u00e9 Torvik"),
        ("a\u200bb <|end|> now", "ab <\\|end\\|> now", "a\u200bb <|end|> now"),
        ("a\u200bb then", escape("a\u200bb then"), "a\u200bb then"),
    ],
)
def test_found(output: str, quote: str, found: str) -> None:
    assert quoted(output, quote) == f"observations: {found}"


@pytest.mark.parametrize(
    ("output", "quote"),
    [
        ("born 1984", "84"),
        ("born 1984", "1"),
        ("3.14 and 1,200", "14"),
        ("3.14 and 1,200", "1"),
        ("Torvikland", "Torvik"),
        ("Torvik", "torvik"),
        ("rows: 42", "rows: 43"),
        ("rows: 42 pots", "rows: 42 ... pots"),
        ("--", "--"),
        ("rows", ""),
    ],
)
def test_not_found(output: str, quote: str) -> None:
    assert quoted(output, quote) is None


def test_an_observation_is_preferred_to_the_call() -> None:
    assert quoted("Torvik has 3", "Torvik", town="Torvik") == "observations: Torvik"
    assert quoted("there are 3", "Torvik", town="Torvik") == "tool_calls: Torvik"


def test_a_step_that_does_not_exist_holds_nothing() -> None:
    assert locate(run_with("rows"), 9, "rows") is None
    assert locate(run_with("rows"), 1, "Find") is None
    assert locate(run_with("rows"), 1, "Find", ("message",)) is not None


@given(st.text(), st.text())
def test_what_is_found_is_the_quote(output: str, quote: str) -> None:
    run = run_with(output)
    if (span := locate(run, 2, quote, ("observations",))) is not None:
        assert bare(run.text_at(span)) == bare(quote) or run.text_at(span) == quote.strip()


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Z")), min_size=1), st.text(" \n\t", min_size=1))
def test_whole_fields_are_found_as_they_were_shown(word: str, gap: str) -> None:
    output = f"x{word}x{gap}end"
    assert locate(run_with(output), 2, escape(output), ("observations",)) is not None
    assert locate(run_with(json.dumps(output)), 2, output, ("observations",)) is not None
