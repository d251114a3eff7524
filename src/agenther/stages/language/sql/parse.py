"""Read SQL: is a text a statement that only reads, and what does a SELECT ask.

What can be told by a pattern stands here; `tree` parses, and is imported when the first query is to be parsed.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agenther.stages.language.sql.shape import Select, Unspeakable
from agenther.trajectory import ToolCall

MAX_QUERY = 4000
"""Longer texts are not looked at: no request behind them would be short."""

_READING = "SELECT|SHOW|DESC|DESCRIBE|EXPLAIN|PRAGMA|USE|HELP|WITH"
_WRITING = r"INSERT|UPDATE|DELETE|CREATE|DROP|ALTER|TRUNCATE|REPLACE\s+INTO|GRANT|MERGE|CALL|LOAD|RENAME|INTO\s+OUTFILE"
_BEGINS = re.compile(rf"\s*(?:{_READING}|{_WRITING})\b", re.IGNORECASE)
_READS = re.compile(rf"\s*(?:{_READING})\b", re.IGNORECASE)
_WRITES = re.compile(rf"\b(?:{_WRITING})\b", re.IGNORECASE)
_STRINGS = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`")
_CATALOGUE = re.compile(r"\b(?:information_schema|sqlite_master|sqlite_schema|pg_catalog)\b", re.IGNORECASE)
_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)
_KEYWORDS = frozenset(
    "SELECT FROM WHERE AND OR NOT IN IS NULL AS ON JOIN INNER GROUP ORDER BY ASC DESC LIMIT HAVING DISTINCT LIKE BETWEEN "
    "COUNT AVG SUM MIN MAX SHOW TABLES TABLE DESCRIBE EXPLAIN COLUMNS PRAGMA DATABASE".split()
)


def words_of(call: ToolCall) -> str:
    """Return what of a statement the agent chose: tables, columns, aliases and values, no keywords."""
    texts = [value for value in call.values.values() if isinstance(value, str)]
    words = (word for text in texts for word in re.findall(r"[^\W\d]\w*", text))
    return " ".join(word for word in words if word.upper() not in _KEYWORDS)


def is_select(text: str) -> bool:
    """Tell whether a text looks like a query of user tables."""
    return len(text) <= MAX_QUERY and bool(_SELECT.match(text)) and not _CATALOGUE.search(text)


def is_schema_lookup(text: str) -> bool:
    """Tell whether a statement asks what tables and columns there are."""
    return is_read_only(text) and not is_select(text)


def is_sql(text: str) -> bool:
    """Tell whether a text begins as a SQL statement."""
    return _BEGINS.match(text) is not None


def is_read_only(text: str) -> bool:
    """Tell whether a text is a statement, or no statement at all, that cannot change a table."""
    bare = _STRINGS.sub("''", text)
    return not _WRITES.search(bare) and bool(_READS.match(text))


def changes_data(text: str) -> bool:
    """Tell whether a text holds a word by which SQL changes data or schema."""
    return bool(_WRITES.search(_STRINGS.sub("''", text)))


@lru_cache(maxsize=2048)
def parse_select(text: str) -> Select:
    """Return what a SELECT asks.

    Raises:
        Unspeakable: it is no single SELECT, or has a shape for which there is no sentence.
    """
    if not is_select(text):
        raise Unspeakable("no query of user tables")
    from agenther.stages.language.sql.tree import read_select

    return read_select(text)
