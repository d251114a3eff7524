"""Members of zip archives, unpacked in memory and within bounds; also those packed with Zstandard, which zipfile cannot read.

Nothing is written to disk, and no member is trusted about its own size.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from typing import BinaryIO

import zstandard

from agenther.readers.files import MAX_WHOLE, most_unpacked

ZIP_MARK = b"PK\x03\x04"
_ZSTANDARD = 93
_ENCRYPTED = 1
_LOCAL_HEADER = 30
_PIECE = 1 << 20
_BAD = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
)


class BadArchive(OSError):
    """An archive or a member of it that cannot be read."""


class Archive:
    """An open zip archive.

    Attributes:
        names: names of its members, in its order, each once.
    """

    def __init__(self, file: BinaryIO) -> None:
        """Read the list of members of a file that can be sought.

        Raises:
            BadArchive: it is no whole archive.
        """
        try:
            self._zip = zipfile.ZipFile(file)
        except _BAD as error:
            raise BadArchive(f"{type(error).__name__}: {error}") from error
        self._file = file
        self._left = most_unpacked(file)
        self.names = tuple(dict.fromkeys(self._zip.namelist()))

    def read(self, name: str) -> bytes:
        """Return a member, unpacked.

        Raises:
            BadArchive: it is missing, encrypted, damaged, packed in an unknown way, or more than `MAX_WHOLE`.
        """
        if name not in self.names:
            raise BadArchive(f"no member {name}")
        member = self._zip.getinfo(name)
        if member.flag_bits & _ENCRYPTED:
            raise BadArchive("encrypted; unpack it with its password first")
        if member.file_size > MAX_WHOLE:
            raise BadArchive(f"says that it unpacks to {member.file_size >> 20} MiB, more than {MAX_WHOLE >> 20}")
        self._left -= member.file_size
        if self._left < 0:
            raise BadArchive("unpacks to too much for its size")
        try:
            return self._zstandard(member) if member.compress_type == _ZSTANDARD else self._plain(member)
        except _BAD as error:
            raise BadArchive(f"{type(error).__name__}: {error}") from error

    def _plain(self, member: zipfile.ZipInfo) -> bytes:
        with self._zip.open(member) as opened:
            return opened.read()

    def _zstandard(self, member: zipfile.ZipInfo) -> bytes:
        self._file.seek(member.header_offset)
        header = self._file.read(_LOCAL_HEADER)
        if len(header) < _LOCAL_HEADER or not header.startswith(ZIP_MARK):
            raise zipfile.BadZipFile("no member where the list of members says")
        name_length, extra_length = struct.unpack("<HH", header[26:])
        self._file.seek(name_length + extra_length, io.SEEK_CUR)
        packed = io.BytesIO(self._file.read(member.compress_size))
        pieces, size = list[bytes](), 0
        with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as stream:
            while size <= member.file_size and (piece := stream.read(_PIECE)):
                pieces.append(piece)
                size += len(piece)
        data = b"".join(pieces)
        if size != member.file_size or zlib.crc32(data) != member.CRC:
            raise zipfile.BadZipFile("the member is damaged: its size or checksum differs")
        return data
