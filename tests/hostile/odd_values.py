"""Values that stand at no place of a good record, as JSON text, and every place of a JSON value to put them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from agenther.record import Json

ODD = {
    "null": "null",
    "number": "-1.5",
    "nan": "NaN",
    "huge": "1" + "0" * 30,
    "beyond": "1e999",
    "text": '"\\u0000\\u001b[2J\\u202e\\ud800"',
    "empty text": '""',
    "list": "[[0]]",
    "empty list": "[]",
    "object": '{"": {"": null}}',
    "empty object": "{}",
    **{f"{n} deep": "[" * n + "]" * n for n in (150, 600, 1500)},
}
_MARK = "\N{PERSONAL COMPUTER}"


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield every place below a value; of a long list the first, the second and the last member."""
    if isinstance(value, dict):
        keys: list[str | int] = list(value)
    else:
        keys = sorted({0, 1, len(value) - 1} & set(range(len(value)))) if isinstance(value, list) else []
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))  # type: ignore[index,call-overload]


def with_odd(value: Json, path: tuple[str | int, ...], odd: str) -> bytes:
    """Return the JSON text of a value in which one place holds an odd text instead."""
    return json.dumps(_put(value, path), ensure_ascii=False).replace(f'"{_MARK}"', odd).encode()


def without(value: Json, path: tuple[str | int, ...]) -> bytes:
    """Return the JSON text of a value in which one place is missing."""
    made = json.loads(json.dumps(value))
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(made, ensure_ascii=False).encode()


def _put(value: Json, path: tuple[str | int, ...]) -> Json:
    if not path:
        return _MARK
    if isinstance(value, dict):
        return {k: _put(v, path[1:]) if k == path[0] else v for k, v in value.items()}
    assert isinstance(value, list)
    return [_put(v, path[1:]) if k == path[0] else v for k, v in enumerate(value)]
