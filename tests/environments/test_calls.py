from __future__ import annotations

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.environments.calls import arguments_of, parse_call
from agenther.errors import ParseError
from agenther.record import Json
from agenther.trajectory import ToolCall

PARAMETERS = {"move": ("source", "place"), "list_all": ()}
names = st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True).filter(lambda name: not keyword.iskeyword(name))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(name=names, arguments=st.dictionaries(names, values, max_size=4))
def test_a_call_that_is_printed_is_parsed_back(name: str, arguments: dict[str, Json]) -> None:
    text = f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
    assert parse_call(text) == (name, arguments)


@given(st.text())
def test_any_text_is_a_call_or_a_parse_error(text: str) -> None:
    try:
        name, _ = parse_call(text, PARAMETERS)
    except ParseError:
        return
    assert name in PARAMETERS


def test_arguments_by_position_take_the_names_of_the_parameters() -> None:
    assert parse_call(" move('a', place=(1, -2.5, +3)) ", PARAMETERS) == (
        "move",
        {"source": "a", "place": [1, -2.5, 3]},
    )
    assert parse_call("list_all()", PARAMETERS) == ("list_all", {})
    assert parse_call("anything(x='a' 'b')") == ("anything", {"x": "ab"})


@pytest.mark.parametrize(
    "text",
    [
        "desk.move(source='a')",
        "__import__('os')",
        "_move(source='a')",
        "().__class__.__bases__[0].__subclasses__()",
        "move(source=open('/etc/passwd').read())",
        "move(source=move(source='a'))",
        "move(source=other)",
        "move(source=[x for x in (1, 2)])",
        "move(source=f'{1 + 1}')",
        "move(source='a' * 9)",
        "move(source=9 ** 9 ** 9)",
        "move(source=--1)",
        "move(source=-True)",
        "move(source=1j)",
        "move(source=b'a')",
        "move(source={1, 2})",
        "move(source={1: 2})",
        "move(source={**{}})",
        "move(source=...)",
        "move(source=1e999)",
        f"move(source={'9' * 30})",
        f"move(source={'9' * 5000})",
        f"move(source={'[' * 150}{']' * 150})",
        f"move(source={'-' * 15_000}1)",
        f"move(source={'(' * 5_000}{')' * 5_000})",
        f"move(source='{'a' * 30_000}')",
        "move(**{'source': 'a'})",
        "move(*['a'])",
        "move('a', source='b')",
        "move(source='a', source='b')",
        "move('a', 'b', 'c')",
        "fly(source='a')",
        "lambda: move('a')",
        "move('a'); move('b')",
        "(move)('a')('b')",
        "move",
        "move(source='a'",
        "move(source='\x00')",
        "",
    ],
)
def test_what_is_no_plain_call_of_literals_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_call(text, PARAMETERS)


def test_arguments_by_position_need_names() -> None:
    with pytest.raises(ParseError, match="by position"):
        parse_call("move('a')")


def test_the_arguments_of_a_recorded_call() -> None:
    call = ToolCall(function_name="move", arguments='{"source": ["a"]}')
    first = arguments_of(call)
    assert first == {"source": ["a"]}
    assert arguments_of(call) is not first
    assert arguments_of(ToolCall(function_name="list_all", arguments=" ")) == {}
    for broken in ('{"source": ', "'a'", "[1]", "null", '{"n": ' + "9" * 30 + "}"):
        with pytest.raises(ParseError, match="move"):
            arguments_of(ToolCall(function_name="move", arguments=broken))
