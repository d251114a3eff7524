"""JSON as programs really write it: one broken value costs its own record, never the whole file.

Strict JSON is parsed fast. What only the strict refuse (NaN, Infinity, lone halves of surrogate pairs, numbers beyond any
double) is parsed by the lenient way; of a list that is broken or cut the members are parsed one by one.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import cast

import orjson

from agenther.record import Json
from agenther.texts import whole_text

_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)


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


def members(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (line, text) of each member of a list that cannot be parsed as a whole; nothing when it is no list."""
    depth, start, line, counted = 0, 0, 1, 0
    for token in _TOKEN.finditer(text):
        mark, at = token[0][:1], token.start()
        if depth == 0 and mark != b"[":
            return
        if mark in b"[{":
            depth += 1
            start = token.end() if depth == 1 else start
        elif depth == 1 and mark in b",]}":
            line, counted = line + text.count(b"\n", counted, start), start
            if text[start:at].strip() or mark == b",":
                yield line, text[start:at]
            start = token.end()
            if mark != b",":
                return
        elif mark in b"]}":
            depth -= 1
    if text[start:].strip():
        yield line + text.count(b"\n", counted, start), text[start:]


def _finite(number: str) -> float | str:
    value = float(number)
    return value if math.isfinite(value) else number
