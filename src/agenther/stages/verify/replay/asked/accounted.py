"""Words of a goal that nothing which was done accounts for: what they claim was not shown.

Reads word by word; whether values are used and verbs are done is asked in `values` and `sentences`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from agenther.record import Json
from agenther.replay import Change
from agenther.stages.language.words import is_base_verb, stem, tokens
from agenther.stages.verify.replay.asked.calls import Made, last_key, leaves
from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import claim_of, deeds_of, lexicon, stems_of, wide
from agenther.stages.verify.replay.asked.requests import requests
from agenther.stages.verify.replay.asked.toolbox import Tool, Toolbox

_CAUSING = frozenset("ask tell have get let make help want need allow enable request remind require wish like".split())
_CAUSING_BARE = frozenset("have let make help".split())
"""Those that are followed by a verb without `to`."""
_VALUE = ""
_CLAUSE = re.compile(r"[^.!?;,\u2014]+")
_OF_USER = re.compile(r"(?:(?:and|so|as|since|because|that) )?(?:i|we)(?:['’](?:m|ve|d|re|ll))?\b", re.IGNORECASE)
_WISHES = frozenset("want wish need like prefer expect require hope mean".split())
_ROUNDING = frozenset("two second decimal digit place precision round nearest integer whole number amount".split())


@dataclass(frozen=True)
class Accounts:
    """What words may be accounted for by."""

    calls: Sequence[Made]
    """Calls that serve the goal, up to the part that is read."""
    changes: Sequence[Change]
    """What these changed."""
    tools: Toolbox
    rounded: bool
    """Whether a value was rounded as the part asks."""

    @cached_property
    def _tools(self) -> tuple[Tool, ...]:
        return tuple(self.tools[name] for name in dict.fromkeys(call.name for call in self.calls))

    @cached_property
    def given(self) -> frozenset[str]:
        """Words that a call has as a value of its own, or as the name of an argument: those of claims must be among them."""
        values = (leaf.casefold() for c in self.calls for _, leaf in leaves(c.arguments) if isinstance(leaf, str))
        names = (word.casefold() for c in self.calls for name in c.arguments for word in tokens(name))
        return frozenset((*values, *names))

    @cached_property
    def spoken(self) -> frozenset[str]:
        """Stems of what their tools say of themselves, and of their arguments."""
        said = (tool.named | stems_of(tool.own) | _parameter_words(tool) for tool in self._tools)
        return wide(frozenset(word for call in self.calls for word in _words(call.arguments)).union(*said))

    @cached_property
    def shown(self) -> frozenset[str]:
        """Stems of what came back and of what changed."""
        back = (word for call in self.calls for path, leaf in call.shown for word in (*_words(leaf), *_key(path)))
        changed = (w for one in self.changes for w in (*_words(one.before), *_words(one.after), *stems_of(one.path)))
        return frozenset((*back, *changed))

    def does(self, base: str) -> bool:
        """Tell whether a verb, or a noun made of one, may ask for a tool of theirs."""
        return any(_means(base, tool) for tool in self._tools)


def unaccounted(text: Text, accounts: Accounts) -> str | None:
    """Return why a part claims what nothing that was done accounts for; None when all its words are accounted for.

    Sentences before the first that asks are told, and so are clauses in which users speak of themselves: other words than
    those of a claim ask for nothing there. What follows a request may still say how it is meant.
    """
    if (other := _asked_of_another(text)) is not None:
        return f"{other!r} is asked of somebody else"
    asking = [one.at for one in requests(text)]
    if not asking:
        return "no verb asks for what was changed"
    if (
        bound := next((m for m in lexicon().bounds.finditer(text.text) if not _is_value(m.start(), text)), None)
    ) is not None:
        return f"{bound.group()!r}: no call shows such a bound"
    first = max((start for start, _, _ in text.sentences if start <= asking[0]), default=0)
    idioms = [match.span() for match in lexicon().idioms.finditer(text.text)]
    told = list(_narration(text, asking))
    before = "."
    for word, at in text.in_order:
        is_read = word[0].isalpha() and not _is_in(at, idioms) and not _is_value(at, text)
        aside, early = _is_in(at, told), at < first
        if is_read and not (aside and early):
            why = _claimed(word, accounts)
            if why is None and not aside and not early:
                why = _unknown(word, before, accounts)
            if why is not None:
                return why
        before = word.casefold()
    return None


def _is_value(at: int, text: Text) -> bool:
    return any(fact.start <= at < fact.end for fact in text.facts)


def _is_in(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _narration(text: Text, asking: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the clauses that begin with the user, and ask and wish for nothing and name no value."""
    for clause in _CLAUSE.finditer(text.plain):
        start, end = clause.span()
        holds = any(start <= fact.start < end for fact in text.facts) or any(start <= at < end for at in asking)
        if not holds and _OF_USER.match(clause.group().lstrip()) and not stems_of(clause.group()) & _WISHES:
            yield start, end


def _claimed(word: str, accounts: Accounts) -> str | None:
    """Return why a word of a claim (a count, a condition) is no word of a call."""
    word = word.casefold().replace("’", "'")
    if word.endswith("n't"):
        return f"{word!r} is a negation"
    word = word.partition("'")[0]
    claim = claim_of(word)
    if claim is None or word in accounts.given or (accounts.rounded and stem(word) in _ROUNDING):
        return None
    return f"{word!r}: no call shows such a {claim}"


def _unknown(word: str, before: str, accounts: Accounts) -> str | None:
    """Return why a word that claims something is no word of what was done and what came back."""
    word = word.casefold().replace("’", "'").partition("'")[0]
    base = stem(word)
    if claim_of(word) is not None or word in lexicon().silent or base in lexicon().operating:
        return None
    if base in accounts.spoken or accounts.does(base) or (accounts.rounded and base in _ROUNDING):
        return None
    joins_deed = before in ("and", "then", "or", ",") and is_base_verb(word)
    if base in accounts.shown and not joins_deed:
        return None
    return f"{word!r}: nothing that was done accounts for it"


def _means(base: str, tool: Tool) -> bool:
    """Tell whether a verb may mean a tool: `put` may be what `place` is called, but not `move`, which is one of its meanings."""
    names_group = any(stem(deed) == base for deed in deeds_of(base))
    return bool(deeds_of(base) & tool.deeds) and not (names_group and len(tool.deeds) > 1)


def _asked_of_another(text: Text) -> str | None:
    """Return the verb of what is asked of somebody else: `ask Ada to send it`."""
    words = tuple(_with_values(text))
    for at, word in enumerate(words):
        if stem(word) not in _CAUSING:
            continue
        for number in range(at + 1, min(at + 6, len(words) - 1)):
            if words[number] in (".", ",", ";", ":", "!", "?"):
                break
            who = words[at + 1 : number]
            if words[number] == "to" and _VALUE in who and _is_deed(words[number + 1]):
                return words[number + 1]
            if word in _CAUSING_BARE and words[number] == _VALUE and _is_deed(words[number + 1]):
                return words[number + 1]
    return None


def _is_deed(word: str) -> bool:
    return word.isalpha() and is_base_verb(word) and word not in lexicon().silent


def _with_values(text: Text) -> Iterator[str]:
    """Yield the words and stops of a text, each value as one empty word."""
    marks = [(fact.start, _VALUE) for fact in text.facts]
    plain = ((at, w.casefold()) for w, at in text.in_order if not any(f.start <= at < f.end for f in text.facts))
    return (word for _, word in sorted((*marks, *plain)))


def _words(value: Json) -> frozenset[str]:
    texts = (leaf for _, leaf in leaves(value) if isinstance(leaf, str))
    return frozenset(word for text in texts for word in stems_of(text))


def _key(path: str) -> frozenset[str]:
    return stems_of(last_key(path))


def _parameter_words(tool: Tool) -> frozenset[str]:
    return frozenset(word for one in tool.parameters.values() for word in stems_of(f"{one.name} {one.description}"))
