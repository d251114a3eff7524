"""What differs between two states, leaf by leaf.

Lists are aligned: a member that came is one change, not one for each member behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from agenther.record import Json, canonical_json
from agenther.replay import Change

LONGEST_ALIGNED = 500
"""Members of a list, behind those that are equal, that are aligned; more are compared by their place."""


def changes_between(before: Json, after: Json, path: str = "") -> tuple[Change, ...]:
    """Return the leaves that differ, in the order of the states."""
    return tuple(_differing(before, after, path))


def same_state(a: Json, b: Json) -> bool:
    """Tell whether two states are equal."""
    return canonical_json(a) == canonical_json(b)


def _differing(before: Json, after: Json, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in (*before, *(key for key in after if key not in before)):
            place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            if key not in after:
                yield from _leaves(before[key], place, added=False)
            elif key not in before:
                yield from _leaves(after[key], place, added=True)
            else:
                yield from _differing(before[key], after[key], place)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, path)
    elif not same_state(before, after):
        if isinstance(before, dict | list) or isinstance(after, dict | list):
            yield from _leaves(before, path, added=False)
            yield from _leaves(after, path, added=True)
        else:
            yield Change(path=path, how="replaced", before=before, after=after)


def _in_lists(before: list[Json], after: list[Json], path: str) -> Iterator[Change]:
    for kind, i, i_end, j, j_end in _blocks(list(map(canonical_json, before)), list(map(canonical_json, after))):
        if kind == "equal":
            continue
        paired = min(i_end - i, j_end - j)
        for number in range(paired):
            yield from _differing(before[i + number], after[j + number], f"{path}/{j + number}")
        for number in range(i + paired, i_end):
            yield from _leaves(before[number], f"{path}/{number}", added=False)
        for number in range(j + paired, j_end):
            yield from _leaves(after[number], f"{path}/{number}", added=True)


def _blocks(old: list[bytes], new: list[bytes]) -> list[tuple[str, int, int, int, int]]:
    """Return how to make one list of the other; what both begin with is left out of the costly search."""
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    if max(len(old), len(new)) - start > LONGEST_ALIGNED:
        return [("replace", start, len(old), start, len(new))]
    found = SequenceMatcher(None, old[start:], new[start:], autojunk=False).get_opcodes()
    return [(kind, i + start, i_end + start, j + start, j_end + start) for kind, i, i_end, j, j_end in found]


def _leaves(value: Json, path: str, *, added: bool) -> Iterator[Change]:
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from _leaves(member, f"{path}/{key.replace('~', '~0').replace('/', '~1')}", added=added)
    elif isinstance(value, list) and value:
        for number, member in enumerate(value):
            yield from _leaves(member, f"{path}/{number}", added=added)
    elif added:
        yield Change(path=path, how="added", after=value)
    else:
        yield Change(path=path, how="removed", before=value)
