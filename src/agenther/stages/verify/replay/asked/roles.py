"""Which of two values of a call the goal means for which parameter: by the words around them, by their look, by their order."""

from __future__ import annotations

import re
from itertools import combinations

from agenther.record import Json
from agenther.stages.language.words import FUNCTION_WORDS, stem, tokens
from agenther.stages.verify.replay.asked.calls import Made
from agenther.stages.verify.replay.asked.facts import BLANK, Text
from agenther.stages.verify.replay.asked.lexicon import stems_of, wide
from agenther.stages.verify.replay.asked.origins import Grounds, Root
from agenther.stages.verify.replay.asked.toolbox import Parameter, Tool, Toolbox

_GOING = frozenset({"go", "navigate"})
_BEFORE, _AFTER = 6, 3
"""Words looked at before and after a value."""
_TURNS = frozenset("to in from into as under onto and with then".split())
"""Words behind which another value is spoken of."""
_FROM = frozenset("source from base old origin first".split())
_TO = frozenset("destination to target new last".split())
_WORD = re.compile(rf"\w+|{BLANK}+")
_DATE, _FILE = re.compile(r"\d{4}-\d\d-\d\d"), re.compile(r"\S+\.\w{1,5}")


def unclear_roles(call: Made, tools: Toolbox, grounds: Grounds, parts: list[Text]) -> str | None:
    """Return which two parameters may have each other's value; None when the goal tells them apart."""
    tool = tools[call.name]
    roots = {
        name: root for name, root in grounds.roots.items() if not isinstance(call.arguments.get(name), list | dict)
    }
    if any(root.direct for root in roots.values()):
        roots = {name: root for name, root in roots.items() if root.direct}
    if call.changed and not tool.deeds & _GOING:
        for name, root in roots.items():
            if root.direct and _is_unmarked(call, name, root, tools, parts):
                return f"{name} is but a word of the goal"
    for name, root in roots.items():
        parameter = tool.parameters.get(name)
        if len(tool.parameters) < 2 or not root.direct or parameter is None:
            continue
        if rival := _rival(call, parameter, root, parts[root.part]):
            return f"{name} may be {rival[:60]!r}"
    for a, b in combinations(roots, 2):
        same_kind = isinstance(call.arguments[a], str) == isinstance(call.arguments[b], str)
        if same_kind and roots[a].part == roots[b].part:
            told = (tool.parameters.get(a), tool.parameters.get(b))
            if told[0] is None or told[1] is None or not _apart(call, tool, told[0], told[1], roots, parts):
                return f"{a} and {b} may be meant the other way round"
    return None


def _is_unmarked(call: Made, name: str, root: Root, tools: Toolbox, parts: list[Text]) -> bool:
    """Tell whether a text that a call has is said only as a word among others, where others are marked, and no parameter
    of its name offers it."""
    value = call.arguments[name]
    alike = (tool.parameters[name] for tool in tools.tools.values() if name in tool.parameters)
    marked = [fact for fact in parts[root.part].facts if fact.kind in ("quoted", "code")]
    if not isinstance(value, str) or not marked or any(parameter.lists(value) for parameter in alike):
        return False
    return not any(f.start <= at < f.end for f in parts[root.part].facts for at in root.places)


def _rival(call: Made, parameter: Parameter, root: Root, text: Text) -> str | None:
    """Return a marked value that is spoken of as this parameter no less than a word that the call has in its place."""
    if any(fact.start in root.places for fact in text.facts) or not isinstance(call.arguments[parameter.name], str):
        return None
    named = _cue_words(parameter)[0]
    own = max(_nearness(text, at, named, frozenset()) for at in root.places)
    for fact in text.facts:
        is_text = fact.kind in ("quoted", "code", "name")
        if is_text and not call.holds(fact) and _nearness(text, fact.start, named, frozenset()) >= max(own, 1):
            return fact.text
    return None


def _apart(call: Made, tool: Tool, a: Parameter, b: Parameter, roots: dict[str, Root], parts: list[Text]) -> bool:
    at_a, at_b = roots[a.name].places, roots[b.name].places
    if at_a == at_b:
        return False
    if _looks_apart(a, b, call.arguments[a.name], call.arguments[b.name]):
        return True
    text = parts[roots[a.name].part]
    right = _cue(tool, a, b, text, at_a) + _cue(tool, b, a, text, at_b)
    wrong = _cue(tool, a, b, text, at_b) + _cue(tool, b, a, text, at_a)
    nearest = min(((x, y) for x in at_a for y in at_b), key=lambda pair: abs(pair[0] - pair[1]))
    return right > wrong or (right == wrong and _goes_first(tool, a, b) and nearest[0] < nearest[1])


def _looks_apart(a: Parameter, b: Parameter, one: Json, other: Json) -> bool:
    """Tell whether only one of two values can be the one or the other: an option, a date, the name of a file."""
    x, y = str(one), str(other)
    if a.lists(x) and not b.lists(x) and not a.lists(y):
        return True
    if b.lists(y) and not a.lists(y) and not b.lists(x):
        return True
    for look, word in ((_DATE, "date"), (_FILE, "file")):
        is_x, is_y = bool(look.fullmatch(x)), bool(look.fullmatch(y))
        if is_x != is_y:
            return _speaks_of(a, word) == is_x and _speaks_of(b, word) == is_y
    return False


def _speaks_of(parameter: Parameter, word: str) -> bool:
    return word in parameter.name.casefold() or word in parameter.first_words.casefold()


def _goes_first(tool: Tool, a: Parameter, b: Parameter) -> bool:
    """Tell whether one of two parameters is said before the other: numbered ones, from and to, first and last."""
    names = list(tool.parameters)
    if names.index(a.name) > names.index(b.name):
        return False
    numbered = re.sub(r"[\dAB]\Z", "", a.name) == re.sub(r"[\dAB]\Z", "", b.name)
    one, two = ({word.casefold() for word in tokens(name)} for name in (a.name, b.name))
    return numbered or bool(one & _FROM and two & _TO)


def _cue(tool: Tool, own: Parameter, other: Parameter, text: Text, places: tuple[int, ...]) -> float:
    """Return how near to a value stand words that speak of one parameter and not of another."""
    named, described = _cue_words(own)
    named_other, described_other = _cue_words(other)
    strong = (named - named_other) if named & described_other - named_other else named - named_other - described_other
    weak = described - described_other - named_other - strong - tool.words
    return max((_nearness(text, at, strong, weak) for at in places), default=0.0)


def _nearness(text: Text, at: int, strong: frozenset[str], weak: frozenset[str]) -> float:
    before = reversed(_WORD.findall(text.plain[:at])[-_BEFORE:])
    after = _WORD.findall(text.plain[at:].lstrip(BLANK))[:_AFTER]
    found = 0.0
    for words, nearest, ends in ((before, _BEFORE + 1, frozenset[str]()), (after, _AFTER + 1, _TURNS)):
        for distance, word in enumerate(words):
            base = stem(word)
            if BLANK in word or base in ends:
                break
            if base in strong or base in weak:
                found = max(found, (nearest - distance) / (1 if base in strong else 2))
    return found


def _cue_words(parameter: Parameter) -> tuple[frozenset[str], frozenset[str]]:
    """Return stems that speak of a parameter: those of its name, with prepositions, and those of its description."""
    named = wide(stems_of(parameter.name))
    if named & {"to", "target"}:
        named |= {"to", "into"}
    if "destination" in named:
        named |= {"to", "into", "in", "onto", "under", "as"}
    if named & {"source", "origin"}:
        named |= {"from"}
    words = (word for word in tokens(parameter.first_words) if word.casefold() not in FUNCTION_WORDS)
    return named, wide(map(stem, words))
