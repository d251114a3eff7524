from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.conclusions import Result
from agenther.errors import WriteError
from agenther.jobs.names import UniqueIds
from agenther.jobs.process import Processed
from agenther.jobs.store import Occurrence, Store
from agenther.testing import make_trajectory, user

RUN = make_trajectory(user("Feed the cat"), task_id="cats")


def put(store: Store, ordinal: int, own_id: str, error: str | None = None) -> None:
    run = RUN.model_copy(update={"id": own_id, "success": bool(ordinal % 2)})
    store.list_run(ordinal, Occurrence.of(run))
    store.put(Processed(run.key, run, Result(error=error)).to_texts())


def ids(store: Store) -> list[str]:
    return [stored.trajectory.id for stored in store.runs()]


def test_places_of_the_last_finished_job_stay_until_the_next_is_finished(tmp_path: Path):
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        put(store, 0, "first")
        store.finish()
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        put(store, 0, "stopped")
    with Store(tmp_path / "run.sqlite", "settings") as store:
        assert ids(store) == ["first"]
        store.start()
        assert ids(store) == []
        put(store, 0, "second")
        put(store, 1, "third")
        assert list(store.tasks_with_pairs()) == ["cats"]
        store.finish()
    with Store(tmp_path / "run.sqlite", "settings", read_only=True) as store:
        assert ids(store) == ["second", "third"]
        assert store.find("first") is None


@pytest.mark.parametrize(("setting", "value"), [("MOST_PUT", 3), ("LONGEST_S", 0.0)])
def test_what_is_put_is_kept_after_a_number_of_runs_and_after_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: float
):
    monkeypatch.setattr(f"agenther.jobs.store.{setting}", value)
    with Store(tmp_path / "run.sqlite", "settings") as store, sqlite3.connect(tmp_path / "run.sqlite") as beside:
        store.start()
        for ordinal in range(3):
            put(store, ordinal, f"{ordinal}")
        assert beside.execute("SELECT count(*) FROM occurrences").fetchone() == (3,)


def test_what_is_put_is_kept_when_the_job_is_stopped(tmp_path: Path):
    def stopped() -> None:
        with Store(tmp_path / "run.sqlite", "settings") as store:
            store.start()
            put(store, 0, "a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    with Store(tmp_path / "run.sqlite", "settings") as store:
        assert store.has(RUN.key)


def test_a_failure_is_not_had_and_is_replaced(tmp_path: Path):
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        put(store, 0, "a", error="ZeroDivisionError")
        assert not store.has(RUN.key)
        put(store, 2, "b")
        assert store.has(RUN.key)
        assert [stored.result.error for stored in store.runs()] == [None, None]


def test_a_finished_store_can_be_read_where_nothing_can_be_written(tmp_path: Path):
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        put(store, 0, "a")
        store.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["run.sqlite"]
    with sqlite3.connect(tmp_path / "run.sqlite") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_reading_makes_no_file(tmp_path: Path):
    with pytest.raises(WriteError, match="cannot be read"):
        Store(tmp_path / "run.sqlite", "settings", read_only=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize(
    ("script", "why"), [("CREATE TABLE results (x)", "table"), ("PRAGMA user_version = 99", "of version 99")]
)
def test_a_file_with_other_tables_is_refused(tmp_path: Path, script: str, why: str, read_only: bool):
    db = sqlite3.connect(tmp_path / "run.sqlite")
    db.execute(script)
    db.commit()
    db.close()
    with pytest.raises(WriteError, match=f"(?s){why}.*must be deleted"):
        Store(tmp_path / "run.sqlite", "settings", read_only=read_only)


@given(st.lists(st.sampled_from(["a", "a~2", "a~2~2", "a~3", "b"])))
def test_every_run_gets_an_id_of_its_own(recorded: list[str]):
    names = UniqueIds()
    given_ids = [names.name(one) for one in recorded]
    assert len(set(given_ids)) == len(given_ids)
    assert all(own.startswith(one) for own, one in zip(given_ids, recorded, strict=True))


def test_a_shared_id_costs_no_more_the_more_often_it_comes():
    code = (
        "from agenther.jobs.names import UniqueIds; n = UniqueIds(); print([n.name('a') for _ in range(100_000)][-1])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "a~100000"


def test_the_runs_of_a_task_are_found_without_a_walk_through_the_job(tmp_path: Path):
    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        for ordinal in range(3000):
            run = RUN.model_copy(update={"id": f"{ordinal}", "task_id": f"task {ordinal // 3}"})
            store.list_run(ordinal, Occurrence.of(run))
            if ordinal == 2100:
                store.put(Processed(run.key, run, Result()).to_texts())
        ticks: list[int] = []
        store._db.set_progress_handler(lambda: ticks.append(1), 100)
        assert [stored.id for stored in store.runs_of_task("task 700")] == ["2100", "2101", "2102"]
        assert len(ticks) < 10
