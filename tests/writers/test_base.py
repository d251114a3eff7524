from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.writers.writer_material import MANY

from agenther.errors import WriteError
from agenther.record import JsonObject
from agenther.writers.base import check_json


def test_a_name_that_arrow_would_cut_is_refused() -> None:
    check_json({"content": "a \0 in a text", "quoted": '"\\u0000":'})
    with pytest.raises(WriteError, match="NUL"):
        check_json({"calls": [{"arguments": {"a\0": 1}}]})


NAMES = st.text("abcé", max_size=3)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text("null\ud800é\0", max_size=5)
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@MANY
@given(st.dictionaries(NAMES, VALUES, max_size=3))
def test_a_row_is_refused_exactly_when_it_does_not_come_back_from_json(row: JsonObject) -> None:
    assert is_taken(row) == comes_back(row)


def is_taken(row: JsonObject) -> bool:
    try:
        check_json(row)
    except WriteError:
        return False
    return True


def comes_back(row: JsonObject) -> bool:
    try:
        return orjson.loads(orjson.dumps(row)) == row
    except TypeError:
        return False
