"""A value of another type at every place of every format: a run or an error comes of it, and its neighbours stay."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.hostile.odd_values import ODD, places, with_odd, without
from tests.readers.valid_files import ALL_VALID, IDS, copy_beside

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.record import Json
from agenther.trajectory import Trajectory

JSON_SUFFIXES = (".json", ".jsonl", ".ndjson", ".traj")


def records_of(path: Path) -> list[Json]:
    try:
        whole = json.loads(path.read_bytes())
    except ValueError:
        return [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
    return [whole]


def broken_records(value: Json, odd: Iterable[str], n: int) -> Iterator[bytes]:
    """Yield the record without each place, and with n odd values in it, at each place the next ones in turn."""
    names = itertools.cycle(odd)
    for place in places(value):
        yield without(value, place)
        for name in itertools.islice(names, n):
            yield with_odd(value, place, ODD[name])


def read(format_name: str, path: Path) -> list[Trajectory]:
    items = list(READERS[format_name].read(path))
    for item in items:
        assert isinstance(item, Trajectory | ReadError)
        if isinstance(item, ReadError):
            str(item).encode()
            assert len(str(item)) < 2000
        else:
            assert item.key
            item.model_dump_json().encode()
    return [item for item in items if isinstance(item, Trajectory)]


@pytest.mark.parametrize(("format_name", "source"), ALL_VALID, ids=IDS)
def test_any_value_at_any_place(tmp_path: Path, format_name: str, source: Path) -> None:
    if source.suffix not in JSON_SUFFIXES:
        pytest.skip("no JSON")
    path = copy_beside(source, tmp_path)
    record = records_of(source)[0]
    good = json.dumps(record).encode()
    path.write_bytes(b"\n".join((good, good)))
    in_lines = path.suffix in (".jsonl", ".ndjson") and len(read(format_name, path)) == 2
    for broken in broken_records(record, ODD, 3):
        path.write_bytes(b"\n".join((good, broken, good)) if in_lines else broken)
        runs = read(format_name, path)
        assert not in_lines or len(runs) >= 2, broken


@pytest.mark.parametrize(("format_name", "source"), ALL_VALID, ids=IDS)
def test_neighbours_in_one_json_value_stay(tmp_path: Path, format_name: str, source: Path) -> None:
    if source.suffix not in JSON_SUFFIXES:
        pytest.skip("no JSON")
    path = tmp_path / f"{source.name.split('.')[0]}.json"
    record = records_of(source)[0]
    members = record if isinstance(record, list) else [record]
    good = json.dumps(members[0]).encode()
    path.write_bytes(b"[" + b",".join((good, good, good)) + b"]")
    if len(read(format_name, path)) != 3:
        pytest.skip("a format of one run in a file")
    for broken in broken_records(members[0], ("nan", "beyond", "text", "list", "1500 deep"), 1):
        path.write_bytes(b"[" + b",".join((good, broken, good)) + b"]")
        assert len(read(format_name, path)) >= 2, broken


@pytest.mark.parametrize(("format_name", "source"), ALL_VALID, ids=IDS)
def test_a_file_cut_anywhere(tmp_path: Path, format_name: str, source: Path) -> None:
    whole, path = source.read_bytes(), copy_beside(source, tmp_path)
    for end in range(0, len(whole), max(1, len(whole) // 30)):
        path.write_bytes(whole[:end])
        read(format_name, path)
