"""What any process can do for a piece of the input: read it, and conclude about its run what the store does not hold yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from agenther.errors import ReadError
from agenther.jobs.process import Processor, Texts
from agenther.jobs.store import Occurrence
from agenther.readers.base import Item
from agenther.readers.records import ItemBuilder, Piece, UnreadLine
from agenther.trajectory import Trajectory

Packed = tuple[str, str] | ReadError | UnreadLine
"""A piece as it travels between processes: of a run its key and its JSON, read more quickly than a pickle of it."""


class Concluded(NamedTuple):
    """A piece of the input with what was concluded about it."""

    found: Occurrence | ReadError
    texts: Texts | None = None
    """None: nothing can be, or the store holds it already."""


@dataclass(frozen=True)
class Concluder:
    """Concludes about pieces of the input."""

    is_stored: Callable[[str], bool]
    """Tells of a key whether the Result of this content need not be made."""
    process: Processor

    @cached_property
    def _item_of(self) -> Callable[[Piece], Item]:
        return ItemBuilder()

    def __call__(self, piece: Piece) -> Concluded:
        """Return what is concluded about a run, or why a piece is none."""
        item = self._item_of(piece)
        if isinstance(item, ReadError):
            return Concluded(item)
        return Concluded(Occurrence.of(item), None if self.is_stored(item.key) else self.process.texts(item))


def pack(piece: Piece) -> Packed:
    """Return a piece as it travels to another process."""
    return (piece.key, piece.stored) if isinstance(piece, Trajectory) else piece


def packed_size(packed: Packed) -> int:
    """Return about how many bytes a packed piece has, and what is concluded about it."""
    if isinstance(packed, ReadError):
        return 0
    return len(packed.text if isinstance(packed, UnreadLine) else packed[1])


def unpack(packed: Packed) -> Piece:
    """Return a piece that came from another process, which knows the key and the JSON of a run already."""
    if isinstance(packed, ReadError | UnreadLine):
        return packed
    run = Trajectory.model_validate_json(packed[1])
    vars(run)["key"], vars(run)["stored"] = packed
    return run
