"""The store of a job that is under way, as other processes see it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import cached_property

from agenther.errors import WriteError
from agenther.jobs.store import Place, Store


@dataclass(frozen=True)
class Written:
    """The store of a job that is under way, read by any process."""

    place: Place

    @cached_property
    def store(self) -> Store:
        """What the job has written down so far."""
        return Store(self.place.path, self.place.config_key, read_only=True, job=self.place.job)

    @cached_property
    def _hasty(self) -> Store:
        return Store(self.place.path, self.place.config_key, read_only=True, patience_s=0, job=self.place.job)

    def has(self, key: str) -> bool:
        """Tell whether a Result is known to be stored, as `Store.has`, without waiting.

        The job, which waits for who asks this, may hold the file: not every file system lets both read and write.
        """
        try:
            return self._hasty.has(key)
        except (sqlite3.OperationalError, WriteError):
            return False

    def close(self) -> None:
        """Close the store in this process, if it was opened."""
        for name in ("store", "_hasty"):
            if name in vars(self):
                vars(self)[name].close()
