"""Names that must be unlike: the ids of runs, and the first to come under a key.

Kept in files of SQLite's own, so that memory does not grow with their number.
"""

from __future__ import annotations

import sqlite3


class UniqueIds:
    """Names runs in the order in which they come."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE ids (id TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def name(self, run_id: str) -> str:
        """Return the id if no run before had it, else with a number: `run/0`, `run/0~2`, `run/0~3`."""
        if self._take(run_id):
            return run_id
        number: int = self._db.execute("SELECT n FROM ids WHERE id = ?", (run_id,)).fetchone()[0] + 1
        while not self._take(f"{run_id}~{number}"):
            number += 1
        self._db.execute("UPDATE ids SET n = ? WHERE id = ?", (number, run_id))
        return f"{run_id}~{number}"

    def _take(self, run_id: str) -> bool:
        """Take an id that no run has; tell whether it was free."""
        return self._db.execute("INSERT OR IGNORE INTO ids VALUES (?, 1)", (run_id,)).rowcount > 0


class FirstNames:
    """Remembers the first name that came under each key of 64 bits."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE names (key INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        self._db.execute("BEGIN")

    def claim(self, key: int, name: str) -> str | None:
        """Return the name that came first under a key; None when this one is the first."""
        if self._db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (key, name)).rowcount:
            return None
        first: str = self._db.execute("SELECT name FROM names WHERE key = ?", (key,)).fetchone()[0]
        return first

    def close(self) -> None:
        """Give the space back."""
        self._db.close()
