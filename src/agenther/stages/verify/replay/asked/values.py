"""Values and names of a part of a goal that no call has."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agenther.stages.language.words import FUNCTION_WORDS, stem
from agenther.stages.verify.replay.asked.calls import Made, holds, leaves
from agenther.stages.verify.replay.asked.facts import Fact, Text, folded
from agenther.stages.verify.replay.asked.lexicon import deeds_of, lexicon, stems_of
from agenther.stages.verify.replay.asked.toolbox import Toolbox

_APPOSITION = re.compile(r"\s*\(([^)]+)\)")
_DECIMALS = re.compile(r"[ -]*decimal", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """What values of a goal may be found in."""

    calls: Sequence[Made]
    """Calls that serve the goal, up to the part that is read."""
    tools: Toolbox
    things: dict[str, frozenset[str]]
    """Names in the initial state, by their stem."""
    places: frozenset[str]
    """Where the run begins."""
    rounded: bool
    """Whether a value of this part was rounded as the goal asks."""


def unused_value(part: int, text: Text, known: Known) -> str | None:
    """Return the first value or name of a part that no call has; None when all are found."""
    for fact in text.facts:
        if not _is_found(part, text, fact, known):
            return fact.text
    for word, at in text.in_order:
        if not any(fact.start <= at < fact.end for fact in text.facts) and _is_unused_thing(word, known):
            return word
    return None


def _is_found(part: int, text: Text, fact: Fact, known: Known) -> bool:
    if fact.kind == "number" and known.rounded and _DECIMALS.match(text.text, fact.end):
        return True
    if any(call.holds(fact) or _is_word_of(fact, call, known) or _was_shown(part, fact, call) for call in known.calls):
        return True
    if fact.kind != "number" and folded(fact.text).strip("/") in known.places:
        return True
    if fact.kind != "name":
        return False
    said = {folded(leaf) for call in known.calls for _, leaf in leaves(call.arguments) if isinstance(leaf, str)}
    if " " in fact.text and all(word in said for word in folded(fact.text).split()):
        return True
    aside = _APPOSITION.match(text.text, fact.end)
    return aside is not None and folded(aside[1]) in said


def _is_word_of(fact: Fact, call: Made, known: Known) -> bool:
    """Tell whether a name or code is a word by which one speaks of the call's tool."""
    tool = known.tools[call.name]
    return fact.kind in ("name", "code") and stems_of(fact.text) <= tool.context | lexicon().common


def _was_shown(part: int, fact: Fact, call: Made) -> bool:
    """Tell whether a value stands in what came back; a quoted one only in what an earlier part showed."""
    if fact.kind == "quoted" and call.part == part:
        return False
    return any(holds(leaf, fact) for _, leaf in call.shown)


def _is_unused_thing(word: str, known: Known) -> bool:
    """Tell whether a word is the name of a thing in the state that no call speaks of."""
    base = stem(word)
    if base not in known.things or deeds_of(base) or folded(word) in known.places:
        return False
    if word.casefold() in FUNCTION_WORDS:
        return False
    names = {folded(name) for name in known.things[base]}
    for call in known.calls:
        tool = known.tools[call.name]
        if base in tool.words or base in tool.parameter_words:
            return False
        said = (folded(leaf) for _, leaf in leaves(call.arguments) if isinstance(leaf, str))
        if any(names & {text, *text.split()} for text in said):
            return False
    return True
