"""Changes one place of a JSON text, so that what it leads to is still reached."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any


def _deep(levels: int) -> Any:
    value: Any = 0
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.0, 0.5, 2**63, 10**30, 1e308, float("nan"), "", " ", "\n", "x", [], {}, [[]], [None]),
    *({"": None}, "\x00", "\ud800", "\u202e", "{}", "[]", "null", "a" * 3000, "(" * 300, "'" * 301, "\\", "%s{0}"),
    *(_deep(20), _deep(100), _deep(250), _deep(500)),
    *("success", "failed", "<b>", "https://a.example/?q=1", "rm -rf /", "SELECT 1", "ls -la | wc -l", "1\t2\n3"),
)


def mutate_json(text: bytes, chance: random.Random) -> bytes:
    """Return a JSON text (or a line of JSON lines) with one to three places changed; b"" when it is none."""
    try:
        value, lines = json.loads(text), False
    except (ValueError, RecursionError):
        try:
            value, lines = [json.loads(line) for line in text.splitlines() if line.strip()], True
        except (ValueError, RecursionError):
            return b""
    try:
        for _ in range(chance.randint(1, 3)):
            value = _changed(value, chance)
        texts = [json.dumps(one) for one in value] if lines and isinstance(value, list) else [json.dumps(value)]
    except RecursionError:
        return b""
    return "\n".join(texts).encode("utf-8", "replace")


def _changed(value: Any, chance: random.Random) -> Any:
    places = [(parent, key) for parent, key in _places(value)]
    if not places:
        return chance.choice(ODD)
    parent, key = chance.choice(places)
    match chance.randrange(7):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        case 2:
            other, name = chance.choice(places)
            parent[key] = copy.deepcopy(other[name])
        case 3 if isinstance(parent[key], str):
            parent[key] = _cut(parent[key], chance)
        case 4 if isinstance(parent[key], list):
            chance.shuffle(parent[key])
        case _:
            parent[key] = copy.deepcopy(chance.choice(ODD))
    return value


def _cut(text: str, chance: random.Random) -> str:
    """Return a text with a piece of it left out, doubled or made odd."""
    a, b = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
    middle = chance.choice(("", text[a:b] * 2, "\n", "'", '"', "\x1b[2J", "ё", "9" * 40))
    return text[:a] + middle + text[b:]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys: Any = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            yield one, key
            waiting.append(one[key])
