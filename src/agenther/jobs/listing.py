"""The list of a job's input: every run and every error in the order in which they stand there, each run with an id of its own."""

from __future__ import annotations

from agenther.errors import ReadError
from agenther.jobs.names import UniqueIds
from agenther.jobs.store import Occurrence, Store
from agenther.stages.redact import redact_text


class Listing:
    """Lists the input in a store, item by item.

    Args:
        store: takes the list.
        limit: number of runs that are listed; None: all.
        strict: raise the first error instead of listing it.
        redacted: take secrets out of errors.
    """

    def __init__(self, store: Store, limit: int | None = None, *, strict: bool = False, redacted: bool = True) -> None:
        self._store, self._limit, self._strict, self._redacted = store, limit, strict, redacted
        self._ids = UniqueIds()
        self._n_items, self._n_runs = 0, 0

    @property
    def room(self) -> int | None:
        """Number of runs that are still to be listed; None: all that come."""
        return None if self._limit is None else self._limit - self._n_runs

    def add(self, found: Occurrence | ReadError) -> None:
        """List the next item of the input.

        Raises:
            ReadError: the item is one, and the list is strict.
        """
        if isinstance(found, ReadError):
            error = _without_secrets(found) if self._redacted else found
            if self._strict:
                raise error
            self._store.list_error(self._n_items, error)
        else:
            self._store.list_run(self._n_items, found._replace(id=self._ids.name(found.id)))
            self._n_runs += 1
        self._n_items += 1


def _without_secrets(error: ReadError) -> ReadError:
    """Replace secrets in what stood where something else was expected."""
    return ReadError(error.path, error.line, redact_text(error.where), error.expected, redact_text(error.found))
