from __future__ import annotations

from pathlib import Path

import pytest
from tests.readers.valid_files import ALL_VALID, IDS, valid_files

from agenther.readers import READERS
from agenther.readers.discover import pick_reader
from agenther.trajectory import Trajectory


@pytest.mark.parametrize("format_name", READERS)
def test_every_format_has_a_valid_file(format_name: str) -> None:
    assert valid_files(format_name), f"write tests/readers/valid/{format_name}.json, see tests/readers/valid_files.py"


@pytest.mark.parametrize(("format_name", "path"), ALL_VALID, ids=IDS)
def test_a_valid_file_is_read_by_its_reader_alone(format_name: str, path: Path) -> None:
    assert pick_reader(path) is READERS[format_name]
    items = list(READERS[format_name].read(path))
    assert items
    assert all(isinstance(item, Trajectory) for item in items), items
