"""What a sentence says, as far as its words show: what it quotes, its numbers and names, the words of each sentence.

Reads no meaning into it. What it says is compared with what calls did in `sentence`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from agenther.stages.language.requests import is_command, is_question
from agenther.stages.language.words import content_stems, sentences
from agenther.stages.verify.grounding import HARD, contains
from agenther.stages.verify.replay.tools import words_of

_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^”\n]+)”|‘([^’\n]+)’|(?<![\w'])'(?!s\b)([^\n]+?)'(?!\w)|`([^`\n]+)`")
_SPEAKER = re.compile(r"I(?:['’]\w+)?\Z")
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
        """Numbers, paths, ids and names that stand outside of quotation marks."""
        found = (match.group().strip(_EDGE) for match in HARD.finditer(self.plain))
        return tuple(dict.fromkeys(value for value in found if value and not _SPEAKER.match(value)))

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
    def words(self) -> frozenset[str]:
        """All words outside of quotation marks."""
        return words_of(self.plain)

    def names(self, value: str | int | float) -> bool:
        """Tell whether the goal says a value: in quotation marks as a whole, else as whole words; numbers by their value."""
        if isinstance(value, str):
            bare = _folded(value)
            if not any(letter.isalnum() for letter in bare):
                return False
            return contains(_folded(self.text), bare)
        if contains(self.text, number_text(value).lstrip("-")):
            return True
        low = self.text.lower()
        return any(number == value and contains(low, word) for word, number in _NUMERALS.items())


def number_text(value: float) -> str:
    """Return a number as people write it: whole ones without a point."""
    return str(int(value)) if value == int(value) else repr(value)


def _folded(text: str) -> str:
    """Return a text in one spelling: quotation marks, white space, marks of tags and stops at its ends are not told apart."""
    plain = text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return " ".join(plain.split()).strip(_EDGE + "#@")


def holds_value(text: str, value: str) -> bool:
    """Tell whether a text of a call or a state holds a value that the goal says."""
    bare = _folded(value)
    return bool(bare) and contains(_folded(text), bare)
