"""JSON and Python literals that logs hold as text: read as values, bounded in size, never executed."""

from __future__ import annotations

import ast
import json
import math
import re
import warnings
from typing import cast

from agenther.record import Json

LONGEST_LITERAL = 20_000
"""Characters of a Python literal that is still parsed: the parser of Python takes memory out of proportion."""
DEEPEST = 100
"""Containers inside one another that a value may have."""
_DECIMAL = re.compile(r"\bDecimal\('(-?\d{1,30}(?:\.\d{1,30})?)'\)")
_MAY_BE_JSON = re.compile(r"[ \t\n\r]*[{\[\"\d\-tfn]", re.ASCII)


def _refuse(name: str) -> None:
    raise ValueError(name)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse)


def json_value(text: str) -> Json:
    """Return the value that a JSON text holds, also where it has raw line breaks in strings; None when it is no JSON."""
    if _MAY_BE_JSON.match(text) is None:
        return None
    try:
        return cast(Json, _DECODER.decode(text))
    except (ValueError, RecursionError):
        return None


def literal_value(text: str) -> Json:
    """Return the JSON value of a JSON text or of a Python literal (`{'a': None}`); None when it is neither."""
    value = json_value(text)
    if value is not None:
        return value
    made = _literal(text)
    return cast(Json, made) if _is_json(made) else None


def printed_rows(text: str) -> list[list[Json]] | None:
    """Return the rows of a table printed as JSON or Python, each a list or a tuple of plain values; None when it is none.

    A decimal of Python's gives its number.
    """
    value = json_value(text)
    rows: object = _literal(_DECIMAL.sub(r"\1", text)) if value is None else value
    if not isinstance(rows, list) or not rows:
        return None
    found = [list(cast(list[Json], row)) for row in cast(list[object], rows) if isinstance(row, list | tuple)]
    plain = all(row and all(not isinstance(cell, list | dict) and _is_json(cell) for cell in row) for row in found)
    same = len(found) == len(cast(list[object], rows)) and len({len(row) for row in found}) == 1
    return found if plain and same else None


def _literal(text: str) -> object:
    """Return the value of a Python literal; None when it is none, or too long."""
    if len(text) > LONGEST_LITERAL:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _is_json(value: object, depth: int = 0) -> bool:
    if value is None or isinstance(value, str | bool | int):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if depth > DEEPEST:
        return False
    if isinstance(value, list):
        return all(_is_json(member, depth + 1) for member in cast(list[object], value))
    if isinstance(value, dict):
        members = cast(dict[object, object], value).items()
        return all(isinstance(key, str) and _is_json(member, depth + 1) for key, member in members)
    return False
