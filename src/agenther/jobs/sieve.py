"""Leave lines out of a file that is written already: which weight is the heaviest is known when all lines are there."""

from __future__ import annotations

import struct
from collections import Counter
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from agenther.jobs.sizes import Size, Sizes
from agenther.stages.package.draw import Draw, stays
from agenther.writers import Kind

_NOTE = struct.Struct("<BdQ?")
_ALWAYS = 1, 0.0


class Sifted(NamedTuple):
    """What is left of a file."""

    sizes: Sizes
    left_out: Counter[int]
    """Lines that were not drawn, by bucket."""


class Sieve:
    """The draws of a file's lines, in their order, in a file without a name, so that memory does not grow with them."""

    def __init__(self) -> None:
        self._notes = TemporaryFile()  # noqa: SIM115
        self._buckets = set[int]()
        self.kind: Kind | None = None
        """Of the records whose lines these are; None where there are none."""

    def note(self, draw: Draw | None, size: Size) -> None:
        """Remember the draw and length of the next line; a draw of None: it stays whatever the others weigh."""
        if draw is None:
            self._notes.write(_NOTE.pack(*_ALWAYS, *size))
            return
        self.kind = draw.kind
        self._notes.write(_NOTE.pack(draw.tenths, draw.chance, *size))
        self._buckets.add(draw.tenths)

    def sift(self, file: BinaryIO, heaviest: int) -> Sifted | None:
        """Leave out what is not drawn; None where all lines stay.

        Args:
            file: open for writing at the end of its lines, which take the place of those that go.
            heaviest: the heaviest bucket of the kind.
        """
        if all(tenths == heaviest > 0 for tenths in self._buckets):
            return None
        file.flush()
        self._notes.seek(0)
        sizes = Sizes()
        left_out: Counter[int] = Counter()
        with open(file.name, "rb") as lines:
            file.seek(0)
            for line in lines:
                tenths, chance, *size = _NOTE.unpack(self._notes.read(_NOTE.size))
                if stays(tenths, chance, heaviest):
                    file.write(line)
                    sizes.add(len(line), Size(*size))
                else:
                    left_out[tenths] += 1
        file.truncate()
        return Sifted(sizes, left_out)

    def close(self) -> None:
        """Give the space back."""
        self._notes.close()
