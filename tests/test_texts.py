import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agenther.errors import ReadError
from agenther.readers.base import run_id, source
from agenther.texts import path_text, split_url, storable
from agenther.trajectory import ToolCall


def test_names_of_files_that_are_no_utf_8_are_escaped():
    path = Path(os.fsdecode(b"runs/caf\xe9.json"))
    assert path_text(path) == "runs/caf\\xe9.json"
    assert run_id(path, 3) == "caf\\xe9/3"
    assert source(path, "openai", 0).path == "runs/caf\\xe9.json"
    assert ReadError(str(path), 1, "record", "object", "list").path == "runs/caf\\xe9.json"


@given(st.text(st.characters(categories=("Cs", "L", "Nd"))))
def test_any_text_becomes_one_that_can_be_stored_and_good_ones_stay(text: str):
    for made in (path_text(text), storable(text)):
        made.encode()
        assert storable(made) == made


def test_half_a_surrogate_pair_in_arguments_is_replaced_and_whole_pairs_are_read():
    call = ToolCall(
        function_name="say", arguments=r'{"a": "x\ud800y", "b": ["\ude00\ud83d"], "c": "\ud83d\ude00", "\uD9ff": 1}'
    )
    assert call.values == {"a": "x\ufffdy", "b": ["\ufffd\ufffd"], "c": "\U0001f600", "\ufffd": 1}


def test_what_is_no_url_is_all_path() -> None:
    assert split_url("http://[")[:3] == ("", "", "http://[")
    assert split_url("http://a.example/b?c")[:4] == ("http", "a.example", "/b", "c")
