"""Which keys of a file decide what is read from it, and which are ignored.

Found by trying, for any reader: a few records are read again with a key left out, and with its value changed. A key of
which neither changes anything in any run (content or id) is ignored. Nothing is asked of the readers.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import cast

import orjson

from agenther.errors import ReadError
from agenther.readers.base import Reader, holds_lines
from agenther.readers.files import suffix_of
from agenther.readers.plugins import OutsideReader
from agenther.readers.records import records
from agenther.record import Json

LOOKED_THROUGH = 200
"""Records of a file in which keys are counted."""
TRIED = 5
"""Records that are read again, chosen so that together they have as many keys as can be."""
MOST_BYTES = 4 << 20
"""Of the records that are read again."""
MOST_S = 5.0
"""Processor time for one file; keys that are not reached are counted as not tried."""
DEEPEST = 12
"""Names and lists on the way to a key; deeper ones count with the key that holds them."""
MANY_KEYS = 50
"""An object with more keys, or with numbers for keys, is taken for a list: its keys are data."""

Path_ = tuple[str, ...]


@dataclass
class KeyUse:
    """What became of the keys of some records. Keys are written as in `messages[].role`; `.*` is any key."""

    n_records: int = 0
    counts: Counter[str] = field(default_factory=Counter[str])
    """Key to the number of records that have it."""
    used: set[str] = field(default_factory=set[str])
    ignored: set[str] = field(default_factory=set[str])
    not_tried: set[str] = field(default_factory=set[str])

    def add(self, other: KeyUse) -> None:
        """Join what was found in another file: a key that is used in one is used."""
        self.n_records += other.n_records
        self.counts += other.counts
        self.used |= other.used
        self.ignored = (self.ignored | other.ignored) - self.used
        self.not_tried = (self.not_tried | other.not_tried) - self.used - self.ignored


def find_key_use(reader: Reader, path: Path) -> KeyUse | None:
    """Try the keys of a file; None where that cannot be done.

    That is so where it is no JSON, too large to be read again, nested too deeply, or holds no run that can be read apart
    from the files beside it.
    """
    try:
        return _key_use(reader, path)
    except (RecursionError, orjson.JSONEncodeError):
        return None


def _key_use(reader: Reader, path: Path) -> KeyUse | None:
    in_lines = holds_lines(path)
    found = list(islice((i for i in records(path) if not isinstance(i, ReadError)), LOOKED_THROUGH))
    if not found:
        return None
    in_list = not in_lines and found[0][0].where != ""
    values = [value for _, _, value in found]
    paths = [set(_paths(value, ())) for value in values]
    use = KeyUse(len(values), Counter(_shown(p) for own in paths for p in own))
    with tempfile.TemporaryDirectory(prefix="agenther-") as folder:
        name = path.name.removesuffix(".gz").removesuffix(".zst")
        copy = Path(folder, path.absolute().parent.name or "runs", name if suffix_of(path) else f"{name}.json")
        copy.parent.mkdir()
        trial = _Trial(reader, copy, _chosen(values, paths), in_lines, in_list)
        if not trial.is_possible():
            return None
        _try_all(trial, set[Path_]().union(*paths), use)
    return use


class _Trial:
    """Reads a few records again, with changes; a reader that raises at what no program ever wrote is no trouble."""

    def __init__(self, reader: Reader, copy: Path, values: list[Json], in_lines: bool, in_list: bool) -> None:
        self._reader, self._copy, self.values = OutsideReader(reader, "agenther", []), copy, values
        self._in_lines, self._in_list = in_lines, in_list
        self._as_is = self._read(values)
        self._until = time.process_time() + MOST_S

    def is_possible(self) -> bool:
        return any(what[0] == "run" for what in self._as_is)

    def is_late(self) -> bool:
        return time.process_time() > self._until

    def matters(self, path: Path_) -> bool:
        """Tell whether anything is read otherwise without this key, or with other values in it."""
        return any(
            self._read([_edited(value, path, change) for value in self.values]) != self._as_is
            for change in (_gone, _changed)
        )

    def _read(self, values: list[Json]) -> list[tuple[str, ...]]:
        if self._in_lines:
            raw = b"\n".join(orjson.dumps(value) for value in values)
        else:
            raw = orjson.dumps(values if self._in_list else values[0])
        if len(raw) > MOST_BYTES:
            return []
        self._copy.write_bytes(raw)
        return [
            ("error", item.where, item.expected) if isinstance(item, ReadError) else ("run", item.id, item.key)
            for item in self._reader.read(self._copy)
        ]


def _try_all(trial: _Trial, paths: set[Path_], use: KeyUse) -> None:
    """Try keys from the top: what lies under an ignored one is ignored with it."""
    waiting = sorted(path for path in paths if _parent(path) not in paths)
    while waiting:
        path = waiting.pop(0)
        below = sorted(other for other in paths if _parent(other) == path)
        if not any(_holds_content(value, path) for value in trial.values):
            continue
        if trial.is_late():
            use.not_tried.add(_shown(path))
        elif not trial.matters(path):
            use.ignored.add(_shown(path))
        elif below:
            waiting += below
        else:
            use.used.add(_shown(path))


def _paths(value: Json, at: Path_) -> Iterator[Path_]:
    """Yield the path of every key, positions in lists and keys that are data left out."""
    if len(at) >= DEEPEST:
        return
    if isinstance(value, list):
        for member in value:
            yield from _paths(member, (*at, "[]"))
    elif isinstance(value, dict):
        data = _is_data(value)
        for key, member in value.items():
            here = (*at, "*" if data else key)
            if not data:
                yield here
            yield from _paths(member, here)


def _is_data(value: dict[str, Json]) -> bool:
    return len(value) > MANY_KEYS or (bool(value) and all(key.isdecimal() for key in value))


def _parent(path: Path_) -> Path_:
    """Return the path of the key above, () for one at the top."""
    above = path[:-1]
    while above and above[-1] in ("[]", "*"):
        above = above[:-1]
    return above


def _shown(path: Path_) -> str:
    return "".join(part if part == "[]" else f".{part}" for part in path).removeprefix(".")


def _chosen(values: list[Json], paths: list[set[Path_]]) -> list[Json]:
    """Return the records that bring keys which those before have not, the first always."""
    chosen: list[Json] = []
    seen: set[Path_] = set()
    for value, own in zip(values, paths, strict=True):
        if not chosen or own - seen:
            chosen.append(value)
            seen |= own
        if len(chosen) == TRIED:
            break
    return chosen


_GONE = object()


def _gone(value: Json) -> object:
    return _GONE


def _changed(value: Json) -> Json:
    """Return another value of the same type; what holds nothing stays."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value - 1 if value > 0 else value + 1
        case str():
            return f"{value}x" if value else value
        case list():
            return [_changed(member) for member in value]
        case dict():
            return {key: _changed(member) for key, member in value.items()}
        case _:
            return value


def _edited(value: Json, path: Path_, change: Callable[[Json], object]) -> Json:
    """Return a copy in which every value at a path is changed, or gone."""
    return cast(Json, _edit(value, path, change))


def _edit(value: Json, path: Path_, change: Callable[[Json], object]) -> object:
    if not path:
        return change(value)
    first, rest = path[0], path[1:]
    if isinstance(value, list) and first == "[]":
        return [_edit(member, rest, change) for member in value]
    if isinstance(value, dict) and (first in value or (first == "*" and _is_data(value))):
        edited = {k: _edit(v, rest, change) if first in (k, "*") else v for k, v in value.items()}
        return {k: v for k, v in edited.items() if v is not _GONE}
    return value


def _holds_content(value: Json, path: Path_) -> bool:
    """Tell whether anything stands at a path but null, empty texts and empty lists."""
    return any(_has_content(found) for found in _found(value, path))


def _found(value: Json, path: Path_) -> Iterable[Json]:
    if not path:
        return (value,)
    if isinstance(value, list) and path[0] == "[]":
        return (found for member in value for found in _found(member, path[1:]))
    if isinstance(value, dict) and path[0] == "*" and _is_data(value):
        return (found for member in value.values() for found in _found(member, path[1:]))
    if isinstance(value, dict) and path[0] in value:
        return _found(value[path[0]], path[1:])
    return ()


def _has_content(value: Json) -> bool:
    if isinstance(value, list):
        return any(map(_has_content, value))
    if isinstance(value, dict):
        return any(map(_has_content, value.values()))
    return value is not None and value != ""
