"""What a shopper asks for: the noun of the request, and the price that it must not reach."""

from __future__ import annotations

import re

from agenther.stages.language.shop_words import COLORS, PHRASAL, TRADE_WORDS
from agenther.stages.language.words import is_adjective, is_noun


def asked_noun(goal: str) -> str | None:
    """Return the noun that a request asks for; None when it cannot be told."""
    text = re.split(r",? and price lower than|\bunder \$|\bless than\b", goal)[0]
    text = PHRASAL.sub(lambda m: f"{m.group(1)}-{m.group(2)}", _OPENER.sub("", text, count=1))
    words = [t.casefold() for t in re.split(r"\s+", text)]
    phrase: list[str] = []
    for word in words:
        bare = word.strip("?,.;:!'\"")
        if bare in _SKIPPED:
            continue
        if bare in _STOPS or not bare:
            if any(w not in _NO_NOUNS and (is_noun(w) or w in TRADE_WORDS) for w in phrase) and not (
                bare == "of" and phrase[-1] in _CONTAINERS
            ):
                break
            phrase = []
            continue
        phrase.append(bare)
        if word != bare and word[-1] in "?,.;:":
            break
    nouns = [last for word in phrase if _may_be_asked(last := word.split("-")[-1])]
    if phrase and phrase[-1] not in _NO_NOUNS and is_noun(phrase[-1]):
        return phrase[-1]
    return nouns[-1] if nouns else None


def _may_be_asked(word: str) -> bool:
    if (
        word in COLORS
        or not word.isalpha()
        or word in {"us", "free", "size", "inches", "hair", "body", "skin", "style"}
    ):
        return False
    return word in TRADE_WORDS or (is_noun(word) and not is_adjective(word))


_OPENER = re.compile(
    r"^\W*(?:hey\s+|hi\s+|please\s+)*(?:i(?:'m| am|m)? (?:(?:was|am) )?(?:looking|searching|trying|interested)"
    r"(?: for| in| to (?:buy|find|get))?"
    r"|i(?:'d| would)? (?:want|need|nee|like|love)(?: to (?:buy|find|get|have|purchase|order))?"
    r"|looking for|i want|find me|get me|show me|give me|(?:buy|order)(?: me)?"
    r"|(?:can|could) (?:you|i) (?:please )?(?:find|get|show|have)(?: me)?|(?:find|get|buy|order)(?: me)?|in need of)\s+",
    re.IGNORECASE,
)
_STOPS = frozenset(
    "a an the some any that which who with without for in on by from to of and or is are it its it's it’s made my has have"
    " containing contains compatible using used come comes where when one ones new".split()
)
_SKIPPED = frozenset("size sized color colored coloured us".split())
_NO_NOUNS = COLORS | frozenset(
    "us free size inches hair body skin style large medium small x-large soft ready male female press easy good".split()
)
_CONTAINERS = frozenset("pack packs pair pairs set box bottle bundle packet jar can case bag pieces pcs piece".split())
