"""Is a composed goal the old one again? Compares what the two ask for, and their values, rather than their words.

A goal that asks for the same kind of result about the same values is a rewording, unless the old goal's words show that it
asks for another grain, other rows, another set, or a change beyond (`shell_other`).
"""

from __future__ import annotations

import re
from functools import lru_cache

from agenther.stages.language.shell.find import OR
from agenther.stages.language.shell.meaning import Ask, Query
from agenther.stages.relabel.shell.other import other_request


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.IGNORECASE)


_EFFECTS = _words(
    r"remov|delet|cop(?:y|ies)\b|mov(?:e|es|ing)\b|renam|compress|archiv|creat|chang|chmod|append|download|replac|convert"
    r"|sets?\b|writ|install|makes?\b|add(?:s|ing)?\b|gzip|unzip|extract|decompress|link|symlink|switch|truncat|edit|insert"
    r"|modify\b|update"
)
_DISK = _words(r"disk|space\b")
_BEYOND = _words(r"mean\b|average|duplicat|median|percent")
_LISTS = _words(r"find|list|print|show|display|search|output|get|locate|which\b|what\b")
_COUNTS = _words(r"count|number of|how many|total")
_ASKED = {
    "lines": _words(r"lines?\b"),
    "words": _words(r"words?\s*count|word\s|count\w*\s+(?:\w+\s+){0,3}words|number of (?:\w+\s+)?words"),
    "bytes": _words(r"bytes?\b|sizes?\b"),
    "characters": _words(r"characters?\b"),
    "checksum": _words(r"md5|sha\d|checksum|hash"),
    "text": _words(r"contain|match|text\b|search|grep\b|string|words?\b|occur"),
    "size": _words(r"sizes?\b|largest|biggest|smallest|disk\b|space\b"),
    "space": _words(r"space\b|file ?systems?\b|df\b"),
    "entries": _words(r"list|entries|what is in|names?\b"),
    "folders": _words(r"folders? (?:that|where)|director(?:y|ies) (?:that|where|containing)|placed"),
    "long": _words(r"permissions?\b|long\b|details?\b|ls -l"),
    "fields": _words(r"fields?\b|columns?\b|unique|distinct|different|duplicat|occur"),
    "differences": _words(r"compar|differ|diff\b|unique|missing|common"),
}
_COMPARISONS = {
    "older": _words(r"ago|older|before|more than"),
    "newer": _words(r"last|within|newer|recent|less than|latest|past|in the"),
    "larger": _words(r"larger|bigger|greater|more than|over|above|exceed|at least"),
    "smaller": _words(r"smaller|less than|under|below|at most"),
    "empty": _words(r"empty|zero"),
    "not_empty": _words(r"empty|non-empty|zero"),
    "owner": _words(r"own"),
    "permissions": _words(r"permission"),
    "depth": _words(r"depth|deep|level|recursiv|sub-?director|sub-?folder"),
}
_ACCIDENT = 2
"""Values of so many characters or fewer stand inside other words by accident."""
_SUPERLATIVE = _words(r"most|fewest|least|largest|smallest|biggest|longest|shortest|max|min|top|first|last|latest|\d")
_KINDS: dict[Ask, tuple[str, ...]] = {
    Ask.LIST: ("list",),
    Ask.NAMES: ("list",),
    Ask.FOLDERS: ("folders",),
    Ask.COUNT: ("count",),
    Ask.LONG: ("long",),
    Ask.SIZES: ("size",),
    Ask.USAGE: ("size",),
    Ask.SPACE: ("space",),
    Ask.ENTRIES: ("entries",),
    Ask.CHECKSUMS: ("checksum",),
    Ask.CHECKSUM_OF_CHECKSUMS: ("checksum",),
    Ask.VALUES: ("fields",),
    Ask.VALUE_COUNT: ("fields",),
    Ask.VALUE_TALLY: ("fields",),
    Ask.MATCHING_FILES: ("text",),
    Ask.OCCURRENCES: ("text",),
    Ask.OCCURRENCE_COUNT: ("text",),
    Ask.DIFFER: ("differences",),
    Ask.DIFFERENCES: ("differences",),
    Ask.TREE_DIFFERENCES: ("differences",),
}


def kinds(query: Query) -> tuple[str, ...]:
    """Return the kinds of result that a query asks for."""
    if query.ask in (Ask.TALLY, Ask.TOTAL):
        return (query.unit,)
    return _KINDS.get(query.ask, ("text", "lines"))


def rewording(query: Query, old: str) -> str | None:
    """Return why a query asks for what the old goal asks for, or None when it is another request."""
    if not any(_asks(kind, old) for kind in kinds(query)):
        return None
    if any(not _stands_in(value, old.casefold()) for value in values(query)):
        return None
    conditions = [c.kind for c in query.files.conditions if c.kind in _COMPARISONS]
    if any(not _COMPARISONS[kind].search(old) for kind in conditions):
        return None
    if query.top is not None and not _SUPERLATIVE.search(old):
        return None
    if other_request(query, old, values(query)):
        return None
    return f"the old goal asks for {' or '.join(kinds(query))} too, with all the values of the new one"


@lru_cache(maxsize=64)
def _asks(kind: str, old: str) -> bool:
    """Tell whether the old goal asks for this kind of result, be it among others."""
    if kind not in ("list", "count"):
        return bool(_ASKED[kind].search(old))
    if kind == "count":
        return _COUNTS.search(old) is not None and not _measures(old)
    if _EFFECTS.search(old) or _BEYOND.search(old):
        return bool(_LISTS.search(old))
    return _COUNTS.search(old) is None and not _measures(old)


def _measures(old: str) -> bool:
    """Tell whether the old goal asks for some other measure than a number of files."""
    asked = any(_ASKED[name].search(old) for name in ("lines", "words", "checksum", "differences"))
    return asked or _DISK.search(old) is not None


def _stands_in(value: str, old: str) -> bool:
    """Tell whether a value is named: as a word of its own, or, when it is long enough to be no accident, anywhere."""
    as_word = re.search(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", old) is not None
    return as_word or (len(value) > _ACCIDENT and value in old)


def values(query: Query) -> list[str]:
    """Return the literal values that make a request another one: name patterns, numbers, texts, tools, but not places.

    A number of rows counts only where it stands for more than a shorter listing.
    """
    conditions = [c for c in query.files.conditions if c.kind != "depth"]
    found = [value.strip("*.").casefold() for c in conditions for value in c.value.split(OR)]
    if query.pattern is not None:
        found.append(query.pattern.text.casefold())
    if query.column is not None:
        found += [number for field in query.column.fields for number in field.split("-")]
    if kinds(query) == ("checksum",):
        found.append(query.unit.removesuffix("sum"))
    return [value for value in found if value]
