"""Names of things in a state: words by which a text may speak of them without marking them as names."""

from __future__ import annotations

import re
from collections import defaultdict

from agenther.record import Json
from agenther.stages.language.words import stem, tokens
from agenther.stages.verify.replay.asked.calls import last_key, leaves
from agenther.stages.verify.replay.asked.facts import folded
from agenther.stages.verify.replay.asked.lexicon import stems_of

_NAME = re.compile(r"[A-Za-z][\w-]{2,}")
_PATH = re.compile(r"/?[\w.-]+(?:/[\w.-]+)*/?")
_HERE = frozenset({"current", "cwd", "working"})
_OUTER = 2
"""Levels of a state that are parts of the environment, not things in it."""


def things_in(state: Json, vocabulary: frozenset[str]) -> dict[str, frozenset[str]]:
    """Return the names of one word in a state, by their stem; without words that tools speak in.

    Args:
        state: keys that stand deep enough, and texts, are names.
        vocabulary: stems of the tools' own words.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    _gather(state, 0, found)
    return {base: frozenset(names) for base, names in found.items() if base not in vocabulary}


def current_places(state: Json) -> frozenset[str]:
    """Return where a run begins, as far as the state says: what stands under `current`, and the last names of paths."""
    places: set[str] = set()
    for path, leaf in leaves(state):
        if not isinstance(leaf, str) or not _PATH.fullmatch(leaf):
            continue
        if "/" in leaf or _HERE & stems_of(last_key(path)):
            places.add(folded(leaf.rstrip("/").rpartition("/")[2]))
    return frozenset(places)


def _gather(value: Json, depth: int, found: defaultdict[str, set[str]]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            if depth >= _OUTER:
                _name(key, found)
            _gather(member, depth + 1, found)
    elif isinstance(value, list):
        for member in value:
            _gather(member, depth + 1, found)
    elif isinstance(value, str):
        _name(value, found)


def _name(text: str, found: defaultdict[str, set[str]]) -> None:
    if _NAME.fullmatch(text) and len(tokens(text)) == 1:
        found[stem(text)].add(text)
