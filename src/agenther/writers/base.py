"""What a writer is, and the records it renders: one consumer's dialect of the training examples.

A writer touches no file. Opening, ordering and counting belong to the driver; which runs make pairs, to the pass over
all runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import orjson

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import Json, JsonObject
from agenther.writers.sidecars import Files, Kind

Row = JsonObject
"""One line of a file that a consumer loads."""

TEXT, NUMBER, MESSAGES = "dtype: string", "dtype: float64", "list: json"
"""Types of columns, as a dataset card writes them. Messages of one list differ in their keys, hence `json`."""

Trainable = Example | Pair | Unpaired | Contrast
"""What writers render: examples into `sft`, pairs into `dpo`, unpaired ones into `kto`, contrasts into `goal_contrast`."""


class Writer(Protocol):
    """Renders for one consumer."""

    consumer: str
    """Name of the consumer, and of its folder under `train/`."""
    kinds: tuple[Kind, ...]
    """The files that this consumer can load."""
    refuses: Mapping[Kind, str]
    """Why it has none of the other kinds, and what to take instead."""
    weighted: tuple[Kind, ...]
    """The kinds whose rows carry the severity weight to who acts on it; rows of the others are drawn by it."""

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record as rows of the kind it belongs to.

        Raises:
            WriteError: this consumer's dialect cannot say what the record says.
        """
        ...

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns that every row of a kind has, in their order, with their types (see `TEXT`)."""
        ...

    def check(self, row: Row) -> None:
        """Raise WriteError, naming the place, if the consumer would refuse a row, drop it or train it wrongly."""
        ...

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return, by name, the texts that belong beside the rows: settings, and how to train with them."""
        ...


def checked_rows(writer: Writer, record: Trainable) -> Iterator[Row | WriteError]:
    """Yield the rows that the consumer takes, and an error in the place of each that is set aside."""
    try:
        rows = list(writer.rows(record))
    except WriteError as error:
        yield error
        return
    for row in rows:
        try:
            writer.check(row)
        except WriteError as error:
            yield error
        else:
            yield row


def kind_of(writer: Writer, row: Row, kind: Kind) -> Kind:
    """Return the file that a row belongs to, which a record of some kind gave: `sft_last` where it has that file's columns."""
    return "sft_last" if "sft_last" in writer.kinds and row.keys() == writer.columns("sft_last").keys() else kind


def row_line(row: Row) -> bytes:
    """Serialise a checked row as one line."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def json_text(value: JsonObject) -> str:
    """Return an object as one JSON string: metadata of any shape in a column of one type."""
    return orjson.dumps(value).decode()


_INFINITE = b"null"
"""How infinite numbers are written, among others. All other values of JSON come back from it."""


def _names(value: Json) -> Iterator[str]:
    """Yield the names of all objects inside a value."""
    if isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _names(member)
    elif isinstance(value, list):
        for member in value:
            yield from _names(member)


def check_json(row: Row) -> None:
    """Raise WriteError unless a row comes back from JSON as it was: no infinities, huge integers, broken text or names."""
    try:
        text = orjson.dumps(row)
    except TypeError as error:
        raise WriteError(f"row: expected values that JSON can hold, found {error}") from error
    if _INFINITE in text and orjson.loads(text) != row:
        raise WriteError("row: expected values that survive JSON, found some that change")
    if b"\\u0000" in text and any("\0" in name for name in _names(row)):
        raise WriteError("row: expected names that Arrow can hold, found one with a NUL character")
