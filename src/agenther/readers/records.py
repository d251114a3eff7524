"""Files that hold one run in each record: lines of a JSONL file, members of a JSON list, or the one JSON value.

Where records are lines, a reader need not read them itself: a line as it stands and what its file says of all of them are
all that any process needs to make its run.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import orjson

from agenther.errors import ReadError
from agenther.readers.base import (
    Item,
    Place,
    build_one,
    filled_lines,
    holds_lines,
    line_value,
    open_input,
    read_head,
    read_jsonl,
)
from agenther.readers.files import BAD_FILE, is_large, read_whole
from agenther.readers.json_text import members, parse
from agenther.record import Json
from agenther.trajectory import Trajectory

Found = tuple[Place, int, Json]
"""A record: its place, its 0-based position in the file, its value."""
Build = Callable[[Place, int, Json], Trajectory]
"""Makes a run of a record; raises ReadError."""


class RecordReader:
    """Base of the readers of files that hold one run in each record."""

    format: str
    about: str

    def sniff(self, path: Path, head: bytes) -> bool:
        """Tell cheaply whether a file looks like this format; never raises."""
        raise NotImplementedError

    def builder(self, path: Path) -> Build:
        """Return what makes the runs of a file; what all of them share is found out here, once."""
        raise NotImplementedError

    def records(self, path: Path) -> Iterator[Found | ReadError]:
        """Yield the records of a file, and an error for each piece that is none."""
        return records(path)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each record, and an error for each that is none."""
        build = self.builder(path)
        for item in self.records(path):
            if isinstance(item, ReadError):
                yield item
            else:
                yield _built(build, *item)


class UnreadLine(NamedTuple):
    """A line as it stands in a file, with all that a process needs to make a run of it."""

    reader: RecordReader
    path: Path
    shown_as: str | None
    """Name under which the file is shown; None: its own."""
    number: int
    """1-based."""
    position: int
    """0-based, among the lines that are not blank."""
    text: bytes


def unread_lines(reader: RecordReader, path: Path, shown_as: str | None = None) -> Iterator[UnreadLine | ReadError]:
    """Yield the lines of a file that are not blank, and an error for each that is too long."""
    for index, item in enumerate(filled_lines(path)):
        yield item if isinstance(item, ReadError) else UnreadLine(reader, path, shown_as, item[0], index, item[1])


Piece = Item | UnreadLine
"""A piece of the input: a run, an error, or a line of which either can be made."""


class ItemBuilder:
    """Makes items of pieces of the input. Remembers what the lines of one file share."""

    def __init__(self) -> None:
        self._file: tuple[str, Path] | None = None
        self._build: Build | None = None

    def __call__(self, piece: Piece) -> Item:
        """Return the run of a line, or why there is none; an item as it is."""
        if not isinstance(piece, UnreadLine):
            return piece
        file = (piece.reader.format, piece.path)
        if self._build is None or self._file != file:
            self._file, self._build = file, piece.reader.builder(piece.path)
        item = _item_of(self._build, piece)
        return item if piece.shown_as is None else shown_as(item, piece.shown_as)


def _item_of(build: Build, line: UnreadLine) -> Item:
    value = line_value(line.path, line.number, line.text)
    if isinstance(value, ReadError):
        return value
    return _built(build, Place(line.path, line.number), line.position, value)


def shown_as(item: Item, name: str) -> Item:
    """Return an item under the name of its file that is shown."""
    if isinstance(item, ReadError):
        return ReadError(name, item.line, item.where, item.expected, item.found)
    return item.model_copy(update={"source": item.source.model_copy(update={"path": name})})


def _built(build: Build, place: Place, index: int, value: Json) -> Item:
    return next(build_one(place, lambda: build(place, index, value)))


def records(path: Path) -> Iterator[Found | ReadError]:
    """Yield (place, index, value) of each record: lines of a JSONL file, members of a JSON list, or the one JSON value."""
    if holds_lines(path):
        for index, item in enumerate(read_jsonl(path)):
            yield item if isinstance(item, ReadError) else (Place(path, item[0]), index, item[1])
        return
    try:
        if is_large(path) and read_head(path).lstrip().startswith(b"["):
            with open_input(path) as file:
                yield from _members(path, file, None)
            return
        text = read_whole(path)
    except BAD_FILE as error:
        yield ReadError(str(path), None, "file", "a readable file", str(error))
        return
    try:
        whole = parse(text)
    except orjson.JSONDecodeError as error:
        yield from _members(path, io.BytesIO(text), error)
        return
    if isinstance(whole, list):
        for index, value in enumerate(whole):
            yield Place(path).at(index), index, value
    else:
        yield Place(path), 0, whole


def _members(path: Path, file: BinaryIO, whole: orjson.JSONDecodeError | None) -> Iterator[Found | ReadError]:
    """Yield what can be read of a list that is large or broken, and what is wrong with it, member by member.

    Args:
        path: what errors name.
        file: the list.
        whole: what is wrong with the list as a whole; None when that has not been tried.
    """
    found = members(file)
    index, n_broken = 0, 0
    while True:
        try:
            line, member = next(found)
        except StopIteration as end:
            if n_broken == 0 and whole is not None:
                yield ReadError(str(path), whole.lineno, f"column {whole.colno}", "JSON", whole.msg)
            elif n_broken == 0 and not end.value:
                yield ReadError(
                    str(path), None, "file", "one list of records, closed by ]", "a cut list, or more behind it"
                )
            return
        try:
            yield Place(path).at(index), index, parse(member)
        except orjson.JSONDecodeError as error:
            n_broken += 1
            yield ReadError(str(path), line + error.lineno - 1, f"[{index}]", "JSON", error.msg)
        index += 1
