"""Inputs of a job, file by file: which reader reads each and why, and what it holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from agenther.errors import ReadError, UserError
from agenther.jobs.names import UniqueIds
from agenther.readers.base import Item, Reader
from agenther.readers.discover import PassOver, find_inputs, is_spooled, pick_reader, say_nothing, shown_name
from agenther.readers.labels import Labeller
from agenther.readers.records import ItemBuilder, Piece, RecordReader, UnreadLine, shown_as
from agenther.texts import path_text

if TYPE_CHECKING:
    from agenther.readers.mapped import MapReader

Inputs = str | Path | Iterable[str | Path]
Why = Literal["found by looking", "forced", "mapped", "not known"]


@dataclass(frozen=True)
class InputFile:
    """One file of the input; its pieces are read while they are asked for, once."""

    path: Path
    reader: Reader | None
    """None when no reader takes it; its only item then says so."""
    why: Why
    pieces: Iterator[Piece]

    @property
    def items(self) -> Iterator[Item]:
        """Its runs, and an error for each piece that is none."""
        return map(ItemBuilder(), self.pieces)


def read_files(
    paths: Inputs, *, format: str | None = None, reader: Reader | None = None, pass_over: PassOver = say_nothing
) -> Iterator[InputFile]:
    """Yield every file of some inputs.

    Args:
        paths: files, folders or globs; one or several.
        format: name of the format of all files; sniffed when None.
        reader: reads all files, whatever they look like.
        pass_over: is told of each file of a folder that is not read, and why.
    """
    for path in find_inputs(paths, pass_over=pass_over):
        picked = reader if reader is not None and path.is_file() else pick_reader(path, format)
        if isinstance(picked, ReadError):
            yield InputFile(path, None, "not known", _as_shown((picked,), path))
            continue
        why: Why = "mapped" if reader is not None else "forced" if format is not None else "found by looking"
        pieces = picked.pieces(path) if isinstance(picked, RecordReader) else picked.read(path)
        yield InputFile(path, picked, why, _at_least_one(_as_shown(pieces, path), path, picked.format))


def labelled(items: Iterable[Item], labeller: Labeller) -> Iterator[Item]:
    """Yield items, runs with the outcomes of a labels file, under the ids by which it tells them apart.

    Raises:
        UserError: the labels know a run only by an id that it shares.
    """
    ids = UniqueIds()
    for item in items:
        yield item if isinstance(item, ReadError) else labeller.label(item, ids.name(item.id))


def map_reader(map_file: Path | None, format: str | None = None) -> MapReader | None:
    """Return the reader of a map, None when there is none.

    Raises:
        UserError: the map cannot be used, or a format is named too.
    """
    if map_file is None:
        return None
    if format is not None:
        raise UserError(f"--map {path_text(map_file)} and --format {format}: a map is a format of its own", "give one")
    from agenther.readers.mapped import MapReader
    from agenther.readers.mapping import load_map

    return MapReader(load_map(map_file))


def existing_files(inputs: Inputs, out: Path | None = None) -> tuple[Path, ...]:
    """Return the files that inputs name, but for those that a job wrote.

    Raises:
        UserError: one of them names nothing, or all together hold no file that may be a trace.
    """
    named = (inputs,) if isinstance(inputs, str | Path) else tuple(inputs)
    paths = tuple(find_inputs(named, out))
    if missing := next((path for path in paths if not path.exists()), None):
        raise UserError(f"{missing}: expected a file, a folder or a pattern that matches some, found nothing")
    if not paths:
        raise UserError(
            f"{' '.join(map(str, named))}: expected traces, found no file that could be one",
            "see `agenther formats`; what a job wrote is not read",
        )
    return paths


def _at_least_one(pieces: Iterable[Piece], path: Path, format: str) -> Iterator[Piece]:
    """Yield the pieces of a file, or an error when it has none: nothing is passed over without a word."""
    empty = True
    for piece in pieces:
        empty = False
        yield piece
    if empty:
        yield ReadError(shown_name(path), None, "file", f"runs in the format {format}", "none")


def _as_shown(pieces: Iterable[Piece], path: Path) -> Iterator[Piece]:
    """Yield pieces under the name of their file that is shown."""
    if not is_spooled(path):
        yield from pieces
        return
    name = shown_name(path)
    for piece in pieces:
        yield piece._replace(shown_as=name) if isinstance(piece, UnreadLine) else shown_as(piece, name)


def dumps_beside(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the SQL dumps in the folders of inputs and up to two above, each once; nothing lies beside standard input."""
    found: dict[Path, None] = {}
    for path in paths:
        if is_spooled(path):
            continue
        folder = path if path.is_dir() else path.parent
        for place in (folder, *list(folder.resolve().parents)[:2]):
            for pattern in ("*.sql", "*.sql.gz"):
                found |= dict.fromkeys(sorted(p.resolve() for p in place.glob(pattern) if p.is_file()))
    return tuple(found)
