"""What is listed of the input, in which order and under which ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenther.errors import ReadError
from agenther.jobs.listing import Listing
from agenther.jobs.store import Occurrence, Store
from agenther.testing import make_trajectory, user
from agenther.trajectory import Trajectory

RUN = make_trajectory(user("Sort the seed packets"), success=None)
SECRET = "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789"
ERROR = ReadError("runs.jsonl", 3, f"env.{SECRET}", "list", f"text '{SECRET}'")


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
        room: list[int | None] = []
        for item in (ERROR, Occurrence.of(named("a")), ERROR, Occurrence.of(named("b"))):
            listing.add(item)
            room.append(listing.room)
        assert room == [2, 1, 1, 0]
        assert Listing(store).room is None


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
            assert [SECRET in text for text in (told.where, told.found)] == [not redacted] * 2
            assert told.line == 3
