"""A MySQL dump that lies beside the runs, as read-only databases in memory.

The dump's text is untrusted: only its table definitions and literal rows are taken, by parsing; none of its statements
is executed. Loaded at first use, never written to disk; every query has a time limit and a row limit.
"""

from __future__ import annotations

import gzip
import logging
import re
import sqlite3
import time
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

MAX_DUMP = 8_000_000
"""A dump of more characters is left alone: parsing it would take longer than it is worth, and half of it would lie."""
MAX_ROWS = 100_000
MAX_CELL = 10_000_000
"""No value or statement inside a database is longer than this, in bytes."""
TIME_LIMIT_S = 2.0

UNUSABLE = (sqlite3.Error, SqlglotError, RecursionError, OverflowError)
"""What a statement that cannot be run raises."""

_logger = logging.getLogger(__name__)
_SCALARS = (str, int, float)
Cell = str | int | float | None
_INTEGER = re.compile(r"(?:TINY|SMALL|MEDIUM|BIG)?INT|YEAR|BOOL|U\w*INT", re.IGNORECASE)
_REAL = re.compile(r"DOUBLE|FLOAT|REAL|DECIMAL|NUMERIC", re.IGNORECASE)
_BREAK = re.compile(
    r"""'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|`[^`]*+`|--[^\n]*+|\#[^\n]*+|/\*.*?\*/|;""", re.DOTALL
)
"""The end of a statement, and what may hold a semicolon that is none."""
_PARENTHESIS = re.compile(_BREAK.pattern.removesuffix(";") + "[()]", re.DOTALL)
_CHUNK = 4_000
"""Characters of a statement whose tokens are made at once: they take a hundred times as much memory."""
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


class SqlSchema:
    """One database of a dump, in memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.columns: dict[str, dict[str, str]] = {}
        self._usable = True
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_CELL)
        self._connection.create_collation("general_ci", _compare)

    def define(self, create: exp.Create) -> None:
        """Take a table definition; after one that cannot be taken no query has an answer."""
        schema = create.this
        if not isinstance(schema, exp.Schema) or not isinstance(schema.this, exp.Table):
            return
        columns = [(c.name, _affinity(c)) for c in schema.expressions if isinstance(c, exp.ColumnDef)]
        if columns:
            self.columns[schema.this.name.lower()] = {name.lower(): kind for name, kind in columns}
            body = ", ".join(f"{_quoted(name)} {kind} COLLATE general_ci" for name, kind in columns)
            self._run(f"CREATE TABLE IF NOT EXISTS {_quoted(schema.this.name)} ({body})", [()])

    def insert(self, insert: exp.Insert, rows: list[list[Cell]]) -> None:
        """Take literal rows; after some that cannot be taken no query has an answer."""
        table = insert.this.this if isinstance(insert.this, exp.Schema) else insert.this
        names = [c.name for c in insert.this.expressions] if isinstance(insert.this, exp.Schema) else []
        if table.name.lower() not in self.columns:
            return
        into = f" ({', '.join(map(_quoted, names))})" if names else ""
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        self._run(f"INSERT INTO {_quoted(table.name)}{into} VALUES ({marks})", rows or [[]])  # noqa: S608

    def _run(self, statement: str, values: Sequence[Sequence[Cell]]) -> None:
        try:
            self._connection.executemany(statement, values)
        except UNUSABLE:
            self._usable = False

    def close(self) -> None:
        """Let nothing more in."""
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.set_authorizer(_authorize)

    def rows(self, query: str) -> tuple[tuple[Cell, ...], ...] | None:
        """Return the rows of a MySQL query; None when it does not run here or takes too long."""
        if not self._usable:
            return None
        try:
            tree = cast(Any, sqlglot.parse_one(query, dialect="mysql"))
            for table in tree.find_all(exp.Table):
                table.set("db", None)
            connection, deadline = self._connection, time.monotonic() + TIME_LIMIT_S
            connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
            found = connection.execute(tree.sql("sqlite")).fetchmany(MAX_ROWS)
        except UNUSABLE:
            return None
        return tuple(tuple(cell if isinstance(cell, _SCALARS) else None for cell in row) for row in found)


class SqlDump:
    """A dump file and the databases in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[type[SqlDump], tuple[Path]]:
        return SqlDump, (self.path,)

    @property
    def schemas(self) -> tuple[SqlSchema, ...]:
        """The databases, in the order of the dump; empty when it cannot be read as a dump."""
        return self._loaded

    @cached_property
    def _loaded(self) -> tuple[SqlSchema, ...]:
        try:
            text = _read(self.path)
        except (OSError, EOFError, UnicodeDecodeError) as error:
            _logger.warning("%s: not read as a SQL dump: %s", self.path.name, error)
            return ()
        if len(text) > MAX_DUMP:
            _logger.warning("%s: not read as a SQL dump: over %d characters", self.path.name, MAX_DUMP)
            return ()
        return tuple(_schemas(text, self.path.name.split(".")[0]))


def _read(path: Path) -> str:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return file.read(MAX_DUMP + 1)
    with path.open(encoding="utf-8") as file:
        return file.read(MAX_DUMP + 1)


def _schemas(text: str, name: str) -> Iterator[SqlSchema]:
    made = [SqlSchema(name)]
    for tree, rows in _statements(text):
        match tree:
            case exp.Use():
                made.append(SqlSchema(tree.this.name))
            case exp.Create():
                made[-1].define(tree)
            case exp.Insert():
                made[-1].insert(tree, rows)
            case _:
                pass
    for schema in made:
        schema.close()
        if schema.columns:
            yield schema


def _statements(text: str) -> Iterator[tuple[Any, list[list[Cell]]]]:
    """Parse the statements that define or fill tables, each by itself: one that cannot be parsed spoils no other.

    With each come the literal rows that it inserts. Only the first of them is parsed: a tree of all takes much memory.
    """
    dialect = sqlglot.Dialect.get_or_raise("mysql")
    for piece in _pieces(text):
        try:
            tokens = chain.from_iterable(map(dialect.tokenize, _chunks(piece)))
            first = list(islice(tokens, 2))
            kinds = [token.token_type for token in first]
            if kinds[:1] == [TokenType.INSERT]:
                rows = _take_rows(first, tokens)
                yield dialect.parser().parse(first, piece)[0], rows
            elif kinds == [TokenType.CREATE, TokenType.TABLE] or kinds[:1] == [TokenType.USE]:
                yield dialect.parser().parse(dialect.tokenize(piece), piece)[0], []
        except (SqlglotError, RecursionError):
            continue


def _pieces(text: str) -> Iterator[str]:
    """Yield the statements of a dump as texts."""
    start = 0
    for found in _BREAK.finditer(text):
        if found[0] == ";":
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def _chunks(statement: str) -> Iterator[str]:
    """Yield a statement in parts that end behind outermost parentheses, most of them a little over `_CHUNK` long."""
    start = depth = 0
    for found in _PARENTHESIS.finditer(statement):
        depth += (found[0] == "(") - (found[0] == ")")
        if found[0] == ")" and depth == 0 and found.end() - start > _CHUNK:
            yield statement[start : found.end()]
            start = found.end()
    yield statement[start:]


def _take_rows(first: list[Token], tokens: Iterator[Token]) -> list[list[Cell]]:
    """Return the rows behind VALUES; append to the first tokens those up to the end of the first row, or all without one."""
    for token in tokens:
        first.append(token)
        if token.token_type is TokenType.VALUES:
            break
    rows: list[list[Cell]] = []
    cell: list[Token] = []
    depth, n_closed = 0, 0
    for token in tokens:
        if not n_closed:
            first.append(token)
        match token.token_type:
            case TokenType.L_PAREN if depth == 0:
                rows.append([])
                depth = 1
            case TokenType.COMMA if depth == 0:
                pass
            case _ if depth == 0:
                break
            case TokenType.R_PAREN | TokenType.COMMA if depth == 1:
                rows[-1].append(_literal(cell))
                cell = []
                depth -= token.token_type is TokenType.R_PAREN
                n_closed += depth == 0
            case kind:
                cell.append(token)
                depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
    if not n_closed:
        first += tokens
    return rows


def _affinity(column: exp.ColumnDef) -> str:
    kind = column.args.get("kind")
    text = kind.sql("mysql") if isinstance(kind, exp.DataType) else ""
    if _INTEGER.match(text):
        return "INTEGER"
    return "REAL" if _REAL.match(text) else "TEXT"


def _literal(cell: list[Token]) -> Cell:
    """Return the text or number that a cell says; None where it says anything else."""
    kinds = [token.token_type for token in cell]
    if kinds == [TokenType.STRING]:
        return cell[0].text
    if kinds not in ([TokenType.NUMBER], [TokenType.DASH, TokenType.NUMBER]):
        return None
    text = "".join(token.text for token in cell)
    try:
        return int(text)
    except ValueError:
        return float(text)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c)).rstrip(" ")


def _compare(a: str, b: str) -> int:
    x, y = _fold(a), _fold(b)
    return (x > y) - (x < y)


def _authorize(action: int, *_: str | None) -> int:
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY
