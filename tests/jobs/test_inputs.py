from __future__ import annotations

from pathlib import Path

import pytest

from agenther.errors import ReadError, UserError
from agenther.jobs.inputs import dumps_beside, labelled
from agenther.readers.labels import Labeller
from agenther.testing import make_trajectory, user
from agenther.trajectory import Trajectory


def test_dumps_are_found_beside_and_above_the_inputs(tmp_path: Path) -> None:
    runs = tmp_path / "a" / "b" / "runs.json"
    runs.parent.mkdir(parents=True)
    runs.write_text("{}")
    (tmp_path / "bread.sql.gz").write_bytes(b"")
    (tmp_path / "a" / "other.sql").write_text("")
    assert [path.name for path in dumps_beside([runs, runs.parent])] == ["other.sql", "bread.sql.gz"]


def test_labels_reach_runs_by_the_ids_that_tell_them_apart(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,success\na,true\na~2,false\n")
    error = ReadError("runs.jsonl", 3, "messages", "list", "text")
    items = [make_trajectory(user("Sort the seeds"), id=name, success=None) for name in "aab"]
    items.insert(1, error)
    first, second, third, other = labelled(items, Labeller(tmp_path / "labels.csv"))
    assert second is error
    assert [(run.id, run.success) for run in (first, third, other) if isinstance(run, Trajectory)] == [
        ("a", True),
        ("a~2", False),
        ("b", None),
    ]
    (tmp_path / "labels.csv").write_text("id,success\na,true\n")
    with pytest.raises(UserError, match="several runs"):
        list(labelled(items, Labeller(tmp_path / "labels.csv")))
