"""What a job makes of inputs, labels and folders that are not as it would like them."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest
from tests.jobs.runs import write_runs

import agenther
from agenther.config import Config
from agenther.errors import ReadError, UserError, WriteError
from agenther.jobs.conclude import Concluded
from agenther.jobs.files import hold_folder
from agenther.jobs.job import Job, _conclude, count_pieces, execute
from agenther.jobs.listing import Listing
from agenther.jobs.process import Processor, Texts
from agenther.jobs.store import Occurrence, Store
from agenther.readers.records import Piece
from agenther.testing import make_trajectory, user
from agenther.trajectory import Trajectory


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def chat(*, pattern: str = "*.csv", **fields: object) -> dict[str, object]:
    arguments = f"""{{"command": "find /tides -name '{pattern}'"}}"""
    call = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": arguments}}
    turns = [
        {"role": "user", "content": "List the tide tables that are bigger than ten megabytes"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "/tides/may.csv\n/tides/june.csv"},
        {"role": "assistant", "content": "/tides/may.csv /tides/june.csv"},
    ]
    return {"messages": turns, "success": False, **fields}


def write_chats(path: Path, *runs: dict[str, object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(run) + "\n" for run in runs), encoding="utf-8")
    return path


def test_half_a_surrogate_pair_in_arguments_stops_no_job(tmp_path: Path) -> None:
    halves = [chat(pattern=pattern) for pattern in (r"*.csv\ud83d", r"\ud83d*.csv")]
    runs = write_chats(tmp_path / "runs.jsonl", *halves, chat())
    summary = execute(Job((str(runs),), tmp_path / "out"))
    assert (summary.counts["read"], summary.counts["unreadable"]) == (3, 0)


def test_a_file_name_that_is_no_utf_8_is_escaped_everywhere(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "in" / "runs.json", 3)
    os.rename(runs, os.fsencode(runs.parent) + b"/caf\xe9.json")
    (tmp_path / os.fsdecode(b"in/br\xff.json")).write_text("{broken")
    summary = execute(Job((str(tmp_path / "in"),), tmp_path / os.fsdecode(b"\xff.out")))
    assert (summary.counts["read"], summary.counts["unreadable"]) == (3, 1)
    names = [run.id for run in agenther.read(tmp_path / "in") if isinstance(run, Trajectory)]
    assert names[0] == "caf\\xe9/0"


def test_the_output_of_a_job_is_no_input(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs.json", 20)
    job = Job((str(tmp_path),), tmp_path / "out")
    first = execute(job)
    for again in (job, Job((str(tmp_path),), tmp_path / "other"), Job((f"{tmp_path}/**/*.json*",), tmp_path / "out")):
        assert execute(again).counts == first.counts
        assert count_pieces(again) == 20
    with pytest.raises(UserError, match="found no file"):
        execute(Job((str(tmp_path / "out"),), tmp_path / "third"))


def test_inputs_may_lie_in_the_output_folder(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 5)
    for inputs in ((str(tmp_path),), (str(tmp_path),), (str(runs), str(tmp_path / "examples.jsonl"))):
        assert execute(Job(inputs, tmp_path)).counts["read"] == 5


def test_a_finished_folder_stays_whole_until_the_next_job_has_all_results(tmp_path: Path) -> None:
    first = write_runs(tmp_path / "first.json", 10)
    out = tmp_path / "out"
    execute(Job((str(first),), out))
    before = {p: p.read_bytes() for p in out.rglob("*.json*")}
    example = rows(out / "examples.jsonl")[0]

    def stop() -> None:
        raise KeyboardInterrupt

    second = write_runs(tmp_path / "second.json", 10, seed=1)
    with pytest.raises(KeyboardInterrupt):
        execute(Job((str(second),), out), stop)
    assert {p: p.read_bytes() for p in out.rglob("*.json*")} == before
    from agenther.jobs.store import Store

    key = json.loads((out / "manifest.json").read_text())["results_key"]
    with Store(out / "run.sqlite", key, read_only=True) as store:
        assert store.find(str(example["trajectory_id"])) is not None
        assert len(list(store.runs())) == 10
    execute(Job((str(second),), out))
    with Store(out / "run.sqlite", key, read_only=True) as store:
        assert {s.trajectory.source.path for s in store.runs()} == {str(second)}


def test_a_manifest_means_that_all_files_are_those_of_one_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job((str(write_runs(tmp_path / "runs.json", 5)),), tmp_path / "out")
    execute(job)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agenther.jobs.job.write_outputs", fail)
    with pytest.raises(KeyboardInterrupt):
        execute(job)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_bad_labels_touch_nothing(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("id,success\nx,perhaps\n")
    runs = write_runs(tmp_path / "runs.json", 2)
    with pytest.raises(ReadError):
        execute(Job((str(runs),), tmp_path / "out", labels=tmp_path / "labels.csv"))
    assert not (tmp_path / "out").exists()


def test_two_jobs_cannot_write_to_one_folder(tmp_path: Path) -> None:
    job = Job((str(write_runs(tmp_path / "runs.json", 2)),), tmp_path / "out")
    with hold_folder(job.out), pytest.raises(UserError, match="another job"):
        execute(job)
    execute(job)


def test_what_sqlite_refuses_is_an_error_with_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    job = Job((str(write_runs(tmp_path / "runs.json", 2)),), tmp_path / "out")
    monkeypatch.setattr("agenther.jobs.store.Store.put", full)
    with pytest.raises(WriteError, match="disk is full"):
        execute(job)


def test_runs_that_share_an_id_are_labelled_by_the_ids_that_the_output_shows(tmp_path: Path) -> None:
    inputs = tuple(str(write_chats(tmp_path / name / "runs.jsonl", chat(success=None))) for name in "ab")
    labels = tmp_path / "labels.csv"
    labels.write_text("id,success\nruns/0,true\nruns/0~2,false\nruns/9,false\n")
    summary = execute(Job(inputs, tmp_path / "out", labels=labels))
    assert (summary.counts["succeeded"], summary.counts["failed"]) == (1, 1)
    assert summary.unmatched_labels == ["runs/9"]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]["labels_unmatched"] == 1
    labels.write_text("id,success\nruns/0,true\n")
    with pytest.raises(UserError, match="several runs"):
        execute(Job(inputs, tmp_path / "out", labels=labels))


def test_one_path_is_enough(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 3)
    for one in (runs, str(runs), [runs]):
        assert len(list(agenther.run(one))) == 3
        assert len(list(agenther.read(one))) == 3


def test_an_input_that_vanishes_is_an_error_of_its_own(tmp_path: Path) -> None:
    first, second = (write_runs(tmp_path / name, 2, seed) for seed, name in enumerate(("a.json", "b.json")))
    summary = execute(Job((str(first), str(second)), tmp_path / "out"), lambda: second.unlink(missing_ok=True))
    assert (summary.counts["read"], summary.counts["unreadable"]) == (2, 1)
    marks = json.loads((tmp_path / "out" / "manifest.json").read_text())["inputs"]
    assert [Path(mark["path"]).name for mark in marks] == ["a.json", "b.json"]


def test_the_limit_counts_runs(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text("{broken")
    write_runs(tmp_path / "in" / "b.json", 9)
    job = Job((str(tmp_path / "in"),), tmp_path / "out", limit=4)
    assert execute(job).counts["read"] == 4
    assert count_pieces(job) == 5


def test_failed_runs_are_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job((str(write_runs(tmp_path / "runs.json", 4)),), tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr("agenther.jobs.process.relabel", lambda *_: 1 / 0)
        assert execute(job).counts["errors"] == 4
    assert len(rows(tmp_path / "out" / "errors.jsonl")) == 4
    assert execute(job).counts["errors"] == 0


def test_a_run_that_cannot_be_written_down_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoil(run: Trajectory) -> Trajectory:
        return run.model_copy(update={"agent": "\ud800"})

    monkeypatch.setattr("agenther.jobs.process.redact", spoil)
    summary = execute(Job((str(write_runs(tmp_path / "runs.json", 2)),), tmp_path / "out"))
    assert summary.counts["errors"] == summary.counts["read"] == 2


def test_other_rules_make_stored_results_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agenther.jobs.job import results_key

    home = tmp_path / "package"
    shutil.copytree(Path(agenther.__file__).parent, home, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("agenther.versions._HOME", home)
    keys: list[str] = []
    for name in ("cli/run.py", "stages/detect/rules.py", "stages/redact_patterns.toml", "readers/mint.py", "record.py"):
        with (home / name).open("a") as file:
            file.write("\n")
        agenther.versions.versions.cache_clear()
        keys.append(results_key(Config(), ()))
    monkeypatch.undo()
    agenther.versions.versions.cache_clear()
    assert keys[0] == results_key(Config(), ())
    assert len(set(keys)) == 5


@pytest.mark.parametrize("limit", [None, 25])
def test_lines_that_workers_read_are_listed_as_one_process_lists_them(tmp_path: Path, limit: int | None) -> None:
    mixed = write_mixed(tmp_path / "in")
    for workers in (1, 2):
        execute(Job((str(mixed),), tmp_path / f"{workers}", limit=limit, workers=workers))
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")
    found = [(Path(str(row["path"])).name, row["line"]) for row in rows(tmp_path / "2" / "errors.jsonl")]
    assert found == [("a.jsonl", 6), ("a.jsonl", 31), ("empty.jsonl", None)][: 1 if limit else None]


def test_workers_neither_pass_over_errors_nor_labels(tmp_path: Path) -> None:
    mixed = str(write_mixed(tmp_path / "in") / "a.jsonl")
    with pytest.raises(ReadError, match=r"a.jsonl:6 messages: expected list"):
        execute(Job((mixed,), tmp_path / "strict", workers=2, strict=True))
    labels = tmp_path / "labels.csv"
    labels.write_text("id,success\nrun-1,true\nrun-1~2,true\nrun-2,true\n")
    with pytest.raises(UserError, match="'run-2' is the id of several runs"):
        execute(Job((mixed,), tmp_path / "out", workers=2, labels=labels))
    labels.write_text("id,success\nrun-1~2,true\n")
    assert execute(Job((mixed,), tmp_path / "out", workers=2, labels=labels)).counts["succeeded"] == 1


def test_workers_wait_for_no_file_that_the_job_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from agenther.jobs import store

    opened = store._open

    def without_wal(path: Path) -> sqlite3.Connection:
        db = opened(path)
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("PRAGMA cache_size=2")
        return db

    monkeypatch.setattr(store, "_open", without_wal)
    noise = "x" * 50_000
    runs = write_chats(tmp_path / "runs.jsonl", *(chat(pattern=f"{n}.csv", metadata=noise) for n in range(100)))
    for workers in (1, 2):
        job = Job((str(runs),), tmp_path / f"{workers}", workers=workers)
        assert execute(job).counts["read"] == 100
        execute(job)
    assert outputs(tmp_path / "1") == outputs(tmp_path / "2")


def test_equal_content_is_concluded_about_once_in_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    concluded: list[Trajectory] = []
    texts = Processor.texts

    def counted(self: Processor, run: Trajectory) -> Texts:
        concluded.append(run)
        return texts(self, run)

    monkeypatch.setattr(Processor, "texts", counted)
    summary = execute(Job((str(write_chats(tmp_path / "runs.jsonl", *[chat()] * 9)),), tmp_path / "out"))
    assert (summary.counts["read"], len(concluded)) == (9, 1)


@pytest.mark.parametrize(("limit", "expected"), [(None, 60 + 9), (25, 26)])
def test_every_piece_is_told_and_lines_are_counted_unread(tmp_path: Path, limit: int | None, expected: int) -> None:
    mixed = write_mixed(tmp_path / "in")
    ticks: list[None] = []
    execute(job := Job((str(mixed),), tmp_path / "out", limit=limit), lambda: ticks.append(None))
    assert len(ticks) == expected
    assert count_pieces(job) == (expected if limit is None else 25)


def test_no_more_pieces_are_taken_than_the_limit_has_room_for(tmp_path: Path) -> None:
    error = ReadError("runs.jsonl", 1, "messages", "list", "number")
    run = make_trajectory(user("Feed the cat"))
    pieces = iter([error, run, error, error, run, run, run, run])
    taken: list[Piece] = []

    def at_once(given: Iterable[Piece]) -> Generator[Concluded]:
        taken.extend(batch := list(given))
        yield from (Concluded(one if isinstance(one, ReadError) else Occurrence.of(one)) for one in batch)

    with Store(tmp_path / "run.sqlite", "settings") as store:
        store.start()
        listing = Listing(store, 3)
        _conclude(at_once, pieces, listing, store, lambda: None)
    assert taken == [error, run, error, error, run, run]
    assert list(pieces) == [run, run]


@pytest.mark.parametrize("redact", [True, False])
def test_what_errors_found_is_redacted_as_runs_are(tmp_path: Path, *, redact: bool) -> None:
    secret = "sk-ant-api03-AbCdEf0123456789AbCdEf0123456789"
    runs = write_chats(tmp_path / "runs.jsonl", chat(), {"messages": secret})
    execute(Job((str(runs),), tmp_path / "out", Config(redact=redact)))
    assert (secret in (tmp_path / "out" / "errors.jsonl").read_text()) is not redact


def test_a_cut_archive_of_lines_gives_its_runs_and_an_error(tmp_path: Path) -> None:
    lines = "".join(json.dumps(chat(pattern=f"{n}.csv", metadata=os.urandom(99).hex())) + "\n" for n in range(50))
    (tmp_path / "runs.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-2000])
    counts = execute(Job((str(tmp_path / "runs.jsonl.gz"),), tmp_path / "out", format="openai")).counts
    assert 20 < counts["read"] < 50
    assert counts["unreadable"] == 1
    (tmp_path / "none.jsonl").write_text("\n")
    assert execute(Job((str(tmp_path / "none.jsonl"),), tmp_path / "no", format="openai")).counts["unreadable"] == 1


def write_mixed(folder: Path) -> Path:
    """Write lines, some of which are no runs or have the ids of others, a file without any, and one that is no lines."""
    chats = [json.dumps(chat(pattern=f"*.{number % 7}", id=f"run-{number % 9}")) for number in range(60)]
    chats[5], chats[30], chats[59] = '{"messages": 7}', "{broken", ""
    write_runs(folder / "b" / "runs.json", 9)
    (folder / "a.jsonl").write_text("\n".join(chats))
    (folder / "b" / "empty.jsonl").write_text("\n\n")
    return folder


def outputs(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*.jsonl")}
