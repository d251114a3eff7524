"""Readers of other packages, found by the entry-point group `agenther.readers`, beside our own.

Loaded when the first file is looked at, never on import. They are foreign code: whatever one of them raises becomes a
problem that names its package, or a ReadError of the file; the other readers and files go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from agenther.errors import ReadError
from agenther.readers import READERS
from agenther.readers.base import FolderReader, Item, Place, Reader
from agenther.trajectory import Trajectory

GROUP = "agenther.readers"
T = TypeVar("T")


class OutsideReader:
    """A reader of another package, kept from harming others."""

    def __init__(self, reader: Reader, package: str, problems: list[str]) -> None:
        self.format, self.about, self.package = reader.format, f"{reader.about} [{package}]", package
        self._reader, self._problems = reader, problems

    def sniff(self, path: Path, head: bytes) -> bool:
        """Ask it; what it raises is a no."""
        return bool(self._ask("sniff", lambda: self._reader.sniff(path, head)))

    def companion(self, path: Path) -> bool:
        """Ask it, if it knows of such files; what it raises is a no."""
        reader = self._reader
        return isinstance(reader, FolderReader) and bool(self._ask("companion", lambda: reader.companion(path)))

    def read(self, path: Path) -> Iterator[Item]:
        """Yield what it yields; an error for what is neither a run nor an error, and for what it raises."""
        items = iter(self._ask("read", lambda: self._reader.read(path)) or ())
        while True:
            try:
                item: Any = next(items)
            except StopIteration:
                return
            except Exception as error:
                found = f"{type(error).__name__}: {error}"
                yield ReadError(str(path), None, "file", f"what the reader of {self.package} can read", found)
                return
            expected = f"a trajectory or a read error from the reader of {self.package}"
            yield item if isinstance(item, Trajectory | ReadError) else Place(path).error(expected, item)

    def _ask(self, what: str, question: Callable[[], T]) -> T | None:
        return _or_problem(f"reader {self.format} of {self.package}: {what} failed", self._problems, question)


def known_readers() -> dict[str, Reader]:
    """Return all readers by format: those of other packages first, since they were installed for a purpose, then ours."""
    return {**outside_readers(), **READERS}


@cache
def outside_readers() -> dict[str, OutsideReader]:
    """Return the readers of other packages by format."""
    readers: dict[str, OutsideReader] = {}
    for reader in _load_all():
        if reader.format in READERS or reader.format in readers:
            _problems().append(
                f"{reader.package}: its format {reader.format!r} has the name of another and is left out"
            )
        else:
            readers[reader.format] = reader
    return readers


def reader_problems() -> tuple[str, ...]:
    """Return what went wrong with readers of other packages so far, a line for each."""
    outside_readers()
    return tuple(dict.fromkeys(_problems()))


@cache
def _problems() -> list[str]:
    return []


def _load_all() -> list[OutsideReader]:
    points = sorted(entry_points(group=GROUP), key=lambda point: (_package(point), point.name))
    made = (
        _or_problem(f"reader {p.name!r} of {_package(p)} is left out", _problems(), lambda p=p: _load(p))
        for p in points
    )
    return [reader for reader in made if reader is not None]


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _load(point: EntryPoint) -> OutsideReader:
    loaded: Any = point.load()
    reader: Any = loaded() if isinstance(loaded, type) else loaded
    for name in ("format", "about"):
        if not isinstance(getattr(reader, name, None), str) or not getattr(reader, name):
            raise TypeError(f"its `{name}` is no text")
    for name in ("sniff", "read"):
        if not callable(getattr(reader, name, None)):
            raise TypeError(f"it has no method `{name}`")
    return OutsideReader(reader, _package(point), _problems())


def _or_problem(what: str, problems: list[str], question: Callable[[], T]) -> T | None:
    """Return an answer of foreign code, or None and a note of what it raised."""
    try:
        return question()
    except Exception as error:
        problems.append(f"{what}: {type(error).__name__}: {' '.join(str(error).split())}")
        return None
