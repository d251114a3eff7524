"""Verbs of a text by which something is asked for, with what stands behind them up to the next."""

from __future__ import annotations

from typing import NamedTuple

from agenther.stages.language.words import is_adjective, is_base_verb, is_noun, stem
from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import deeds_of, lexicon

_STOPS = frozenset(".!?;:")
_LEADS = frozenset("you please kindly let's lets let’s and then or help".split())
_BETWEEN = frozenset("just also now then please kindly first next finally afterwards".split())
_ASKING = frozenset("what how where which".split())


class Asked(NamedTuple):
    """A verb, or a question word, where it stands, and what follows it."""

    word: str
    at: int
    behind: str

    @property
    def stem(self) -> str:
        """Its base form."""
        return stem(self.word)

    @property
    def is_light(self) -> bool:
        """Whether it says that something is wanted, not what."""
        return self.stem in lexicon().light

    @property
    def is_question(self) -> bool:
        """Whether it is a question word."""
        return self.word in _ASKING


def requests(text: Text, names: frozenset[str] = frozenset()) -> tuple[Asked, ...]:
    """Return the verbs and question words by which a text asks, in order; names of tools are verbs too."""
    words = [(word.casefold(), at) for word, at in text.in_order]
    found = [(word, at) for number, (word, at) in enumerate(words) if _asks([w for w, _ in words], number, names)]
    ends = [at for _, at in found[1:]] + [len(text.text)] * bool(found)
    return tuple(Asked(word, at, text.plain[at:end]) for (word, at), end in zip(found, ends, strict=True))


def _asks(words: list[str], number: int, names: frozenset[str]) -> bool:
    """Tell whether a word asks: a base verb that opens a clause, or follows a word that lets one expect it."""
    word = words[number]
    if not word[0].isalpha():
        return False
    before = number - 1
    while before >= 0 and (words[before].endswith("ly") or words[before] in _BETWEEN):
        before -= 1
    lead, skipped = (words[before] if before >= 0 else "."), before < number - 1
    if word in _ASKING:
        return lead in _STOPS or lead == ","
    if word.endswith("ing"):
        return number > 0 and words[number - 1] == "mind" and bool(deeds_of(stem(word)))
    if word not in names and not is_base_verb(word):
        return False
    opens = lead in _STOPS and bool(deeds_of(stem(word)))
    if is_adjective(word) and not opens and word not in names:
        return False
    if lead in ("and", "or") and number + 1 < len(words) and not words[number + 1][0].isalnum():
        return False
    if lead in ("and", "or") and is_noun(word) and not deeds_of(stem(word)):
        return False
    return _leads(words, before, lead) or (lead == "," and (skipped or bool(deeds_of(stem(word)))))


def _leads(words: list[str], at: int, lead: str) -> bool:
    if lead in _STOPS or lead in _LEADS:
        return True
    if lead in ("can", "could", "would", "will"):
        return at > 0 and words[at - 1] == "you"
    if lead in ("me", "us"):
        return at > 0 and stem(words[at - 1]) in ("help", "let")
    if lead != "to":
        return False
    wisher = at - 1
    while wisher >= 0 and words[wisher] in ("you", "me", "us"):
        wisher -= 1
    return wisher >= 0 and stem(words[wisher]) in lexicon().wishing
