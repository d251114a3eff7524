from __future__ import annotations

import gzip
import io
import json
import os
import time
from pathlib import Path

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from agenther.errors import ReadError
from agenther.readers import files
from agenther.readers.base import read_json, read_jsonl
from agenther.readers.json_text import members
from agenther.readers.records import records

LINES = b'{"n":1}\n{"n":2}\n'
PACK = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}


def numbers(path: Path) -> list[object]:
    return [item if isinstance(item, ReadError) else item[1]["n"] for item in read_jsonl(path)]  # type: ignore[index]


@pytest.mark.parametrize("suffix", PACK)
def test_members_of_a_packed_file_follow_each_other(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"runs.jsonl{suffix}"
    path.write_bytes(PACK[suffix](LINES) + PACK[suffix](b"") + PACK[suffix](b'{"n":3}\n'))
    assert numbers(path) == [1, 2, 3]


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("lost", [1, 4, 9])
def test_a_cut_packed_file_gives_its_whole_lines_and_an_error(tmp_path: Path, suffix: str, lost: int) -> None:
    path = tmp_path / f"runs.jsonl{suffix}"
    many = b"".join(orjson.dumps({"n": n, "noise": os.urandom(60).hex()}) + b"\n" for n in range(4000))
    path.write_bytes(PACK[suffix](many)[:-lost])
    *whole, error = numbers(path)
    assert isinstance(error, ReadError)
    assert whole == list(range(len(whole)))
    assert len(whole) > 2000


@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_is_stopped_after_the_records_before_it(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FREE_UNPACKED", 4 << 20)
    path = tmp_path / f"runs.jsonl{suffix}"
    path.write_bytes(PACK[suffix](LINES + b" " * (20 << 20) + b"\n"))
    first, second, error = numbers(path)
    assert (first, second) == (1, 2)
    assert isinstance(error, ReadError)
    assert "unpacks to more than 4 MiB" in error.found
    whole = read_json(path)
    assert isinstance(whole, ReadError)
    assert "unpacks to more than" in whole.found


def test_a_line_that_is_too_long_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_RECORD", 20)
    monkeypatch.setattr(files, "_LINE_PIECE", 8)
    path = tmp_path / "runs.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":"' + b"a" * 300_000 + b'"}\n{"n":3}\n' + b" " * 19 + b"\n" + b"a" * 21)
    first, error, third, last = numbers(path)
    assert (first, third) == (1, 3)
    assert isinstance(error, ReadError)
    assert isinstance(last, ReadError)
    assert (error.line, last.line) == (2, 5)


def test_a_whole_file_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_WHOLE", 20)
    path = tmp_path / "runs.json"
    path.write_bytes(b"[" + b"1," * 20 + b"1]")
    whole = read_json(path)
    assert isinstance(whole, ReadError)
    assert "one run on a line" in whole.found


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without named pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    (error,) = read_jsonl(path)
    assert isinstance(error, ReadError)
    assert "not a regular file" in error.found
    assert files.read_head(path) == b""


def test_what_only_strict_json_refuses_is_read(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_bytes(b'[NaN, -Infinity, 1e999, "\\ud83d\\ude00 \\ud83d", 1.5]')
    assert read_json(path) == ["NaN", "-Infinity", "1e999", "\U0001f600 \ufffd", 1.5]


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        (b'[{"a":1},\n{"a":nul},\n{"a":",]"}]', [{"a": 1}, {"a": ",]"}], ["2 [1]"]),
        (b'[{"a":1}, [2,3], {"a": "cut', [{"a": 1}, [2, 3]], ["1 [2]"]),
        (b"[1,\n\n" + b"[" * 2000 + b"]" * 2000 + b",3]", [1, 3], ["3 [1]"]),
        (b"[1,2] 3", [1, 2], ["1 column 7"]),
        (b'[1, "\xff", "\\"]"]', [1, '"]'], ["1 [1]"]),
        (b"[1,,2]", [1, 2], ["1 [1]"]),
        (b'{"a":1} {"b":2}', [], ["1 column 9"]),
        (b"", [], ["1 column 1"]),
    ],
)
def test_members_of_a_broken_list_stay(tmp_path: Path, text: bytes, good: list[object], bad: list[str]) -> None:
    path = tmp_path / "runs.json"
    path.write_bytes(text)
    items = list(records(path))
    assert [item[2] for item in items if not isinstance(item, ReadError)] == good
    assert [f"{item.line} {item.where}" for item in items if isinstance(item, ReadError)] == bad


def test_broken_lists_take_time_in_proportion(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    for text in (
        b'["' + b'\\"' * 100_000,
        b"[" + b'"",' * 60_000,
        b"[" * 200_000,
        b'"' * 199_999,
        b"[1,\n" * 60_000,
    ):
        path.write_bytes(text)
        started = time.process_time()
        assert sum(1 for _ in records(path))
        assert time.process_time() - started < 4


def test_a_file_that_is_cut_or_vanishes_while_it_is_read(tmp_path: Path) -> None:
    for harm in (lambda path: os.truncate(path, 30), Path.unlink):
        path = tmp_path / "runs.jsonl"
        path.write_bytes(b'{"n":1}\n' * 300_000)
        items = read_jsonl(path)
        assert next(items) == (1, {"n": 1})
        harm(path)
        assert all(isinstance(item, tuple | ReadError) for item in items)
    (error,) = read_jsonl(path)
    assert isinstance(error, ReadError)


class _InPieces(io.BytesIO):
    """Gives a few bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        super().__init__(text)
        self._size = size

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._size)


@given(
    st.lists(st.recursive(st.none() | st.floats(allow_nan=False) | st.text(), st.lists)),
    st.integers(1, 40),
    st.booleans(),
)
def test_members_do_not_depend_on_the_pieces(values: list[object], size: int, is_indented: bool) -> None:
    text = json.dumps(values, indent=2 if is_indented else None).encode()
    found = list(members(_InPieces(text, size)))
    assert [json.loads(member) for _, member in found] == values
    assert found == list(members(io.BytesIO(text)))


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_large_list_is_read_member_by_member(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    path = tmp_path / f"runs.json{suffix}"
    text = b'[{"id": 1}, {"id": NaN},\n {"id": }, {"id": 4}]'
    path.write_bytes(gzip.compress(text) if suffix else text)
    whole = [str(one) if isinstance(one, ReadError) else one[1:] for one in records(path)]
    monkeypatch.setattr("agenther.readers.files.LARGE", 16)
    pieces = [str(one) if isinstance(one, ReadError) else one[1:] for one in records(path)]
    assert pieces == whole
    assert len(pieces) == 4


def test_a_member_that_is_too_long_ends_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "runs.json"
    path.write_bytes(b'[{"id": 1}, {"id": "' + b"a" * 300 + b'"}]')
    monkeypatch.setattr("agenther.readers.files.LARGE", 16)
    monkeypatch.setattr("agenther.readers.json_text.MAX_RECORD", 100)
    monkeypatch.setattr("agenther.readers.json_text._PIECE", 50)
    good, bad = records(path)
    assert not isinstance(good, ReadError)
    assert isinstance(bad, ReadError)
    assert "in one member of the list" in str(bad)


@pytest.mark.parametrize(
    "text", [b'[{"id": 1}, {"id": 2}', b'[{"id": 1}, {"id": 2}] {"id": 3}', b'[{"id": 1}, {"id": 2},']
)
def test_a_large_list_that_is_cut_or_goes_on_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: bytes
) -> None:
    path = tmp_path / "runs.json"
    path.write_bytes(text)
    monkeypatch.setattr("agenther.readers.files.LARGE", 16)
    items = list(records(path))
    assert sum(isinstance(item, ReadError) for item in items) == 1
    assert len(items) == 3
