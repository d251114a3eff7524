"""Values that a text names: what it quotes, numbers, dates, codes, names of people and places.

Reads spelling only; which of them a call has, and in which place, is asked in `origins` and `roles`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from agenther.stages.language.words import FUNCTION_WORDS, is_known, sentences, stem, tokens
from agenther.stages.verify.replay.asked.lexicon import one_word_each

_MONTHS = {
    name: number
    for number, full in enumerate(
        "january february march april may june july august september october november december".split(), start=1
    )
    for name in (full, full[:3])
}
_MONTH = "|".join(sorted((*_MONTHS, "sept"), key=len, reverse=True))
_DATE = re.compile(
    r"(?P<y1>\d{4})[-/](?P<m1>\d{1,2})[-/](?P<d1>\d{1,2})(?!\d)"
    rf"|\b(?P<m2>{_MONTH})\.? (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?:of |this year )?(?P<y2>\d{{4}})\b"
    rf"|\b(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?: day)?(?: of)? (?P<m3>{_MONTH}),?(?: in| of)? (?P<y3>\d{{4}})\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"(?<!\w)(?:'(?P<a>[^\n]+?)'(?!\w)|\"(?P<b>[^\"\n]+)\"|“(?P<c>[^”\n]+)”|‘(?P<d>[^’\n]+)’|`(?P<e>[^`\n]+)`)"
)
_NUMBER = re.compile(r"(?<![\w.#@-])[$€£]?(?P<n>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\w|\.\d|-\w)%?")
_CODE = re.compile(
    r"[#@]\w[\w-]*"  # tags and mentions
    r"|(?<![\w/.])(?:/[\w.-]+)+"  # paths
    r"|(?<![\w.])(?!\d+\.\d+(?!\w))\w[\w-]*(?:\.\w{1,5})+(?!\w)"  # names of files
    r"|\b(?!\d+(?:st|nd|rd|th)\b)(?=\w*\d)(?=\w*[A-Za-z_])[\w-]+\b|\b\w+_\w+\b"  # ids
    r"|\b[A-Z]{2,}[A-Z0-9]*\b|\b\d[\d-]*-[\d-]*\d\b|\b[a-z]+[A-Z]\w*\b"
)
_NAME = re.compile(r"(?<![\w'’])[A-Z][a-z]+(?: (?:[A-Z][a-z]+|of(?= [A-Z])))*")
_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W\d_]+)*|[.!?;,:]")
_CALLS = frozenset("hey hi hello thanks ok okay wow omg fantastic great alas wonderful".split())
BLANK = "\u25a1"
"""Stands for the letters of a value where only the words around it are read."""


class Fact(NamedTuple):
    """A value that a text names."""

    kind: Literal["quoted", "date", "code", "number", "name"]
    text: str
    """As it is compared: a date as ISO has it, a number without separators."""
    start: int
    end: int

    @property
    def number(self) -> float | None:
        """Its value, when it is a number."""
        return float(self.text) if re.fullmatch(r"-?\d+(\.\d+)?", self.text) else None


def facts(text: str) -> tuple[Fact, ...]:
    """Return the values that a text names, in order; none overlaps another."""
    found: list[Fact] = []
    for look in (_quoted, _dates, _codes, _numbers, _names):
        for fact in look(text):
            if not any(fact.start < one.end and one.start < fact.end for one in found):
                found.append(fact)
    kept = (fact for fact in found if not _is_unit(fact, found))
    return tuple(sorted(kept, key=lambda fact: fact.start))


class Text:
    """A request, or a sentence of it, with its values and words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.facts = facts(text)

    @cached_property
    def plain(self) -> str:
        """The text of the same length, values other than names blanked out."""
        plain = self.text
        for fact in self.facts:
            if fact.kind != "name":
                plain = plain[: fact.start] + BLANK * (fact.end - fact.start) + plain[fact.end :]
        return one_word_each(plain)

    @cached_property
    def words(self) -> frozenset[str]:
        """Stems of its words."""
        return frozenset(map(stem, tokens(self.plain)))

    @cached_property
    def in_order(self) -> tuple[tuple[str, int], ...]:
        """Words and stops with their places."""
        return tuple((match.group(), match.start()) for match in _TOKEN.finditer(self.plain))

    @cached_property
    def sentences(self) -> tuple[tuple[int, int, Text], ...]:
        """Its sentences, with their bounds."""
        return tuple((a, b, Text(self.text[a:b])) for a, b in sentences(self.text))

    def where(self, value: str | int | float) -> tuple[int, ...]:
        """Return the places where a value is said as a whole: as a value of its own, or among words that are none."""
        if not isinstance(value, str):
            return tuple(f.start for f in self.facts if f.number is not None and same_number(f.number, value))
        bare = folded(value)
        if not bare:
            return ()
        exact = [f.start for f in self.facts if _is_said(f, value)]
        if exact:
            return tuple(exact)
        pattern = rf"(?<!\w){re.escape(' '.join(value.split()))}(?!\w)"
        return tuple(
            match.start()
            for match in re.finditer(pattern, self.text, re.IGNORECASE)
            if not any(f.kind != "name" and f.start <= match.start() and match.end() <= f.end for f in self.facts)
        )


def folded(text: str) -> str:
    """Return a text in one spelling: quotation marks, white space, case, marks of tags and stops at its ends."""
    return _straight(text).strip("#@.,;:!?").casefold()


def same_number(a: float, b: float) -> bool:
    """Tell whether two numbers are one."""
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def _straight(text: str) -> str:
    return " ".join(text.translate({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"'}).split())


def _is_said(fact: Fact, value: str) -> bool:
    """Tell whether a fact is a text: letter for letter but for marks at its ends when it is quoted, else whatever its case."""
    if fact.kind == "quoted":
        return _straight(fact.text).strip("#@.") == _straight(value).strip("#@.")
    return folded(fact.text) == folded(value)


def _is_unit(fact: Fact, others: list[Fact]) -> bool:
    """Tell whether a code is the unit of the number before it."""
    alone = fact.kind == "code" and fact.text.isalpha()
    return alone and any(other.kind == "number" and 0 <= fact.start - other.end <= 1 for other in others)


def _quoted(text: str) -> Iterator[Fact]:
    for match in _QUOTED.finditer(text):
        inside = next(group for group in match.groups() if group is not None)
        if inside.strip():
            yield Fact("quoted", inside.strip(), *match.span())


def _dates(text: str) -> Iterator[Fact]:
    for match in _DATE.finditer(text):
        year, month, day = next(
            (match[f"y{form}"], match[f"m{form}"], match[f"d{form}"]) for form in "123" if match[f"y{form}"]
        )
        number = int(month) if month.isdigit() else _MONTHS[month.lower()[:3]]
        try:
            yield Fact("date", date(int(year), number, int(day)).isoformat(), *match.span())
        except ValueError:
            continue


def _codes(text: str) -> Iterator[Fact]:
    for match in _CODE.finditer(text):
        opens = not text[: match.start()].strip() and text[match.end() : match.end() + 1] in (",", "!")
        if not (opens and match.group().isalpha()):
            yield Fact("code", match.group(), *match.span())


def _numbers(text: str) -> Iterator[Fact]:
    for match in _NUMBER.finditer(text):
        yield Fact("number", match["n"].replace(",", ""), *match.span())


def _names(text: str) -> Iterator[Fact]:
    """Yield words with a capital, without those that only open a sentence."""
    for match in _NAME.finditer(text):
        start, words = match.start(), match.group().split()
        before = text[:start].rstrip()
        opens = not before or before[-1] in ".!?:\"“'‘—"
        if words[0].casefold() in _CALLS:
            continue
        if opens and is_known(words[0]):
            start, words, opens = start + len(words[0]) + 1, words[1:], False
        if not words or all(word.casefold() in FUNCTION_WORDS for word in words):
            continue
        if opens and len(words) == 1 and text[match.end() : match.end() + 1] in (",", "!"):
            continue
        yield Fact("name", " ".join(words), start, match.end())
