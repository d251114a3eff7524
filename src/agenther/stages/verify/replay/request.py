"""What a sentence says, as far as its words show: what it quotes, its numbers and names, the words of each sentence.

Reads no meaning into it. What it says is compared with what calls did in `sentence`.
"""

from __future__ import annotations

import re
from calendar import month_name
from dataclasses import dataclass
from functools import cached_property

from agenther.stages.language.requests import is_command, is_question
from agenther.stages.language.words import content_stems, is_base_verb, sentences
from agenther.stages.verify.grounding import HARD, contains
from agenther.stages.verify.replay.tools import canonical, words_of

_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^”\n]+)”|‘([^’\n]+)’|(?<![\w'])'(?!s\b)([^\n]+?)'(?!\w)|`([^`\n]+)`")
_TAG = re.compile(r"(?<!\w)[#@][A-Za-z]\w*")
_ORDINAL = re.compile(r"\A(\d+)(?:st|nd|rd|th)\Z", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z")
_MARKED = re.compile(r"[\d_/@#]|\w\.\w")
_BOUND = re.compile(
    r"(?:\b(?:below|under|above|over|than|beneath|least|most|exceeds?|within|minimum|maximum)|[<>≤≥]=?)\s+(?:of\s+)?[$€£]?\Z",
    re.IGNORECASE,
)
"""Before a number that something is compared with, which nobody hands in."""
_CLAUSE = re.compile(r"[,;:.!?()–—]+\s*|\b(?:and|then|but|or|also)\b", re.IGNORECASE)
_LEAD = r"(?:(?:please|kindly|now|then|first|also|finally|next|just|afterwards?|\w+ly|go ahead and)[, ]+)*"
_HEAD = re.compile(rf"\s*{_LEAD}([A-Za-z]+)", re.IGNORECASE)
_ASKED = re.compile(
    rf"\b(?:(?:want|need|like|love|have|able|wish|going|ready|proceed|go on) to|please|kindly|you|let['’]?s|let us|help me"
    rf"|should|must) {_LEAD}([a-z]+)",
    re.IGNORECASE,
)
_EDGE = " \t\n\"'“”‘’`.,;:!?()[]"
_NUMERALS = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen twenty".split()
    )
} | {"a hundred": 100, "one hundred": 100, "a thousand": 1000, "one thousand": 1000, "dozen": 12, "a dozen": 12}


@dataclass(frozen=True)
class Sentence:
    """One sentence of a request."""

    text: str
    """What is quoted in it left out."""
    words: frozenset[str]
    asks: bool
    """Whether it is a question or a command."""

    @cached_property
    def verbs(self) -> tuple[str, ...]:
        """The verbs by which it asks: those that open a clause, and those behind words such as `to` and `please`."""
        heads = (match.group(1) for clause in _CLAUSE.split(self.text) for match in [_HEAD.match(clause)] if match)
        asked = (*heads, *(match.group(1) for match in _ASKED.finditer(self.text)))
        return tuple(dict.fromkeys(canonical(word) for word in asked if is_base_verb(word)))


@dataclass(frozen=True)
class Request:
    """A goal, read."""

    text: str

    @cached_property
    def quoted(self) -> tuple[str, ...]:
        """Texts in quotation marks."""
        return tuple(next(filter(None, found.groups())).strip() for found in _QUOTED.finditer(self.text))

    @cached_property
    def plain(self) -> str:
        """The goal with blanks in the place of what is quoted."""
        return _QUOTED.sub(lambda found: " " * len(found.group()), self.text)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Numbers, paths, ids and the like that stand outside of quotation marks; no mere names."""
        found = (
            m.group().strip(_EDGE) for m in HARD.finditer(self.plain) if not _BOUND.search(self.plain, 0, m.start())
        )
        tags = (match.group() for match in _TAG.finditer(self.plain))
        numbers = (_ORDINAL.sub(r"\1", value) for value in found if _MARKED.search(value))
        return tuple(dict.fromkeys((*numbers, *tags)))

    @cached_property
    def proper_names(self) -> tuple[str, ...]:
        """Words inside its sentences that are written like names."""
        found = (match.group().strip(_EDGE) for match in HARD.finditer(self.plain))
        return tuple(dict.fromkeys(name for name in found if name.istitle() and name.isalpha() and len(name) > 2))

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        """Its sentences that say anything."""
        made: list[Sentence] = []
        for start, end in sentences(self.plain):
            text = self.plain[start:end].strip()
            if content_stems(text):
                made.append(Sentence(text, words_of(text), is_question(text) or is_command(text)))
        return tuple(made)

    @cached_property
    def paragraphs(self) -> tuple[Request, ...]:
        """Its lines, each by itself."""
        lines = tuple(line for line in self.text.split("\n") if line.strip())
        return tuple(map(Request, lines)) if len(lines) > 1 else (self,)

    @cached_property
    def words(self) -> frozenset[str]:
        """All words outside of quotation marks."""
        return words_of(self.plain)

    def names(self, value: str | int | float) -> bool:
        """Tell whether the goal says a value: in quotation marks as a whole, else as whole words; numbers by their value."""
        if isinstance(value, str):
            bare = folded(value)
            if not any(letter.isalnum() for letter in bare):
                return False
            return contains(folded(self.text), bare) or self._names_date(bare)
        if contains(self.text, number_text(value).lstrip("-")):
            return True
        low = self.text.lower()
        return any(number == value and contains(low, word) for word, number in _NUMERALS.items())

    def _names_date(self, value: str) -> bool:
        """Tell whether the goal says year, month and day of a date in words."""
        found = _DATE.match(value)
        if found is None or not 1 <= int(found[2]) <= 12:
            return False
        month = month_name[int(found[2])]
        day = rf"\b0?{int(found[3])}(?:st|nd|rd|th)?\b"
        said = (rf"\b{month}\b|\b{month[:3]}\b", day, rf"\b{found[1]}\b")
        return all(re.search(pattern, self.text, re.IGNORECASE) for pattern in said)


def number_text(value: float) -> str:
    """Return a number as people write it: whole ones without a point."""
    return str(int(value)) if value == int(value) else repr(value)


def folded(text: str) -> str:
    """Return a text in one spelling: quotation marks, white space, marks of tags and stops at its ends are not told apart."""
    plain = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return " ".join(plain.split()).strip(_EDGE + "#@")


def holds_value(text: str, value: str) -> bool:
    """Tell whether a text of a call or a state holds a value that the goal says."""
    bare = folded(value)
    return bool(bare) and contains(folded(text), bare)
