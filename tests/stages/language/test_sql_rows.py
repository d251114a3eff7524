from __future__ import annotations

import ast
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from agenther.stages.language.sql.rows import parse_rows, parts_of

cells = st.one_of(st.none(), st.integers(), st.text("ab'\"\\()[]{}, \n"), st.binary(max_size=4))


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=40), st.integers(1, 40))
def test_a_printed_list_is_the_same_in_parts(table: list[tuple[object, object]], size: int) -> None:
    parts = [ast.literal_eval(part) for part in parts_of(repr(table), size)]
    assert [row for part in parts for row in part] == table


def test_a_long_result_is_read_whole() -> None:
    table = [(n, f"it's ({n}", Decimal("1.5"), date(2020, 1, 2)) for n in range(2_000)]
    found = parse_rows(repr(table))
    assert found is not None
    assert found[1999] == (1999, "it's (1999", 1.5, "2020, 1, 2")
    assert len(found) == 2_000


def test_a_long_text_that_is_no_list_has_no_rows() -> None:
    assert parse_rows(repr([(n, "x") for n in range(2_000)])[:-20]) is None
    assert parse_rows("[" + "(1, 2) " * 2_000 + "]") is None
