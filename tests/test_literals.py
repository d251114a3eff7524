import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.literals import LONGEST_LITERAL, json_value, literal_value, printed_rows
from agenther.testing.strategies import json_values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("{'a': None, 'b': [True, 2.5]}", {"a": None, "b": [True, 2.5]}),
        (" {'a': '\\d'} ", {"a": "\\d"}),
        ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
        ("__import__('os')", None),
        ("{'a': open('x')}", None),
        ("{'a': (1, 2)}", None),
        ("{1: 2}", None),
        ("{'a': 1e999}", None),
        ('{"a": NaN}', None),
        ("{'a': 1", None),
        ("[" * 9000, None),
        ("-" * 9000 + "1", None),
        ("'" + "a" * LONGEST_LITERAL + "'", None),
    ],
)
def test_text_is_read_as_a_value_and_never_run(text: str, value: object) -> None:
    assert literal_value(text) == value


@given(json_values(), st.text(" \t\n\r", max_size=3))
def test_any_json_is_read(value: object, space: str) -> None:
    assert json_value(f"{space}{json.dumps(value)}{space}") == value


def test_json_is_no_python() -> None:
    assert json_value("{'a': 1}") is None


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("[(14,), (3,)]", [[14], [3]]),
        ('[["a", null], ["b", 2.5]]', [["a", None], ["b", 2.5]]),
        ("[('a', Decimal('3.50'))]", [["a", 3.5]]),
        ("[('a', 1), ('b',)]", None),
        ("[]", None),
        ("[[1e999]]", None),
        ("[([1],)]", None),
        ("{'a': 1}", None),
        ("14 rows", None),
    ],
)
def test_rows_of_a_printed_table(text: str, rows: object) -> None:
    assert printed_rows(text) == rows
