"""What the check of execution knows of databases. Who finds and loads them stands in `environments`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from agenther.stages.language.sql.rows import Row


class Schema(Protocol):
    """One database: its columns by table, all in lower case, with `INTEGER`, `REAL` or `TEXT`; and its answers."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """The kind of each column of each table."""
        ...

    def rows(self, query: str) -> tuple[Row, ...] | None:
        """Return the rows of a query; None when it cannot be run."""
        ...


class Databases(Protocol):
    """Several databases that lie together."""

    @property
    def schemas(self) -> Sequence[Schema]:
        """Them."""
        ...
