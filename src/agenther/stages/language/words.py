"""English at the grain the rules need: tokens, stems, content words, sentences, nouns and their plurals.

Knows nothing of runs or goals; `lexicon` knows the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from agenther.stages.language.lexicon import base_forms, plural_form

TOKEN = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_SENTENCE_END = re.compile(
    r"""(?<=[.!?])(?<!\s\d\.)(?=[ \t]+["'(\[`]?[^a-z\s])  # a full stop before a capital, but for a list number
    |\n\s*\n+                               # a blank line
    |(?<=[.!?:;])[ \t]*\n+                   # a line that ends with a stop; other lines are wrapped text
    |\n(?=\s*(?:[-*#•]|\d+[.)])\s)          # a list item
    """,
    re.VERBOSE,
)
_SNAKE_OR_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")

FUNCTION_WORDS = frozenset(
    """
    a about above after again all also am an and any are aren't as at be because been before being below between
    both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either
    else ever every few for from further had has have having he her here hers herself him himself his how i i'd
    i'll i'm i've if in into is isn't it it's its itself just let let's many may me might more most much must my
    myself neither no nor not now of off on once only or other our ours ourselves out over own per please rather
    same she should shouldn't so some such than that that's the their theirs them themselves then there there's
    these they this those through to too under until up upon us very was wasn't we were what what's when where
    whether which while who whom whose why will with within without would you your yours yourself
    """.split()
)
REQUEST_WORDS = frozenset(
    """
    answer ask build calculate check compute count determine display do execute figure find fetch finish get
    give go help i'd information know like list look locate me name need number one output print provide
    question query report result retrieve return run search see show submit sort table task tell total try use
    user using value want
    """.split()
)

_PHRASES_OF_CHANGE = frozenset(
    {("check", "in"), ("check", "into"), ("check", "out"), ("give", "away"), ("give", "back"), ("get", "rid")}
)


@lru_cache(maxsize=65536)
def stem(token: str) -> str:
    """Return one base form of a word, the same for its inflections."""
    word = token.casefold().replace("’", "'").removesuffix("'s")
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    known = base_forms(word)
    for kind in ("VERB", "NOUN", "ADJ", "ADV"):
        if kind in known:
            return min(known[kind], key=len)
    for ending in ("ing", "ies", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def tokens(text: str) -> list[str]:
    """Return the words and numbers of a text; snake_case and camelCase names count as several words."""
    return [part for token in TOKEN.findall(text.replace("_", " ")) for part in split_name(token)]


@lru_cache(maxsize=65536)
def split_name(name: str) -> tuple[str, ...]:
    """Split an identifier into its words: `creditLimit_usd` gives credit, Limit, usd."""
    if name.islower() or name.isupper() or name.istitle():
        return tuple(part for part in name.split("_") if part)
    return tuple(_SNAKE_OR_CAMEL.findall(name)) or (name,)


def stems(text: str) -> frozenset[str]:
    """Return the stems of all words of a text."""
    return frozenset(stem(token) for token in tokens(text))


@lru_cache(maxsize=512)
def content_stems(text: str) -> frozenset[str]:
    """Return the stems of the words that carry the matter of a request: no function words, no request verbs."""
    words = (token.casefold().replace("’", "'") for token in tokens(text))
    kept = {stem(word) for word in words if word not in FUNCTION_WORDS and (len(word) > 1 or word.isdigit())}
    return frozenset(kept - REQUEST_WORDS)


def find_word(text: str, word: str) -> tuple[int, int] | None:
    """Return where a text first holds a word, name or number as a whole, whatever its case; None when it does not."""
    if not (text.isascii() and word.isascii()):
        match = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)
        return match.span() if match else None
    text, word = text.lower(), word.lower()
    start = text.find(word)
    while start >= 0:
        end = start + len(word)
        if not (_is_of_word(text[start - 1 : start]) or _is_of_word(text[end : end + 1])):
            return start, end
        start = text.find(word, start + 1)
    return None


def holds_any(text: str, parts: Iterable[str]) -> bool:
    """Tell whether a text holds one of some parts, letter for letter: a cheap look before a costly search."""
    return any(map(text.__contains__, parts))


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def sentences(text: str) -> list[tuple[int, int]]:
    """Return the bounds of the sentences of a text; together they cover it without a gap."""
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    return [(a, b) for a, b in pairwise(starts) if b > a]


def is_noun(word: str) -> bool:
    """Tell whether an English lexicon knows the word as a noun (any number)."""
    return "NOUN" in base_forms(word.casefold())


def is_adjective(word: str) -> bool:
    """Tell whether an English lexicon knows the word as an adjective."""
    return "ADJ" in base_forms(word.casefold())


def is_base_verb(word: str) -> bool:
    """Tell whether an English lexicon knows the word as a verb in its base form."""
    return word.casefold() in base_forms(word.casefold()).get("VERB", ())


def is_phrase_of_change(words: Sequence[str]) -> bool:
    """Tell whether words open with a verb and its particle that change something, though the verb alone only asks."""
    return tuple(word.casefold() for word in words[:2]) in _PHRASES_OF_CHANGE


def is_known(word: str) -> bool:
    """Tell whether an English lexicon has the word, as whatever part of speech."""
    return bool(base_forms(word.casefold()))


def singular(noun: str) -> str:
    """Return the singular of a noun; the word itself when the lexicon does not know it."""
    found = base_forms(noun.casefold()).get("NOUN")
    return found[0] if found else noun


def plural(noun: str) -> str:
    """Return the plural of a noun given in either number; only the last word of several is inflected."""
    *before, last = noun.split(" ")
    base = singular(last)
    return " ".join([*before, plural_form(base) or f"{base}s"])
