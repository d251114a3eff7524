"""The run store: one SQLite file that holds every run as stored, its Result, and where it was found.

Owns resume. A Result is keyed by the run's content and by what decides it (settings and versions), so equal content has
one; each place where it was found is an occurrence with a fate of its own. A transaction stores the runs of
about a second, with where they were found: a job that is killed loses no more. Places belong to a job, and those of the
last finished job are kept until the next has written its files.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from agenther.conclusions import Result
from agenther.errors import ReadError, WriteError
from agenther.jobs.process import Texts
from agenther.stages.package.note import Note
from agenther.texts import path_text
from agenther.trajectory import Source, Trajectory

_VERSION = 5
"""Of the tables. A store with others is refused."""
_PAGE_BYTES = 32_768
"""Runs are longer than the pages that SQLite takes by itself: with these, storing one costs half."""
MOST_PUT = 256
LONGEST_S = 1.0
"""A transaction ends with the first Result after so many, or after so many seconds."""
_SCHEMA = """
BEGIN;
CREATE TABLE settings (settings INTEGER PRIMARY KEY, config_key TEXT NOT NULL UNIQUE);
CREATE TABLE results (
    key BLOB NOT NULL, settings INTEGER NOT NULL, failed INTEGER NOT NULL,
    note TEXT NOT NULL, trajectory TEXT NOT NULL, result TEXT NOT NULL,
    PRIMARY KEY (key, settings));
CREATE TABLE jobs (job INTEGER PRIMARY KEY, finished INTEGER NOT NULL DEFAULT 0);
CREATE TABLE occurrences (
    job INTEGER NOT NULL, ordinal INTEGER NOT NULL, id TEXT NOT NULL, key BLOB NOT NULL, task_id TEXT, success INTEGER,
    path TEXT NOT NULL, format TEXT NOT NULL, idx INTEGER NOT NULL,
    PRIMARY KEY (job, ordinal), UNIQUE (job, id)) WITHOUT ROWID;
CREATE INDEX by_task ON occurrences (job, task_id);
CREATE TABLE errors (
    job INTEGER NOT NULL, ordinal INTEGER NOT NULL, path TEXT, line INTEGER, place TEXT, expected TEXT, found TEXT,
    PRIMARY KEY (job, ordinal)) WITHOUT ROWID;
PRAGMA user_version = {version};
COMMIT;
"""
"""A key is 32 bytes here, 64 hex digits elsewhere: so the index by it, which grows in all places, takes half the pages."""


class Occurrence(NamedTuple):
    """Where a run was found, and what is known of it without looking into it."""

    id: str
    key: str
    """Of its content as read."""
    task_id: str | None
    success: bool | None
    path: str
    format: str
    position: int
    """In the file, 0-based."""

    @classmethod
    def of(cls, run: Trajectory) -> Self:
        """Return the occurrence of a run as read."""
        where = run.source
        return cls(run.id, run.key, run.task_id, run.success, where.path, where.format, where.index)


@dataclass(frozen=True)
class Stored:
    """One occurrence of a run, with what was concluded about it; its texts are read only when they are asked for."""

    ordinal: int
    id: str
    source: Source
    success: bool | None
    short: str
    """The note, as JSON."""
    fetch: Callable[[], tuple[str, str]]
    """Reads the stored run and its Result, as JSON, from the store while it is open; all occurrences share them."""

    @cached_property
    def texts(self) -> tuple[str, str]:
        """The stored run and its Result, as JSON."""
        return self.fetch()

    @cached_property
    def note(self) -> Note:
        """What was concluded, in short."""
        return Note.model_validate_json(self.short)

    @cached_property
    def trajectory(self) -> Trajectory:
        """The run with the id and the place of this occurrence."""
        run = Trajectory.model_validate_json(self.texts[0])
        return run.model_copy(update={"id": self.id, "source": self.source})

    @cached_property
    def result(self) -> Result:
        """What was concluded, with the id and the place of this occurrence."""
        result = Result.model_validate_json(self.texts[1])
        own = tuple(e.model_copy(update={"trajectory_id": self.id, "source": self.source}) for e in result.examples)
        return result.model_copy(update={"examples": own}) if own else result


@dataclass(frozen=True)
class Place:
    """What a process must know to read the store of a job that is under way."""

    path: Path
    config_key: str
    job: int


class Store:
    """The SQLite file of one output folder.

    Shows what the last finished job found until `start` begins another. Whatever SQLite refuses inside a `with` block
    leaves it as a WriteError.

    Args:
        path: the file; made if missing, unless `read_only`.
        config_key: key of what decides Results.
        read_only: leave the file as it is, wherever it lies.
        patience_s: how long to wait where another process holds the file.
        job: show what this job found, finished or not.
    """

    def __init__(
        self,
        path: Path,
        config_key: str,
        *,
        read_only: bool = False,
        patience_s: float = 5.0,
        job: int | None = None,
    ) -> None:
        self._path, self._config_key, self._read_only = path, config_key, read_only
        self._n_put, self._began = 0, 0.0
        try:
            self._db = _open_read_only(path, patience_s) if read_only else _open(path)
            self._settings = _settings_number(self._db, config_key, add=not read_only)
            self._job = job or self._db.execute("SELECT max(job) FROM jobs WHERE finished").fetchone()[0] or 0
        except (OSError, sqlite3.Error) as error:
            raise self._refused(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not isinstance(error, sqlite3.Error):
                self.keep()
        except sqlite3.Error as refused:
            error = refused
        finally:
            self._db.close()
        if isinstance(error, sqlite3.Error):
            raise self._refused(error) from error

    @property
    def place(self) -> Place:
        """Where another process finds what this job has written down."""
        return Place(self._path, self._config_key, self._job)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _refused(self, error: Exception) -> WriteError:
        what = "read" if self._read_only else "used as a run store"
        hint = "is the disk full? a file that another program or another version made must be deleted first"
        return WriteError(f"{path_text(self._path)}: cannot be {what}: {error}", hint)

    def start(self) -> None:
        """Begin a job: forget what jobs that were not finished found, keep all that was concluded."""
        self._db.executescript("""
            BEGIN;
            DELETE FROM occurrences WHERE job NOT IN (SELECT job FROM jobs WHERE finished);
            DELETE FROM errors WHERE job NOT IN (SELECT job FROM jobs WHERE finished);
            DELETE FROM jobs WHERE NOT finished;
            INSERT INTO jobs DEFAULT VALUES;
            COMMIT;""")
        self._job = self._db.execute("SELECT max(job) FROM jobs").fetchone()[0]

    def finish(self) -> None:
        """End a job whose files are written: forget where earlier jobs found runs, need no second file for reading."""
        self.keep()
        self._db.execute("BEGIN")
        for table in ("occurrences", "errors", "jobs"):
            self._db.execute(f"DELETE FROM {table} WHERE job <> ?", (self._job,))  # noqa: S608
        self._db.execute("UPDATE jobs SET finished = 1")
        self._db.execute("COMMIT")
        with suppress(sqlite3.OperationalError):  # somebody reads it just now
            self._db.execute("PRAGMA journal_mode=DELETE")

    def has(self, key: str) -> bool:
        """Tell whether the Result of this content is stored for these settings; a failure is to be tried again."""
        query = "SELECT 1 FROM results WHERE key = ? AND settings = ? AND NOT failed"
        return self._db.execute(query, (bytes.fromhex(key), self._settings)).fetchone() is not None

    def list_run(self, ordinal: int, found: Occurrence) -> None:
        """Note where a run was found.

        Args:
            ordinal: 0-based position in the input.
            found: the run, with an id that no other run of the job has.
        """
        self._begin()
        success = None if found.success is None else int(found.success)
        where = (found.path, found.format, found.position)
        self._db.execute(
            "INSERT INTO occurrences VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (self._job, ordinal, found.id, bytes.fromhex(found.key), found.task_id, success, *where),
        )

    def put(self, texts: Texts) -> None:
        """Store what was concluded about a content, with the run as it may be kept (redacted)."""
        self._begin()
        key, failed = bytes.fromhex(texts.key), int(texts.failed)
        row = (key, self._settings, failed, texts.note, texts.trajectory, texts.result)
        self._db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?)", row)
        self._n_put += 1
        if self._n_put >= MOST_PUT or time.monotonic() >= self._began + LONGEST_S:
            self.keep()

    def keep(self) -> None:
        """Write down what was noted and stored so far."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN")
            self._n_put, self._began = 0, time.monotonic()

    def list_error(self, ordinal: int, error: ReadError) -> None:
        """Note a piece of input that could not be read."""
        self._begin()
        row = (self._job, ordinal, error.path, error.line, error.where, error.expected, error.found)
        self._db.execute("INSERT INTO errors VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def errors(self) -> Iterator[ReadError]:
        """Yield what could not be read, in input order."""
        query = "SELECT path, line, place, expected, found FROM errors WHERE job = ? ORDER BY ordinal"
        for row in self._db.execute(query, (self._job,)):
            yield ReadError(*row)

    def runs(self) -> Iterator[Stored]:
        """Yield every occurrence in input order."""
        yield from self._select("ORDER BY o.ordinal")

    def runs_of_task(self, task_id: str) -> Iterator[Stored]:
        """Yield the occurrences of one task in input order.

        Left to itself, SQLite walks through the whole job to find them in this order.
        """
        yield from self._select("AND o.task_id = ? ORDER BY o.ordinal", task_id, hint="INDEXED BY by_task")

    def tasks_with_pairs(self) -> Iterator[str]:
        """Yield, in the order of their first run, the tasks that have a successful run and another that is not equal to it."""
        query = """SELECT task_id FROM occurrences WHERE job = ? AND task_id IS NOT NULL AND success IS NOT NULL
                   GROUP BY task_id HAVING max(success) = 1 AND count(DISTINCT key) > 1 ORDER BY min(ordinal)"""
        yield from (task_id for (task_id,) in self._db.execute(query, (self._job,)))

    def run(self, ordinal: int) -> Stored:
        """Return the occurrence at a position of the input."""
        return next(self._select("AND o.ordinal = ?", ordinal))

    def find(self, run_id: str) -> Stored | None:
        """Return the occurrence with this trajectory id, or None."""
        return next(self._select("AND o.id = ?", run_id), None)

    def _select(self, rest: str, *values: str | int, hint: str = "") -> Iterator[Stored]:
        query = f"""SELECT o.ordinal, o.id, o.path, o.format, o.idx, o.success, r.note, r.rowid
                    FROM occurrences o {hint} JOIN results r ON r.key = o.key AND r.settings = ?
                    WHERE o.job = ? {rest}"""  # noqa: S608
        cursor = self._db.execute(query, (self._settings, self._job, *values))
        for ordinal, own_id, path, format, index, success, note, row in cursor:
            source = Source(path=path, format=format, index=index)
            outcome = None if success is None else bool(success)
            yield Stored(ordinal, own_id, source, outcome, note, partial(self._texts, row))

    def _texts(self, row: int) -> tuple[str, str]:
        return self._db.execute("SELECT trajectory, result FROM results WHERE rowid = ?", (row,)).fetchone()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size={_PAGE_BYTES}")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    if not _has_tables(db):
        db.executescript(_SCHEMA.format(version=_VERSION))
    return db


def _open_read_only(path: Path, patience_s: float) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", patience_s, uri=True, isolation_level=None)
    if not _has_tables(db):
        raise sqlite3.DatabaseError("it has no tables of a run store")
    return db


def _has_tables(db: sqlite3.Connection) -> bool:
    """Tell whether a file has the tables of a store; DatabaseError when they are those of another version."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        raise sqlite3.DatabaseError(f"its tables are of version {version}, this program uses {_VERSION}")
    return version == _VERSION


def _settings_number(db: sqlite3.Connection, config_key: str, *, add: bool) -> int:
    """Return the number by which a store knows some settings; 0, which no Result has, for new ones that are not added."""
    if add:
        db.execute("INSERT OR IGNORE INTO settings (config_key) VALUES (?)", (config_key,))
    found = db.execute("SELECT settings FROM settings WHERE config_key = ?", (config_key,)).fetchone()
    return 0 if found is None else found[0]
