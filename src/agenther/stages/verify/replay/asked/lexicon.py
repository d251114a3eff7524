"""What words of a request ask for: groups of verbs and nouns that may mean the same (`lexicon.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from agenther.stages.language.words import FUNCTION_WORDS, stem, tokens

WH = re.compile(r"\b(?:what|which|where|how|who)\b", re.IGNORECASE)


class Lexicon(NamedTuple):
    """The groups, by the stems of their words."""

    deeds: dict[str, frozenset[str]]
    light: frozenset[str]
    operating: frozenset[str]
    wishing: frozenset[str]
    nouns: dict[str, frozenset[str]]
    common: frozenset[str]
    """Words that tell no tool from another, function words among them."""
    phrasal: dict[str, str]
    units: tuple[frozenset[str], ...]
    silent: frozenset[str]
    """Words, as they are written, that claim nothing by themselves."""
    idioms: re.Pattern[str]
    bounds: re.Pattern[str]
    """Phrases that claim; words that make a bound of a number, with its first digit."""
    claims: dict[str, str]
    """Words, as they are written, and the kind of what they claim that hardly any call shows."""


@cache
def pronouns() -> frozenset[str]:
    """Return the stems of words that stand for what was named before."""
    return frozenset(map(stem, "it them that this those these".split()))


@cache
def lexicon() -> Lexicon:
    """Return the lexicon."""
    read = tomllib.loads(Path(__file__).with_name("lexicon.toml").read_text(encoding="utf-8"))
    deeds: dict[str, set[str]] = {}
    for deed, words in read["deeds"].items():
        for word in words.split():
            deeds.setdefault(stem(word), set()).add(deed)
    nouns: dict[str, set[str]] = {}
    for group in read["nouns"]["groups"]:
        for word in group.split():
            nouns.setdefault(stem(word), set()).update(map(stem, group.split()))
    light, operating, wishing, common = (
        frozenset(map(stem, read[name]["words"].split())) for name in ("light", "operating", "wishing", "common")
    )
    return Lexicon(
        {word: frozenset(found) for word, found in deeds.items()},
        light,
        operating,
        wishing,
        {word: frozenset(found) for word, found in nouns.items()},
        common | frozenset(map(stem, FUNCTION_WORDS)),
        read["phrasal"],
        tuple(frozenset(map(stem, group.split())) for group in read["units"]["groups"]),
        frozenset(read["silent"]["words"].split()),
        re.compile(rf"\b(?:{'|'.join(map(re.escape, read['idioms']['phrases']))})\b", re.IGNORECASE),
        _bounds(read["bounds"]["words"].split(), read["bounds"]["phrases"]),
        {word: kind for kind, words in read["claims"].items() for word in words.split()},
    )


def deeds_of(word: str) -> frozenset[str]:
    """Return the groups that a stem belongs to."""
    return lexicon().deeds.get(word, frozenset())


def own_deeds(word: str) -> frozenset[str]:
    """Return the group that a stem gives its name, else all that it belongs to."""
    found = deeds_of(word)
    return frozenset(deed for deed in found if stem(deed) == word) or found


def deeds_in(words: Iterable[str]) -> frozenset[str]:
    """Return the groups of all of some stems, and those that are in none."""
    return frozenset(deed for word in words for deed in deeds_of(word) or (word,))


def wide(words: Iterable[str]) -> frozenset[str]:
    """Return stems with those that may name the same things."""
    known = tuple(words)
    return frozenset(known).union(*(lexicon().nouns.get(word, frozenset()) for word in known))


@lru_cache(maxsize=4096)
def stems_of(text: str) -> frozenset[str]:
    """Return the stems of a text or an identifier."""
    return frozenset(map(stem, tokens(text)))


def telling(text: str) -> frozenset[str]:
    """Return the stems that may tell one thing from another."""
    return stems_of(text) - lexicon().common


def claim_of(word: str) -> str | None:
    """Return what a word claims that hardly any call shows: a negation, a condition, a count; None for other words."""
    return lexicon().claims.get(word)


def in_other_unit(said: str, described: str) -> bool:
    """Tell whether a word is a unit, and a description names others of its kind only."""
    word, known = stem(said), stems_of(described)
    return any(word in group and known & group and word not in known for group in lexicon().units)


def one_word_each(text: str) -> str:
    """Return a text of the same length in which two words that are one verb are written as that verb."""
    return _phrasal().sub(
        lambda found: (
            lexicon().phrasal[" ".join(found.group().lower().split())][: len(found.group())].ljust(len(found.group()))
        ),
        text,
    )


def _bounds(words: Iterable[str], phrases: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:(?:{'|'.join(words)})\s+\d|(?:{'|'.join(phrases)})\b)", re.IGNORECASE)


@cache
def _phrasal() -> re.Pattern[str]:
    words = "|".join(re.escape(two).replace(r"\ ", r"\s+") for two in lexicon().phrasal)
    return re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
