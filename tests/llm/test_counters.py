from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest
from tests.llm.byte_tokenizer import write_byte_tokenizer

from agenther.config import BY_ESTIMATE
from agenther.errors import MissingExtra, UserError
from agenther.llm.counters import Estimate, FileTokenizer, counter_name, load_counter
from agenther.llm.tokens import estimate_tokens


def test_without_a_tokenizer_the_estimate_counts() -> None:
    counter = load_counter(BY_ESTIMATE)
    assert counter.by == "estimate"
    assert counter("crates of pears") == estimate_tokens("crates of pears")
    assert isinstance(counter, Estimate)


def test_a_tokenizer_counts_as_it_says_and_is_known_by_name_and_digest(tmp_path: Path) -> None:
    folder = write_byte_tokenizer(tmp_path / "small")
    counter = load_counter(str(folder))
    assert counter("crates") == 6
    assert counter("ø" * 9000) == 18000
    name, _, digest = counter.by.partition("@")
    assert (name, len(digest)) == ("small", 12)
    assert counter_name(str(folder)) == counter.by
    assert FileTokenizer(folder / "tokenizer.json").by == counter.by


def test_a_counter_travels_to_another_process(tmp_path: Path) -> None:
    counter = load_counter(str(write_byte_tokenizer(tmp_path / "small")))
    again = pickle.loads(pickle.dumps(counter))
    assert (again("pears"), again.by) == (5, counter.by)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"model": {"type": "BPE"}}', "\xff"])
def test_what_is_no_tokenizer_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokenizer.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"tokenizer\.json: expected"):
        load_counter(str(tmp_path))
    with pytest.raises(UserError, match="expected the tokenizer"):
        load_counter(str(tmp_path / "none"))


def test_the_missing_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match="needs tokenizers"):
        load_counter(str(tmp_path))


def test_a_name_on_a_hub_and_a_folder_without_a_tokenizer_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found no such file or folder\n.*names on a hub are not fetched"):
        load_counter("some-maker/some-model")
    with pytest.raises(UserError, match=r"found a folder without tokenizer\.json"):
        load_counter(str(tmp_path))
