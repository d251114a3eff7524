"""JSON as programs really write it: one broken value costs its own record, never the whole file.

Strict JSON is parsed fast. What only the strict refuse (NaN, Infinity, lone halves of surrogate pairs, numbers beyond any
double) is parsed by the lenient way; of a list that is broken or cut the members are parsed one by one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, cast

import orjson

from agenther.readers.files import MAX_RECORD, TooLarge
from agenther.record import Json
from agenther.texts import whole_text

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?P<closed>")?|[\[\]{},]', re.DOTALL)
_PIECE = 1 << 20


def parse(text: bytes) -> Json:
    """Return the value of a JSON text; numbers that are none stand as the texts "NaN", "Infinity", "1e999".

    Raises:
        orjson.JSONDecodeError: it is not even nearly JSON, or nested too deeply.
    """
    try:
        return cast(Json, orjson.loads(text))
    except orjson.JSONDecodeError:
        try:
            value = json.loads(text.decode("utf-8"), parse_constant=str, parse_float=_finite)
            return cast(Json, orjson.loads(whole_text(json.dumps(value, ensure_ascii=False))))
        except (ValueError, RecursionError):
            pass
        raise


def members(file: BinaryIO) -> Generator[tuple[int, bytes], None, bool]:
    """Yield (line, text) of each member of a list, piece by piece and whatever is in it; nothing when it is no list.

    Returns:
        Whether the list is closed and nothing follows.

    Raises:
        TooLarge: a member has more than `MAX_RECORD` bytes. And what reading the file raises.
    """
    scan = _Scan()
    size = _PIECE
    while not scan.done:
        piece = file.read(size)
        yield from scan.feed(piece)
        if len(scan.text) > MAX_RECORD:
            raise TooLarge(f"more than {MAX_RECORD >> 20} MiB in one member of the list")
        size = max(_PIECE, len(scan.text))
        if not piece:
            return False
    return scan.closed and not scan.text.strip() and not file.read(_PIECE).strip()


class _Scan:
    """Finds the members of a list in pieces of text; holds no more than the member that it is in."""

    def __init__(self) -> None:
        self.text = b""
        """What is not yet known to end a member, from the start of that member."""
        self.done = False
        self.closed = False
        self._at: int = 0
        self._depth = 0
        self._line = 1

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """Take the next piece, empty at the end, and yield the members that it completes."""
        self.text += piece
        start, counted = 0, 0
        for token in _TOKEN.finditer(self.text, self._at):
            mark, at = token[0][:1], token.start()
            if piece and mark == b'"' and not token["closed"]:
                break
            self._at = token.end()
            if self._depth == 0 and mark != b"[":
                self.done = True
                return
            if mark in b"[{":
                self._depth += 1
                start = token.end() if self._depth == 1 else start
            elif self._depth == 1 and mark in b",]}":
                self._line, counted = self._line + self.text.count(b"\n", counted, start), start
                if self.text[start:at].strip() or mark == b",":
                    yield self._line, self.text[start:at]
                start = token.end()
                if mark != b",":
                    self.done, self.closed, self.text = True, mark == b"]", self.text[start:]
                    return
            elif mark in b"]}":
                self._depth -= 1
        self._line += self.text.count(b"\n", counted, start)
        self.text, self._at = self.text[start:], self._at - start
        if not piece and self._depth and self.text.strip():
            yield self._line, self.text


def _finite(number: str) -> float | str:
    value = float(number)
    return value if math.isfinite(value) else number
