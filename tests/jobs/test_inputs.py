from __future__ import annotations

from pathlib import Path

from agenther.jobs.inputs import dumps_beside


def test_dumps_are_found_beside_and_above_the_inputs(tmp_path: Path) -> None:
    runs = tmp_path / "a" / "b" / "runs.json"
    runs.parent.mkdir(parents=True)
    runs.write_text("{}")
    (tmp_path / "bread.sql.gz").write_bytes(b"")
    (tmp_path / "a" / "other.sql").write_text("")
    assert [path.name for path in dumps_beside([runs, runs.parent])] == ["other.sql", "bread.sql.gz"]
