"""Opening input files: regular ones only, decompressed, and never more at once than memory holds.

Nothing here trusts a file: what blocks (pipes, devices) is refused, what unpacks without end is stopped, and a line that is
too long is passed over without being held. What the bytes mean belongs to the readers.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import stat
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import zstandard

HEAD_BYTES = 65536
MAX_RECORD = 64 << 20
"""No line is read that has more bytes."""
MAX_WHOLE = 256 << 20
"""No file that must be read as one piece is read that has more bytes, unpacked."""
LARGE = 8 << 20
"""A list of runs in a file of more bytes is read member by member: parsed as one it would take twenty times as much."""
FREE_UNPACKED = 64 << 20
"""Any packed file may unpack to this many bytes; beyond it only to `MAX_RATIO` times its size."""
MAX_RATIO = 200
_ZSTD_PIECE = 1024
"""Packed bytes that are unpacked at once: 32 MiB come of them at most."""
_SKIP = 1 << 16
_LINE_PIECE = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

BAD_FILE = (OSError, EOFError, zlib.error, zstandard.ZstdError)
"""What opening or decompressing a file can raise."""


class TooLarge(OSError):
    """A file holds more than is read."""


def open_input(path: Path) -> BinaryIO:
    """Open a regular file for reading bytes, decompressing .gz and .zst; never waits for a pipe.

    Raises:
        OSError: there is no such file, or it is none that can be read to its end. While it is read also `TooLarge`, where
            it unpacks to more than `FREE_UNPACKED` and `MAX_RATIO` times its size, and the rest of `BAD_FILE`.
    """
    file = open_regular(path)
    if path.suffix == ".gz":
        return _bounded(_Gzip(file))
    if path.suffix == ".zst":
        return _bounded(_Zstd(file))
    return file if file.peek(2)[:2] not in _UTF16 else io.BufferedReader(_Utf8(file), _SKIP)


def open_regular(path: Path) -> io.BufferedReader:
    """Open a regular file for reading its bytes as they are; never waits for a pipe.

    Raises:
        OSError: there is no such file, or it is a pipe, a device or a folder.
    """
    file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError("not a regular file")
    return file


def _open_at_once(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def most_unpacked(packed: BinaryIO) -> int:
    """Return how many bytes an open packed file may unpack to."""
    return max(FREE_UNPACKED, MAX_RATIO * os.fstat(packed.fileno()).st_size)


def _bounded(unpacked: _Unpacked) -> BinaryIO:
    return io.BufferedReader(unpacked, _SKIP)


class _Unpacked(io.RawIOBase):
    """Unpacks a file piece by piece and stops where it becomes too much."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._n = 0
        self._most = most_unpacked(packed)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._packed.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        piece = self._piece(len(buffer))
        self._n += len(piece)
        if self._n > self._most:
            raise TooLarge(f"unpacks to more than {self._most >> 20} MiB, over {MAX_RATIO} times its size")
        buffer[: len(piece)] = piece
        return len(piece)

    def _piece(self, most: int) -> bytes:
        """Return up to so many unpacked bytes; none at the end."""
        raise NotImplementedError


class _Gzip(_Unpacked):
    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(packed)
        self._stream = gzip.GzipFile(fileobj=packed)

    def _piece(self, most: int) -> bytes:
        return self._stream.read1(most)


class _Zstd(_Unpacked):
    """Frames one after the other; a frame that ends too early is an error, which the library's own stream is not."""

    def __init__(self, packed: BinaryIO) -> None:
        super().__init__(packed)
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._begun = False
        self._ready = b""

    def _piece(self, most: int) -> bytes:
        while not self._ready:
            if self._frame.eof:
                rest = self._frame.unused_data
                self._frame = zstandard.ZstdDecompressor().decompressobj()
                self._begun = False
            else:
                rest = b""
            packed = rest or self._packed.read(_ZSTD_PIECE)
            if not packed:
                if self._begun:
                    raise EOFError("the compressed file ends too early")
                return b""
            self._begun = True
            self._ready = self._frame.decompress(packed)
        piece, self._ready = self._ready[:most], self._ready[most:]
        return piece


class _Utf8(io.RawIOBase):
    """UTF-16 with a byte order mark, as some shells write it, as UTF-8."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        while not self._ready and (raw := self._file.read(_SKIP)):
            self._ready = self._decoder.decode(raw).encode()
        piece, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def read_head(path: Path) -> bytes:
    """Return the first 64 KiB of a file, decompressed; empty when it cannot be read."""
    try:
        with open_input(path) as file:
            return file.read(HEAD_BYTES).removeprefix(BOM_UTF8)
    except BAD_FILE:
        return b""


def suffix_of(path: Path) -> str:
    """Return the suffix of a file name without regard to compression: `.jsonl` for `a.jsonl.gz`."""
    name = path.with_suffix("") if path.suffix in (".gz", ".zst") else path
    return name.suffix.lower()


def is_large(path: Path) -> bool:
    """Tell whether a file is read piece by piece where that can be done: it may unpack to more than memory should hold."""
    size = path.stat().st_size
    return size > (LARGE // 16 if path.suffix in (".gz", ".zst") else LARGE)


def read_whole(path: Path) -> bytes:
    """Return all bytes of a file, decompressed, without a byte order mark.

    Raises:
        OSError: also `TooLarge`, where it holds more than `MAX_WHOLE`, and the rest of `BAD_FILE`.
    """
    pieces: list[bytes] = []
    n = 0
    with open_input(path) as file:
        while piece := file.read(1 << 20):
            n += len(piece)
            if n > MAX_WHOLE:
                raise TooLarge(f"more than {MAX_WHOLE >> 20} MiB in one piece; with one run on a line any size is read")
            pieces.append(piece)
    return b"".join(pieces).removeprefix(BOM_UTF8)


def read_lines(path: Path) -> Iterator[tuple[int, bytes | None]]:
    """Yield (1-based number, line with its end) of a file, decompressed; None for a line of more than `MAX_RECORD` bytes.

    Raises:
        OSError: also the rest of `BAD_FILE`, after the lines that could be read.
    """
    with open_input(path) as file:
        number = 0
        while line := file.readline(_LINE_PIECE):
            number += 1
            whole = line if len(line) < _LINE_PIECE or line.endswith(b"\n") else _long_line(file, line)
            yield number, whole.removeprefix(BOM_UTF8) if whole is not None and number == 1 else whole


def _long_line(file: BinaryIO, start: bytes) -> bytes | None:
    """Return a line from its first piece on, None when it is too long; what is too long is not held."""
    pieces, n = [start], len(start)
    while (piece := file.readline(_LINE_PIECE)) and n <= MAX_RECORD:
        pieces.append(piece)
        n += len(piece)
        if piece.endswith(b"\n"):
            break
    if n <= MAX_RECORD:
        return b"".join(pieces)
    pieces.clear()
    while piece and not piece.endswith(b"\n"):
        piece = file.readline(_LINE_PIECE)
    return None
