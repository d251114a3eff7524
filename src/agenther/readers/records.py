"""Files that hold one run in each record: lines of a JSONL file, members of a JSON list, or the one JSON value.

Where records are lines, a reader need not read them itself: a line as it stands and what its file says of all of them are
all that any process needs to make its run.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import orjson

from agenther.errors import ReadError
from agenther.readers.base import (
    Item,
    Place,
    Reader,
    build_one,
    filled_lines,
    holds_lines,
    line_value,
    read_jsonl,
)
from agenther.readers.files import BAD_FILE, is_large, open_input, read_head, read_whole
from agenther.readers.json_text import members, parse
from agenther.record import Json
from agenther.trajectory import Trajectory

Found = tuple[Place, int, Json]
"""A record: its place, its 0-based position in the file, its value."""
Build = Callable[[Place, int, Json], Trajectory]
"""Makes a run of a record; raises ReadError."""


class RecordReader(Reader):
    """Base of the readers of files that hold one run in each record."""

    @abstractmethod
    def builder(self, path: Path) -> Build:
        """Return what makes the runs of a file; what all of them share is found out here, once."""

    def records(self, path: Path) -> Iterator[Found | ReadError]:
        """Yield the records of a file that does not hold lines, and an error for each piece that is none."""
        return records(path)

    def pieces(self, path: Path) -> Iterator[Piece]:
        """Yield the lines of a file as they stand, where they are its records; else its runs and errors."""
        if holds_lines(path):
            for index, item in enumerate(filled_lines(path)):
                yield item if isinstance(item, ReadError) else UnreadLine(self, path, *item, index)
            return
        build = self.builder(path)
        for item in self.records(path):
            yield item if isinstance(item, ReadError) else _built(build, *item)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each record, and an error for each that is none."""
        return map(ItemBuilder(), self.pieces(path))


class UnreadLine(NamedTuple):
    """A line as it stands in a file, with all that a process needs to make a run of it."""

    reader: RecordReader
    path: Path
    number: int
    """1-based."""
    text: bytes
    position: int
    """0-based, among the lines that are not blank."""
    shown_as: str | None = None
    """Name under which the file is shown; None: its own."""


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
        value = line_value(piece.path, piece.number, piece.text)
        place = Place(piece.path, piece.number)
        item = value if isinstance(value, ReadError) else _built(self._builder(piece), place, piece.position, value)
        return item if piece.shown_as is None else shown_as(item, piece.shown_as)

    def _builder(self, line: UnreadLine) -> Build:
        file = (line.reader.format, line.path)
        if self._build is None or self._file != file:
            self._file, self._build = file, line.reader.builder(line.path)
        return self._build


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
