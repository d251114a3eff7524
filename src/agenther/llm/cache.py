"""The answers of one output folder, in a SQLite file of their own: one that was paid for is never asked for again.

Owns what has been answered, what it took, which requests wait for a batch, and the secret of the fences, on which the
keys of the requests depend. An answer is committed before anybody gets it, so a kill loses only what was on its way.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from pydantic import Field, ValidationError

from agenther.errors import UserError, WriteError
from agenther.llm.base import AskedBy, Client, Request, Response, Usage
from agenther.record import Record
from agenther.texts import path_text

R = TypeVar("R", bound=Record)

ANSWERS = "answers.sqlite"
"""Name of the file in an output folder."""
_VERSION = 1
"""Of the tables. A file with others is refused."""
_SCHEMA = """
CREATE TABLE answers (key TEXT PRIMARY KEY, asked_by TEXT NOT NULL, model TEXT NOT NULL, response BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE spent (
    asked_by TEXT NOT NULL, model TEXT NOT NULL, requests INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (asked_by, model)) WITHOUT ROWID;
CREATE TABLE pending (
    ordinal INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, model TEXT NOT NULL, request BLOB NOT NULL, round INTEGER);
CREATE TABLE meta (secret BLOB NOT NULL, rounds INTEGER NOT NULL);
"""
_WAIT_S = 60
"""How long to wait for another process that is writing."""
_COMPLETE = frozenset({"stop", "length", "content_filter"})
"""Ends of answers that are kept: asked again, the server would end in the same way. Others are its own breakdowns."""


class Spent(Record):
    """What the answers to one stage by one model took, over all jobs of the folder."""

    asked_by: AskedBy
    model: str = Field(description="name under which the job knows the model")
    requests: int = Field(description="answers that came, kept or not")
    usage: Usage = Field(description="sum over them")


class Cache:
    """The file of answers. May be used from several threads, and by several objects and processes at once.

    Whatever the file or the disk refuses is a UserError: a WriteError unless the file itself is damaged.

    Args:
        path: the file; made if missing.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = _open(path)
            row = self._db.execute("SELECT secret FROM meta").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise _refused(path, error) from error
        if row is None or not isinstance(row[0], bytes) or len(row[0]) != 32:
            raise _damaged(path, "its secret is missing")
        self.secret = row[0]
        """32 random bytes, made with the file: the secret of the fences."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the file."""
        with self._lock:
            self._db.close()

    def get(self, key: str) -> Response | None:
        """Return the answer to the request with this key, or None."""
        with self._use() as db:
            row = db.execute("SELECT response FROM answers WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._record(Response, row[0])

    def has(self, key: str) -> bool:
        """Tell whether the request with this key is answered."""
        with self._use() as db:
            return db.execute("SELECT 1 FROM answers WHERE key = ?", (key,)).fetchone() is not None

    def keep(self, request: Request, response: Response) -> Response:
        """Store an answer and what it took, and return the answer to use: the first that was stored.

        An answer that its server broke off counts as spent and is not stored.
        """
        usage = response.usage
        taken = (1, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens)
        with self._use(write=True) as db:
            is_first = True
            if response.finish in _COMPLETE:
                row = (request.key, request.asked_by.value, request.model, response.model_dump_json().encode())
                is_first = db.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", row).rowcount == 1
                db.execute("DELETE FROM pending WHERE key = ?", (request.key,))
            db.execute(
                """INSERT INTO spent VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                   requests = requests + excluded.requests, prompt_tokens = prompt_tokens + excluded.prompt_tokens,
                   cached_tokens = cached_tokens + excluded.cached_tokens,
                   completion_tokens = completion_tokens + excluded.completion_tokens""",
                (request.asked_by.value, request.model, *taken),
            )
        return response if is_first else self.get(request.key) or response

    def spent(self) -> tuple[Spent, ...]:
        """Return what all answers took so far, by stage and model."""
        with self._use() as db:
            rows = db.execute("SELECT * FROM spent ORDER BY asked_by, model").fetchall()
        return tuple(self._spent(*row) for row in rows)

    def note(self, request: Request) -> None:
        """Note a request that waits for a batch; once is enough."""
        row = (request.key, request.model, request.model_dump_json().encode())
        with self._use(write=True) as db:
            db.execute("INSERT OR IGNORE INTO pending (key, model, request) VALUES (?, ?, ?)", row)

    def forget_unsent(self) -> None:
        """Forget the requests that wait and went out in no batch: whoever still needs one notes it again."""
        with self._use(write=True) as db:
            db.execute("DELETE FROM pending WHERE round IS NULL")

    def waiting(self, *, sent: bool) -> list[tuple[str, str]]:
        """Return model and key of the requests that wait, in the order of their models and of asking.

        Args:
            sent: those that went out in a batch already, or those that did not.
        """
        which = "NOT NULL" if sent else "NULL"
        query = f"SELECT model, key FROM pending WHERE round IS {which} ORDER BY model, ordinal"  # noqa: S608
        with self._use() as db:
            return db.execute(query).fetchall()

    def waiting_request(self, key: str) -> Request | None:
        """Return the request that waits with this key, or None."""
        with self._use() as db:
            row = db.execute("SELECT request FROM pending WHERE key = ?", (key,)).fetchone()
        return None if row is None else self._record(Request, row[0])

    def rounds(self) -> int:
        """Return how many batches went out so far."""
        with self._use() as db:
            return db.execute("SELECT rounds FROM meta").fetchone()[0]

    def mark_sent(self, keys: Sequence[str], round_number: int) -> None:
        """Note that requests went out in a round of batches."""
        with self._use(write=True) as db:
            db.executemany("UPDATE pending SET round = ? WHERE key = ?", ((round_number, key) for key in keys))
            db.execute("UPDATE meta SET rounds = max(rounds, ?)", (round_number,))

    def mark_unsent(self, keys: Iterable[str]) -> None:
        """Note that requests came back without an answer, so that they go out again."""
        with self._use(write=True) as db:
            db.executemany("UPDATE pending SET round = NULL WHERE key = ?", ((key,) for key in keys))

    @contextmanager
    def _use(self, *, write: bool = False) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                if write:
                    self._db.execute("BEGIN IMMEDIATE")
                yield self._db
                if write:
                    self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise _refused(self._path, error) from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _spent(self, asked_by: str, model: str, requests: int, prompt: int, cached: int, completion: int) -> Spent:
        usage = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
        try:
            return Spent.model_validate({"asked_by": asked_by, "model": model, "requests": requests, "usage": usage})
        except ValidationError as error:
            raise _damaged(self._path, "a sum in it is none") from error

    def _record(self, kind: type[R], text: bytes) -> R:
        try:
            return kind.model_validate_json(text)
        except ValidationError as error:
            raise _damaged(self._path, f"a {kind.__name__.lower()} in it is none") from error


class Cached:
    """A client that asks only what the file cannot answer, and asks nothing twice at the same time.

    One object belongs to one event loop. A request that is on its way goes on when nobody waits for it any more: it is
    paid for.

    Args:
        inner: who answers the rest.
        cache: the file; it stays open when this client is closed.
    """

    def __init__(self, inner: Client, cache: Cache) -> None:
        self._inner, self._cache = inner, cache
        self._on_the_way: dict[str, asyncio.Task[Response]] = {}
        self.answered = 0
        """Requests that needed no asking: answered by the file, or together with an equal one."""

    async def complete(self, request: Request) -> Response:
        """Return the stored answer, or ask for one and store it; those who wait for the same share what comes."""
        key = request.key
        kept = self._cache.get(key)
        if kept is not None:
            self.answered += 1
            return kept
        asking = self._on_the_way.get(key)
        if asking is None:
            asking = self._on_the_way[key] = asyncio.create_task(self._ask(request))
            asking.add_done_callback(lambda done: self._arrived(key, done))
        else:
            self.answered += 1
        await asyncio.wait([asking])
        return asking.result()

    async def close(self) -> None:
        """Give up what is on its way and close the inner client."""
        asking = list(self._on_the_way.values())
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)
        await self._inner.close()

    async def _ask(self, request: Request) -> Response:
        return self._cache.keep(request, await self._inner.complete(request))

    def _arrived(self, key: str, asking: asyncio.Task[Response]) -> None:
        del self._on_the_way[key]
        if not asking.cancelled():
            asking.exception()  # whoever waits for it gets it; if nobody does, it is no news


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False)
    _refuse_foreign(db)
    if db.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in _SCHEMA.strip().removesuffix(";").split(";\n"):
                db.execute(statement)
            db.execute("INSERT INTO meta VALUES (?, 0)", (secrets.token_bytes(32),))
            db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("COMMIT")
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version != _VERSION:
        raise sqlite3.DatabaseError(f"its tables are of version {version}, this program uses {_VERSION}")
    return db


def _refuse_foreign(db: sqlite3.Connection) -> None:
    """Raise DatabaseError for tables that are not ours, before anything is written; ours come with their version."""
    query = "SELECT (SELECT count(*) FROM sqlite_master), user_version FROM pragma_user_version"
    n_tables, version = db.execute(query).fetchone()
    if n_tables and version == 0:
        raise sqlite3.DatabaseError("it holds the tables of another program")


def _refused(path: Path, error: Exception) -> UserError:
    code = str(getattr(error, "sqlite_errorname", ""))
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return _damaged(path, str(error))
    return WriteError(
        f"{path_text(path)}: cannot be used for answers: {error}",
        "is the disk full? a file that another program or another version made must be moved away first",
    )


def _damaged(path: Path, what: str) -> UserError:
    return UserError(
        f"{path_text(path)}: expected the answers of earlier jobs, found a damaged file: {what}",
        "put back a copy of it, or move it away: then all its answers are asked for, and paid for, again",
    )
