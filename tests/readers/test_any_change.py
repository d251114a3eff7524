"""Whatever a few places of a valid file hold instead, runs and read errors come of it, and each run can be kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.readers.valid_files import ALL_VALID, IDS, copy_beside

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.testing.strategies import changed_json
from agenther.trajectory import Trajectory


@pytest.mark.parametrize(("format_name", "source"), ALL_VALID, ids=IDS)
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_any_change_of_a_valid_file(tmp_path: Path, format_name: str, source: Path, data: st.DataObject) -> None:
    try:
        values = [orjson.loads(source.read_bytes())]
    except orjson.JSONDecodeError:
        try:
            values = [orjson.loads(line) for line in source.read_bytes().splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            pytest.skip("no JSON")
    path = copy_beside(source, Path(tempfile.mkdtemp(dir=tmp_path)))
    changed = data.draw(changed_json(values))
    lines = changed if isinstance(changed, list) else [changed]
    path.write_bytes(b"\n".join(map(orjson.dumps, lines)))
    for item in READERS[format_name].read(path):
        assert isinstance(item, Trajectory | ReadError)
        if isinstance(item, Trajectory):
            assert item.key
            assert Trajectory.model_validate_json(item.model_dump_json()) == item
