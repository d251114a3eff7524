"""The search for secrets in one text: which patterns run where, and what they find.

What secrets look like stands in `redact_patterns.toml`, the tests that a regular expression cannot make in
`secret_tests`, the replacing in `redact`. A pattern runs only around its anchors, which are all looked for in one scan.
"""

from __future__ import annotations

import re
import tomllib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from agenther.stages.secret_tests import is_assigned_secret, is_card, is_iban, is_phone, is_spoken_secret, is_token

GAP = "\x00"
"""What stands between texts that are searched as one; no find holds it."""

_EMAIL_HOST = re.compile(r"@(?=([\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.[^\W\d_]{2,24}))\1(?![\w@])(?!\.\w)")
_EMAIL_USER = re.compile(r"(?<![\w.+%@-])[\w.+%-]{1,64}\Z")
_NO_HOST_ENDINGS = frozenset(
    "png jpg jpeg gif svg webp css js ts py md txt json service socket target timer mount html htm xml yml yaml".split()
)
_LONG_NUMBER = re.compile(r"\d[\d ().-]{6,}\d")
_SIGNS = bytes(ord("0" if chr(code) in "0123456789 ().-?" else " ") for code in range(256))
"""Makes every character that a long number may hold "0"; "?" is what stands for a character beyond ASCII."""
_SHORTEST = b"0" * 8
_ESCAPE = re.compile(r"\\(?<!\\\\)\\*+(?:[nrt]|u([0-9a-fA-F]{4}))")
"""All backslashes that stand together, from the first on. It begins with one, so that nothing else is tried."""
_PIECE = 1 << 16
"""Characters that are searched for anchors at a time: a text full of them must not fill the memory."""
_PLAIN = re.compile(r"[a-z]+|\d{1,5}|[A-Z]+|[A-Z][a-z]+")
_CHECKS: dict[str, Callable[[re.Match[str]], bool]] = {
    "luhn": is_card,
    "iban": is_iban,
    "assigned": is_assigned_secret,
    "spoken": is_spoken_secret,
    "token": is_token,
    "phone": is_phone,
}


@dataclass(frozen=True)
class _Pattern:
    kind: str
    anchors: frozenset[str]
    regex: re.Pattern[str]
    starts: bool
    before: int
    reach: int | None
    holds: str
    least: int
    check: Callable[[re.Match[str]], bool] | None

    @cached_property
    def groups(self) -> tuple[str | int, ...]:
        """The groups of a match one of which is what is replaced."""
        return tuple(name for name in ("value", "bare") if name in self.regex.groupindex) or (0,)


class _View(NamedTuple):
    """A text as it is searched, and what tells where patterns may match."""

    text: str
    signs: bytes
    """A byte for each character: `0` where a long number may hold it, else a space."""
    places: dict[str, array[int]]
    """Where the anchors stand that the text holds."""
    numbers: list[tuple[int, int]]
    """Where long numbers stand."""


@dataclass(frozen=True)
class Find:
    """A stretch of text to be replaced."""

    start: int
    end: int
    kind: str
    value: str


class _Taken:
    """Finds that do not overlap, in the order of the text. What came first stays."""

    def __init__(self) -> None:
        self.finds: list[Find] = []

    def add(self, candidates: Iterable[Find]) -> None:
        """Take those candidates that overlap nothing taken before."""
        for find in candidates:
            at = bisect_left(self.finds, find.start, key=lambda taken: taken.start)
            after_last = at == 0 or self.finds[at - 1].end <= find.start
            before_next = at == len(self.finds) or find.end <= self.finds[at].start
            if find.end > find.start and after_last and before_next:
                self.finds.insert(at, find)


def find_secrets(text: str) -> list[Find]:
    """Return what is to be replaced in a text, without overlaps, in order. A NUL character ends every match."""
    view = _view_of(_ESCAPE.sub(_blank, text) if "\\" in text else text)
    taken = _Taken()
    for pattern in _wanted(view):
        taken.add(_finds(pattern, _matches(pattern, view), text))
    if "@" in view.text:
        taken.add(_emails(view.text))
    taken.add(_repeats([*taken.finds], text))
    return taken.finds


def _blank(match: re.Match[str]) -> str:
    """Stand in for an escape sequence in the text that is searched, at the same length."""
    code, width = match.group(1), len(match.group())
    if code is None:
        return " " * width
    character = chr(int(code, 16))
    return "x" * width if character.isalnum() else (character if character.isprintable() else " ").ljust(width)


def _view_of(text: str) -> _View:
    signs = text.encode("ascii", "replace").translate(_SIGNS)
    return _View(text, signs, _places(text.replace("İ", "I").lower()), list(_long_numbers(text, signs)))


def _places(lowered: str) -> dict[str, array[int]]:
    """Return where the anchors stand that a text holds, all found in one scan."""
    automaton, anchors, overlap = _automaton()
    places: dict[str, array[int]] = {}
    for start in range(0, len(lowered), _PIECE):
        for number, at, _ in automaton.find_matches_as_indexes(
            lowered[start : start + _PIECE + overlap], overlapping=True
        ):
            if at < _PIECE:
                places.setdefault(anchors[number], array("q")).append(start + at)
    return places


def _long_numbers(text: str, signs: bytes) -> Iterator[tuple[int, int]]:
    """Yield where long numbers stand; only stretches of as many signs of numbers as the shortest has are looked at."""
    start = signs.find(_SHORTEST)
    while start >= 0:
        end = signs.find(b" ", start)
        stretch = (start, end if end >= 0 else len(text))
        yield from (match.span() for match in _LONG_NUMBER.finditer(text, *stretch))
        start = signs.find(_SHORTEST, stretch[1])


def _wanted(view: _View) -> list[_Pattern]:
    """Return, in the order of precedence, the patterns that an anchor or a number of the text speaks for."""
    patterns, by_anchor = _patterns(), _by_anchor()
    longest = max((end - start for start, end in view.numbers), default=-1)
    numbers = {number for anchor in view.places for number in by_anchor[anchor]}
    numbers.update(number for number in by_anchor[None] if patterns[number].least <= longest)
    return [patterns[number] for number in sorted(numbers)]


def _matches(pattern: _Pattern, view: _View) -> Iterator[re.Match[str]]:
    """Return the matches of a pattern, which is tried only where its anchors or long numbers stand."""
    if not pattern.anchors:
        return _in_windows(pattern, view, _around(view.numbers, pattern))
    places = sorted(at for anchor in pattern.anchors & view.places.keys() for at in view.places[anchor])
    if pattern.starts:
        return _at_anchors(pattern, view.text, places)
    if pattern.reach is None:
        return pattern.regex.finditer(view.text)
    return _in_windows(pattern, view, _merged((at - pattern.before, at + pattern.reach) for at in places))


def _at_anchors(pattern: _Pattern, text: str, places: Iterable[int]) -> Iterator[re.Match[str]]:
    """Yield the matches that begin at the places."""
    end = 0
    for at in places:
        if at >= end and (match := pattern.regex.match(text, at)) is not None:
            end = match.end()
            yield match


def _in_windows(pattern: _Pattern, view: _View, windows: Iterable[tuple[int, int]]) -> Iterator[re.Match[str]]:
    """Yield the matches in the windows that hold what every match holds."""
    if pattern.holds or pattern.least:
        least = b"0" * pattern.least
        windows = (w for w in windows if view.text.find(pattern.holds, *w) >= 0 and view.signs.find(least, *w) >= 0)
    for window in windows:
        yield from pattern.regex.finditer(view.text, *window)


def _around(numbers: list[tuple[int, int]], pattern: _Pattern) -> Iterator[tuple[int, int]]:
    reach = pattern.reach or 0
    return _merged((start - reach, end + reach) for start, end in numbers if end - start >= pattern.least)


def _merged(stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join stretches that overlap; they come in the order of their starts."""
    first, last = 0, -1
    for start, end in stretches:
        if start > last >= 0:
            yield first, last
            first = start
        elif last < 0:
            first = max(0, start)
        last = max(last, end)
    if last >= 0:
        yield first, last


@lru_cache(maxsize=1)
def _automaton() -> tuple[AhoCorasick, tuple[str, ...], int]:
    """Return what finds the anchors, the anchors in its order, and how far two pieces of a text must overlap."""
    anchors = tuple(sorted({anchor for pattern in _patterns() for anchor in pattern.anchors}))
    return AhoCorasick(anchors, implementation=Implementation.DFA), anchors, max(map(len, anchors)) - 1


@lru_cache(maxsize=1)
def _by_anchor() -> dict[str | None, list[int]]:
    """Return the numbers of the patterns that an anchor belongs to; under None those that have none."""
    numbers: dict[str | None, list[int]] = {}
    for number, pattern in enumerate(_patterns()):
        for anchor in pattern.anchors or (None,):
            numbers.setdefault(anchor, []).append(number)
    return numbers


@lru_cache(maxsize=1)
def _patterns() -> tuple[_Pattern, ...]:
    raw = tomllib.loads(files("agenther.stages").joinpath("redact_patterns.toml").read_text(encoding="utf-8"))
    return tuple(
        _Pattern(
            kind=entry["kind"],
            anchors=frozenset(entry["anchors"]),
            regex=re.compile(entry["regex"]),
            starts=entry.get("starts", False),
            before=entry.get("before", 96),
            reach=entry.get("reach"),
            holds=entry.get("holds", ""),
            least=entry.get("least", 0),
            check=_CHECKS[entry["check"]] if "check" in entry else None,
        )
        for entry in raw["pattern"]
    )


def _finds(pattern: _Pattern, matches: Iterable[re.Match[str]], text: str) -> Iterator[Find]:
    is_literal = pattern.kind == "PASSWORD" and pattern.check is not is_spoken_secret
    for match in matches:
        if pattern.check is None or pattern.check(match):
            start, end = next(match.span(group) for group in pattern.groups if match.start(group) >= 0)
            end = start + len(match.string[start:end].rstrip(" " if is_literal else " .,;:!?"))
            if GAP not in text[start:end]:
                yield Find(start, end, pattern.kind, text[start:end])


def _emails(view: str) -> Iterator[Find]:
    for match in _EMAIL_HOST.finditer(view):
        if match.group(1).rsplit(".", 1)[1].lower() in _NO_HOST_ENDINGS:
            continue
        before = view[max(0, match.start() - 72) : match.start()]
        user = _EMAIL_USER.search(before)
        if user is None:
            continue
        name = user.group().lstrip(".-%")
        is_repository = name == "git" and view[match.end() : match.end() + 1] in (":", "/")
        if name and not is_repository:
            start = match.start() - len(name)
            yield Find(start, match.end(), "EMAIL", view[start : match.end()])


def _repeats(found: list[Find], text: str) -> Iterator[Find]:
    """Find the other places of values that are too odd to occur by chance."""
    for find in {f.value: f for f in found}.values():
        if len(find.value) < 6 or _PLAIN.fullmatch(find.value):
            continue
        at = text.find(find.value)
        while at >= 0:
            end = at + len(find.value)
            if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
                yield Find(at, end, find.kind, find.value)
            at = text.find(find.value, end)
