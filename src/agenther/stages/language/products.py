"""The titles of products in plain words: which noun they sell, what they say of it, what varies by option.

A title in a shop is a heap of keywords around a noun phrase. What is found here keeps its place in the title, so that
it can become evidence; where no phrase can be spoken, nothing is returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agenther.stages.language.shop_words import (
    COLORS,
    COUNTED,
    GENDER,
    PHRASAL,
    SETS,
    TRADE_WORDS,
    in_lexicon,
    is_plural,
    same,
    stems_of,
)
from agenther.stages.language.words import FUNCTION_WORDS, is_adjective, is_noun, singular, tokens

_SEPARATOR = re.compile(
    r"\s[-–—/|~]+\s|\s-(?=\w)|[,，;；:|()（）\[\]…!☮✡*]|\.\s|(?<=\w)-\s|(?<=[^\W\d_]{3})/(?=[^\W\d_]{3})"
    r"|-(?=(?:black|white|red|green|blue|pink|grey|gray)\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\s]+")
_PREPOSITIONS = frozenset(
    "for with by in from of to on at as compatible made featuring w/ without into like and & + or includes include fits"
    " suitable designed replacement".split()
)
_JOINING = frozenset("and & + or to of like as".split())
"""Words after which a noun phrase goes on: what stands before them is not the whole of it."""
_NO_PRODUCT = frozenset(
    "brand collection series store company co beauty lighting foods home recipe design style basics products supply".split()
)
"""Nouns that end the name of a maker, not of a product."""
_IN_FRONT = re.compile(r"\A\s*(?:\([^)]*\)|\[[^\]]*\])")
_MODEL = re.compile(r"(?=\w*\d)(?=\w*[A-Za-z])[\w-]{4,}|[A-Z]{1,3}\d+\w*|#\S+")
_SPEC = re.compile(
    r"\d+(?:\.\d+)?[- ]?(?:k|d|p|w|v|gb|tb|mm|cm|ml|oz|ft|in|inch|inches|lb|pcs?|packs?|pieces?|ct|counts?|lights?"
    r"|way|tier|hz|mp)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Phrase:
    """Words to be spoken, and the characters of the title that they come from."""

    text: str
    start: int
    end: int

    @property
    def stems(self) -> frozenset[str]:
        """The stems of its words, but for those that only join."""
        return stems_of(" ".join(word for word in self.text.split(" ") if word not in FUNCTION_WORDS))


@dataclass(frozen=True)
class Word:
    """A word of a title and its place."""

    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        """The word casefolded, without quotes and dots around it."""
        return self.text.casefold().replace("’", "'").strip("'.+\"“”")


_PRAISE = frozenset("perfect best great amazing ideal".split())
_LONGEST = 7
"""A longer run of words is a heap of keywords, not a phrase."""


def segments(title: str) -> Iterator[tuple[Word, ...]]:
    """Yield the pieces of a title between its separators, as words with their places."""
    at = 0
    for cut in [*_SEPARATOR.finditer(title), None]:
        end = len(title) if cut is None else cut.start()
        words = tuple(Word(m.group(), at + m.start(), at + m.end()) for m in _WORD.finditer(title[at:end]))
        if words:
            yield words
        at = end if cut is None else cut.end()


def head_phrase(title: str, noun: str | None, known: frozenset[str], varying: frozenset[str]) -> Phrase | None:
    """Return the noun phrase that a title sells; None when none can be spoken.

    Args:
        title: the product's title.
        noun: the noun that the shopper asked for, where one is known: in a heap of keywords it marks the phrase.
        known: words (casefolded) that are no brand, beyond the English lexicon: those of queries and of other titles.
        varying: words that differ between the product's options, and hold for none of them by the title alone.
    """
    joined = PHRASAL.sub(lambda m: f"{m.group(1)}-{m.group(2)}", title)
    joined = _IN_FRONT.sub(lambda m: " " * len(m.group()), joined)
    asked = same(noun) if noun else None
    known = known | {noun, singular(noun)} if noun else known
    leading = True
    for words in list(segments(joined))[:4]:
        chunk = up_to_preposition(words)
        broken = joins_on(words, len(chunk))
        for end in _heads_at(chunk, asked, joined, known, or_last=leading and not broken):
            if broken and end == len(chunk) - 1 and words[len(chunk)].low in ("of", "to"):
                continue
            phrase = _phrase(chunk[: end + 1], known, varying)
            if phrase is not None and not _turned_in_brackets(title, chunk[end].low):
                return phrase
        leading = leading and all(not is_known(word, known) or word.low in _NO_PRODUCT | {"amazon"} for word in words)
    return None


def _turned_in_brackets(title: str, head: str) -> bool:
    """Tell whether a bracket says that the product is another thing: `Oat Milk [Oat Milk Frother]`."""
    inside = re.findall(r"[(\[]([^)\]]*)[)\]]", title)
    return any(re.search(rf"\b{re.escape(head)}\s+[a-z]{{3,}}\s*\Z", text, re.IGNORECASE) for text in inside)


def joins_on(words: tuple[Word, ...], at: int) -> bool:
    """Tell whether a phrase that ends at a place of a segment goes on there, as in `men and women`."""
    return at < len(words) and words[at].low in _JOINING


def up_to_preposition(words: tuple[Word, ...]) -> list[Word]:
    """Return the words of a segment before its first preposition."""
    for i, word in enumerate(words):
        if word.low in _PREPOSITIONS:
            return list(words[:i])
    return list(words)


def _heads_at(
    chunk: list[Word], asked: str | None, title: str, known: frozenset[str], *, or_last: bool
) -> Iterator[int]:
    """Yield where the phrase of a chunk may end: at the last word of a short leading chunk, at the noun asked for."""
    while chunk and (chunk[-1].low in COLORS or not is_known(chunk[-1], known) or _MODEL.fullmatch(chunk[-1].text)):
        chunk = chunk[:-1]
    there = any(same(word.low.split("-")[-1]) == asked for word in chunk)
    while there and _is_loose_end(chunk[-1]) and same(chunk[-1].low) != asked:
        chunk = chunk[:-1]
    n_plain = sum(is_known(word, known) for word in chunk)
    if or_last and chunk and n_plain <= 6 and is_head(chunk[-1]):
        yield len(chunk) - 1
    if asked is not None:
        for i, word in enumerate(chunk):
            if same(word.low.split("-")[-1]) != asked:
                continue
            following = chunk[i + 1] if i + 1 < len(chunk) else None
            anew = following is not None and any(following.low == before.low for before in chunk[:i])
            certain = following is None or anew or is_plural(word.low) or not _goes_on(following)
            if certain or sum(same(t) == asked for t in tokens(title)) > 1:
                yield i


def is_known(word: Word, known: frozenset[str]) -> bool:
    """Tell whether a word is English, a unit, or known otherwise: no maker's name."""
    low = word.low
    if low in known or low in GENDER or in_lexicon(low) or low.isdigit() or _SPEC.fullmatch(low):
        return True
    parts = [part for part in re.split(r"[-'/&]", low) if part and part != "s"]
    return len(parts) > 1 and all(p in known or in_lexicon(p) or p.isdigit() for p in parts)


def is_head(word: Word) -> bool:
    """Tell whether a word can name a product."""
    last = word.low.split("-")[-1]
    return (
        last not in COLORS | _NO_PRODUCT | FUNCTION_WORDS
        and (is_noun(last) or last in TRADE_WORDS)
        and not last.isdigit()
    )


def _is_loose_end(word: Word) -> bool:
    return word.low not in SETS and (is_adjective(word.low) or word.low == "size")


def _goes_on(word: Word) -> bool:
    """Tell whether a word after a noun may make one name with it; an adjective begins something new."""
    return word.low in SETS or (is_head(word) and not is_adjective(word.low))


def _phrase(words: list[Word], known: frozenset[str], varying: frozenset[str]) -> Phrase | None:
    """Cut brands, models and loose numbers off the front of a phrase; drop what varies; speak the rest."""
    start = _start(words, known)
    if start is None:
        return None
    head = words[-1]
    start = max(start, _after_maker(words))
    if len(words) - start > _LONGEST:
        return None
    before = words[start:-1]
    if before and stems_of(before[-1].low) & varying and before[-1].low not in COLORS:
        return None
    kept = [w for w in before if not (stems_of(w.low) & varying) and w.low not in {"collection", "series", "brand"}]
    spoken = _drop_loose_units([w.low for w in kept])
    gender = next((GENDER[w] for w in spoken if w in GENDER), None)
    spoken = ([gender] if gender else []) + [w for w in spoken if w not in GENDER]
    spoken.append(head.low)
    spoken = [w.removesuffix("s") if w in ("pieces", "packs") else w for w in spoken[:-1]] + spoken[-1:]
    stems = [same(w) for w in spoken]
    once = [s for s in stems if s != "light"]
    if len(spoken) < 2 or len(set(once)) < len(once):
        return None
    first = kept[0].start if kept else head.start
    return Phrase(" ".join(spoken), first, head.end)


def _is_other_product(word: Word, head: Word) -> bool:
    """Tell whether a word inside a phrase is a plural noun: it ends another phrase, for modifiers are singular."""
    low = word.low
    if head.low in SETS:
        return False
    return low not in GENDER and low not in COUNTED | {"sports", "news", "gas", "glass", "brass"} and is_plural(low)


def _start(words: list[Word], known: frozenset[str]) -> int | None:
    """Return where the words that can be spoken begin; None when what is left of a heap says too little."""
    head = words[-1]
    for i in range(len(words) - 2, -1, -1):
        word, following = words[i], words[i + 1]
        counted = word.low.isdigit() and following.low in COUNTED
        if counted:
            return i
        model = bool(_MODEL.fullmatch(word.text)) and not _SPEC.fullmatch(word.text)
        joins = not any(c.isalnum() for c in word.low) or bool(re.search(r"\d/\d", word.low))
        odd = joins or word.low in FUNCTION_WORDS | _PRAISE or _is_other_product(word, head)
        if odd or model or word.low.isdigit() or not is_known(word, known):
            half = joins and not any(c.isalnum() for c in word.low) and len(words) - i > 3
            start = i + 2 if half else i + 1
            return None if i > 3 and len(words) - start < 3 else start
    return 0


def _after_maker(words: list[Word]) -> int:
    """Return where a phrase starts that has one word before `women's`: that word is a maker's name."""
    return 1 if len(words) > 2 and words[0].low not in GENDER and words[1].low in GENDER else 0


def _drop_loose_units(words: list[str]) -> list[str]:
    """Leave out a counting word whose number is gone, and a number whose counting word is gone."""
    kept: list[str] = []
    for i, word in enumerate(words):
        if word == "1" and i + 1 < len(words) and words[i + 1] in COUNTED:
            continue
        if word.isdigit() and (i + 1 >= len(words) or words[i + 1] not in COUNTED):
            continue
        if word in COUNTED and word not in {"light", "lights", "foot"} and not (kept and kept[-1].isdigit()):
            continue
        kept.append(word)
    return kept
