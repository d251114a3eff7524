"""Read what a database answered: rows as Python tuples or JSON, and the columns that a schema look-up lists."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, cast

MAX_TEXT = 2_000_000
"""Longer observations are not parsed."""
SHOWN_IN_PART = 20
"""A result of at least this many rows may be the beginning of a longer one that the harness cut."""

Cell = str | int | float | None
Row = tuple[Cell, ...]
_PLAIN = frozenset({str, int, float, type(None)})
_PART = 4_000
"""Characters of a printed list that are parsed at once: Python's parser takes a hundred times as much memory."""
_MARK = re.compile(r"""'(?:[^'\\]++|\\.)*+'|"(?:[^"\\]++|\\.)*+"|[(\[{]|[)\]}]""", re.DOTALL)
"""A quoted text, or a bracket outside of one."""
_DECIMAL = re.compile(r"Decimal\('([-+0-9.E]+)'\)")
_DATE = re.compile(r"datetime\.(?:datetime|date|timedelta)\(([^()]*)\)")
_TYPE = re.compile(
    r"b?'?(?:tiny|small|medium|big)?(?:int|integer|text|blob|varchar|char|character|real|double|float|numeric|decimal|date|"
    r"datetime|timestamp|time|year|bool|boolean|enum|json|number)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ColumnInfo:
    """What a schema look-up says of a column."""

    name: str
    type: str
    primary: bool

    @property
    def is_text(self) -> bool:
        """Whether values are stored as text."""
        return bool(re.match(r"(?:tiny|medium|long)?(?:text|blob)|(?:n?var)?char|character|enum", self.type, re.I))


@lru_cache(maxsize=256)
def parse_rows(text: str) -> tuple[Row, ...] | None:
    """Return the rows of a result, None where the text is no table of rows. An object row gives its values."""
    text = text.strip()
    if len(text) > MAX_TEXT or not text.startswith(("[", "{", "(")):
        return None
    value = _json(text)
    if value is None:
        value = _python(text)
    if isinstance(value, dict):
        lists: list[Any] = [v for v in cast(dict[str, Any], value).values() if isinstance(v, list)]
        value = lists[0] if len(lists) == 1 else None
    if not isinstance(value, list | tuple):
        return None
    rows = [_row(item) for item in cast(list[Any], value)]
    found = [row for row in rows if row is not None]
    if len(found) != len(rows) or len({len(row) for row in found}) > 1:
        return None
    return tuple(found)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _python(text: str) -> Any:
    plain = _DATE.sub(lambda m: repr(m.group(1)), _DECIMAL.sub(r"\1", text))
    if len(plain) > _PART and plain.startswith("["):
        lists = [_literal(part) for part in parts_of(plain)]
        if all(isinstance(one, list) for one in lists):
            return list(chain.from_iterable(cast(list[list[Any]], lists)))
    return _literal(plain)


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def parts_of(text: str, size: int = _PART) -> Iterator[str]:
    """Yield a printed list as several lists that together have its members, each a little longer than a size in characters."""
    start = depth = 0
    opening = ""
    for mark in _MARK.finditer(text):
        depth += (mark[0] in "([{") - (mark[0] in ")]}")
        ends = depth == 1 and mark[0] in ")]}" and text[mark.end() : mark.end() + 1] == ","
        if ends and mark.end() - start > size:
            yield f"{opening}{text[start : mark.end()]}]"
            start, opening = mark.end() + 1, "["
    yield opening + text[start:]


def _row(item: Any) -> Row | None:
    if isinstance(item, dict):
        item = list(cast(dict[str, Any], item).values())
    if not isinstance(item, list | tuple) or not item:
        return None
    if _PLAIN.issuperset(map(type, cast(list[Any], item))):
        return tuple(cast(list[Cell], item))
    cells = [_cell(cell) for cell in cast(list[Any], item)]
    return tuple(cell for cell, _ in cells) if all(ok for _, ok in cells) else None


def _cell(cell: Any) -> tuple[Cell, bool]:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace"), True
    if isinstance(cell, bool):
        return int(cell), True
    if cell is None or isinstance(cell, str | int | float):
        return cell, True
    return None, False


def is_number_text(cell: Cell) -> bool:
    """Tell whether a cell is a number that is stored as text."""
    return isinstance(cell, str) and bool(re.fullmatch(r"\s*[-+]?\d+(?:\.\d+)?\s*", cell))


def parse_columns(text: str) -> tuple[ColumnInfo, ...]:
    """Return the columns that the answer to a DESCRIBE or `PRAGMA table_info` lists; empty where it is none."""
    rows = parse_rows(text)
    if not rows or len(rows[0]) < 3:
        return ()
    if all(isinstance(r[0], int) and isinstance(r[1], str) and _TYPE.match(str(r[2])) for r in rows):
        return tuple(ColumnInfo(str(r[1]), str(r[2]), bool(r[-1])) for r in rows)
    if all(isinstance(r[0], str) and isinstance(r[1], str) and _TYPE.match(r[1]) for r in rows):
        return tuple(ColumnInfo(str(r[0]), str(r[1]), "PRI" in r[2:]) for r in rows)
    return ()
