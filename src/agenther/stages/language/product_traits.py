"""What a product's title says beside its name: traits, parts, rooms, how many come in a pack.

Each with its place in the title; what the options change is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agenther.stages.language.products import Phrase, is_head, is_known, joins_on, segments, up_to_preposition
from agenther.stages.language.shop_words import COLORS, GENDER, MATERIALS, stems_of
from agenther.stages.language.words import is_adjective, is_noun, plural, singular

_ATTRIBUTE = re.compile(
    r"\b(?:non[- ](?:gmo|toxic|slip)|machine[- ]washable"
    r"|(?:gluten|dairy|sugar|soy|nut|cruelty|paraben|sulfate|alcohol|bpa|caffeine|fat|latex|wrinkle|hands|fragrance)[- ]free"
    r"|(?:water|wind|fade|stain|scratch|heat|shock|rust|wrinkle|tarnish)(?:[- ]?(?: and| &) (?:water|wind))?[- ]resistant"
    r"|(?:leak|water|dust|shock|wind|fire|rust|sweat)[- ]?proof|(?:eco|travel|skin)[- ]friendly"
    r"|(?:kosher|usda|organic|qi)[- ]certified|dermatologist[- ]tested|(?:gold|silver|nickel|chrome)[- ]plated"
    r"|(?:slim|regular|relaxed|loose|classic)[- ]fit"
    r"|(?:anti|non)[- ](?:aging|slip|static|stick)|noise[- ]cancell?ing|shelf[- ]stable|low[- ](?:carb|fat|sodium|sugar)"
    r"|vegan|organic|kosher|portable|foldable|rechargeable|reusable|adjustable|hypoallergenic|cordless|handmade|stackable"
    r"|breathable|dimmable|lightweight|unscented|biodegradable|refillable|reversible|wireless)\b(?!\s*(?:zipper|gift|bag))",
    re.IGNORECASE,
)
_PACK = re.compile(r"\bpack of (\d+)\b|\b(\d+)[- ]?pack\b", re.IGNORECASE)


def attributes(title: str, varying: frozenset[str]) -> Iterator[Phrase]:
    """Yield what a title says of its product in words that follow `that is`."""
    for match in _ATTRIBUTE.finditer(title):
        if not stems_of(match.group()) & varying:
            yield Phrase(match.group().casefold(), *match.span())


def tails(title: str, known: frozenset[str], varying: frozenset[str]) -> Iterator[Phrase]:
    """Yield short phrases of a title that open with `with` or `for` and end at a noun."""
    for words in segments(title):
        for i, word in enumerate(words):
            if word.low not in ("with", "for"):
                continue
            rest = up_to_preposition(words[i + 1 :])
            if (
                joins_on(words, i + 1 + len(rest))
                or not 1 <= len(rest) <= 3
                or not all(is_known(w, known) and w.low.isalpha() for w in rest)
            ):
                continue
            if not (is_noun(rest[0].low) or is_adjective(rest[0].low)) or sum(w.low in GENDER for w in rest) > 1:
                continue
            text = " ".join(w.low for w in rest)
            if re.search(_ROOMS, text) and not re.fullmatch(_ROOMS, text):
                continue
            text = f"the {_as_asked(text, 'for the')}" if re.fullmatch(_ROOMS, text) else text
            if is_head(rest[-1]) and not stems_of(text) & varying:
                yield Phrase(f"{word.low} {text}", word.start, rest[-1].end)


_ROOMS = r"living rooms?|bedrooms?|bathrooms?|kitchens?|dining rooms?|home office|office|patio|garden"
_FEATURES = (
    r"(?:rubber|memory foam|leather|wood(?:en)?|metal|glass|long|short|elastic|high|adjustable|stainless steel)\s+"
    r"(?:soles?|sleeves?|handles?|legs?|straps?|waist(?:band)?|frame|base|neck|lids?|back)"
)


def features(title: str, words: frozenset[str], varying: frozenset[str]) -> Iterator[Phrase]:
    """Yield rooms and parts that a title names and these words ask for: `for the living room`, `with rubber soles`."""
    for pattern, opening in ((_ROOMS, "for the"), (_FEATURES, "with")):
        for match in re.finditer(rf"\b(?:{pattern})\b", title, re.IGNORECASE):
            if stems_of(match.group()) <= words and not stems_of(match.group()) & varying:
                yield Phrase(f"{opening} {_as_asked(match.group().casefold(), opening)}", *match.span())


def _as_asked(text: str, opening: str) -> str:
    """Return a room in the singular, and a part that comes in pairs in the plural."""
    *before, last = text.split(" ")
    paired = last in ("sole", "sleeve", "leg", "strap", "handle")
    last = singular(last) if opening == "for the" else plural(last) if paired else last
    return " ".join([*before, last])


_JOINS = ("on", "in", "for", "with", "of", "to", "and", "by", "from", "or", "up", "down")


def stands_before(word: str, head: str, title: str, *, near: bool = False) -> bool:
    """Tell whether a title has a word right before the noun of a phrase (`near`), or with one word between."""
    noun, joins = re.escape(singular(head.split(" ")[-1])), "|".join(_JOINS)
    between = "" if near else rf"(?:(?!(?:{joins})\b)[\w-]+\s+)?"
    return bool(re.search(rf"\b{re.escape(word)}\s+{between}{noun}(?:e?s)?\b", title, re.IGNORECASE))


def pack(title: str, varying: frozenset[str]) -> Phrase | None:
    """Return how many come in a pack, as `in a pack of 6`; None where the options change it."""
    match = _PACK.search(title)
    if match is None or {"pack", "count", "pc"} & varying or stems_of(match.group()) & varying:
        return None
    if (match.group(1) or match.group(2)) == "1":
        return None
    return Phrase(f"in a pack of {match.group(1) or match.group(2)}", *match.span())


def goes_before(word: str, title: str) -> bool:
    """Tell whether a title says a colour or a material of the product as a whole, so that it can stand before its name."""
    if word in COLORS:
        return any(words[-1].low == word for words in segments(title))
    return word in MATERIALS or bool(re.fullmatch(r"\d+(?:pcs|pc|pack)", word))
