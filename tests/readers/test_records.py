"""Lines that are read by whoever gets them are read as their reader reads the file."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from tests.readers.valid_files import ALL_VALID, copy_beside

from agenther.errors import ReadError
from agenther.jobs.inputs import read_files
from agenther.readers import READERS
from agenther.readers.base import Place, holds_lines
from agenther.readers.records import Build, ItemBuilder, RecordReader, UnreadLine, records
from agenther.record import Json
from agenther.testing import make_trajectory, user
from agenther.trajectory import Trajectory

OF_RECORDS = [(name, path) for name, path in ALL_VALID if isinstance(READERS[name], RecordReader)]


@pytest.mark.parametrize(("format_name", "path"), OF_RECORDS, ids=lambda value: getattr(value, "name", value))
def test_lines_read_one_by_one_are_the_runs_of_the_file(format_name: str, path: Path, tmp_path: Path) -> None:
    copy = copy_beside(path, tmp_path)
    values = [item[2] for item in records(copy) if not isinstance(item, ReadError)]
    good = [json.dumps(value) for value in values if isinstance(value, dict)]
    copy = copy.rename(copy.with_suffix(".jsonl"))
    copy.write_text("\r\n".join(["", *good, "{broken", "   ", '"no record"', *good, "[]"]), encoding="utf-8")
    assert holds_lines(copy)
    (file,) = read_files([copy], format=format_name)
    pieces = list(file.pieces)
    assert all(isinstance(piece, UnreadLine) for piece in pieces)
    assert len(pieces) == 2 * len(good) + 3
    sent = [pickle.loads(pickle.dumps(piece)) for piece in pieces]
    found, expected = map(ItemBuilder(), sent), READERS[format_name].read(copy)
    assert [shown(item) for item in found] == [shown(item) for item in expected]


def shown(item: Trajectory | ReadError) -> object:
    return item if isinstance(item, Trajectory) else str(item)


class Counting(RecordReader):
    """Reads each line as a request, and counts how often it looked at a file as a whole."""

    format, about = "counting", "requests"

    def __init__(self) -> None:
        self.looked_at: list[str] = []

    def sniff(self, path: Path, head: bytes) -> bool:
        return False

    def builder(self, path: Path) -> Build:
        self.looked_at.append(path.name)

        def build(place: Place, index: int, value: Json) -> Trajectory:
            run = make_trajectory(user(place.str(value)))
            return run.model_copy(update={"id": f"{index}"})

        return build


def test_what_lines_share_is_found_out_once_a_file(tmp_path: Path) -> None:
    reader, build = Counting(), ItemBuilder()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text('"Oil the hinge"\n\n7\n"Paint the door"\n')
        items = [build(piece) for piece in reader.pieces(tmp_path / name)]
        assert [item.id if isinstance(item, Trajectory) else item.line for item in items] == ["0", 3, "2"]
    assert reader.looked_at == ["a.jsonl", "b.jsonl"]


def test_lines_stand_under_the_name_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "copy.jsonl").write_text('"Oil the hinge"\n7\n{\n')
    pieces = [piece._replace(shown_as="stdin-1.jsonl") for piece in Counting().pieces(tmp_path / "copy.jsonl")]
    items = list(map(ItemBuilder(), pieces))
    assert [item.path if isinstance(item, ReadError) else item.source.path for item in items] == ["stdin-1.jsonl"] * 3


def test_a_line_that_is_too_long_is_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenther.readers.files.MAX_RECORD", 100)
    monkeypatch.setattr("agenther.readers.files._LINE_PIECE", 10)
    (tmp_path / "long.jsonl").write_text(f'"Oil the hinge"\n"{"x" * 200}"\n"Paint the door"\n')
    first, too_long, last = Counting().pieces(tmp_path / "long.jsonl")
    assert isinstance(too_long, ReadError)
    assert (too_long.line, too_long.where) == (2, "line")
    assert isinstance(first, UnreadLine)
    assert isinstance(last, UnreadLine)
    assert (first.position, last.position, last.number) == (0, 2, 3)
