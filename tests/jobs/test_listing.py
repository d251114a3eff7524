from __future__ import annotations

from pathlib import Path

import pytest

from agenther.errors import ReadError, UserError
from agenther.jobs.listing import Listing, labelled
from agenther.jobs.store import Occurrence, Store
from agenther.readers.labels import Labeller
from agenther.testing import make_trajectory, user
from agenther.trajectory import Trajectory

RUN = make_trajectory(user("Sort the seed packets"), success=None)
ERROR = ReadError("runs.jsonl", 3, "messages", "list", "text 'key sk-ant-api03-AbCdEf0123456789AbCdEf0123456789'")


def named(name: str) -> Trajectory:
    return RUN.model_copy(update={"id": name})


def test_everything_is_listed_in_order_and_runs_have_ids_of_their_own(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        listing = Listing(store)
        for item in (Occurrence.of(named("a")), ERROR, Occurrence.of(named("a")), Occurrence.of(named("b"))):
            listing.add(item)
        found = store._db.execute("SELECT ordinal, id FROM occurrences ORDER BY ordinal").fetchall()
        assert found == [(0, "a"), (2, "a~2"), (3, "b")]
        assert store._db.execute("SELECT ordinal FROM errors").fetchall() == [(1,)]


def test_a_limit_counts_runs_and_not_errors(tmp_path: Path) -> None:
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        listing = Listing(store, 2)
        full: list[bool] = []
        for item in (ERROR, Occurrence.of(named("a")), ERROR, Occurrence.of(named("b"))):
            listing.add(item)
            full.append(listing.is_full)
        assert full == [False, False, False, True]
        assert not Listing(store).is_full


@pytest.mark.parametrize("strict", [False, True])
def test_errors_show_no_secrets_unless_asked_to(tmp_path: Path, *, strict: bool) -> None:
    for redacted in (True, False):
        with Store(tmp_path / f"{redacted}.sqlite", "settings") as store:
            store.start()
            listing = Listing(store, strict=strict, redacted=redacted)
            if strict:
                with pytest.raises(ReadError) as raised:
                    listing.add(ERROR)
                told = raised.value
            else:
                listing.add(ERROR)
                (told,) = store.errors()
            assert ("AbCdEf" in str(told)) is not redacted
            assert told.line == 3


def test_labels_reach_runs_by_the_ids_that_tell_them_apart(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,success\na,true\na~2,false\n")
    items = [named("a"), ERROR, named("a"), named("b")]
    first, error, second, other = labelled(items, Labeller(tmp_path / "labels.csv"))
    assert error is ERROR
    assert [(run.id, run.success) for run in (first, second, other) if isinstance(run, Trajectory)] == [
        ("a", True),
        ("a~2", False),
        ("b", None),
    ]
    (tmp_path / "labels.csv").write_text("id,success\na,true\n")
    with pytest.raises(UserError, match="several runs"):
        list(labelled(items, Labeller(tmp_path / "labels.csv")))
