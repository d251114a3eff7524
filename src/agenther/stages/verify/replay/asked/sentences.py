"""Whether each sentence of a part of a goal has a call that does what it asks, and none fits better that was not made."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from agenther.stages.language.words import stem, tokens
from agenther.stages.verify.replay.asked.calls import Made
from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import WH, deeds_in, deeds_of, lexicon, own_deeds, pronouns, wide
from agenther.stages.verify.replay.asked.origins import asks_rounding
from agenther.stages.verify.replay.asked.requests import Asked, requests
from agenther.stages.verify.replay.asked.toolbox import Tool, Toolbox

_CLAUSE = re.compile(r"\w+ (?:that|every|if|whether|all|there)\b", re.IGNORECASE)
_EMBEDDED = re.compile(r"\w+ (?:\w+ ){0,3}(?:how|what|which|if|whether|the number of)\b", re.IGNORECASE)
"""A verb of knowing before a question."""
_LOOKS = frozenset({"look", "find"})
_REMARK = re.compile(r"note(?:,| that\b)", re.IGNORECASE)
Speaks = Callable[[Made, Text, int, int], bool]
"""Whether a text speaks of the tool of a call; with the bounds of the text in its part."""


class Sentences:
    """A part of a goal, sentence by sentence."""

    def __init__(
        self, text: Text, asked: Sequence[Made], served: Sequence[Made], tools: Toolbox, roots: dict[int, list[int]]
    ) -> None:
        """Take a part.

        Args:
            text: the part.
            asked: its calls that are asked for.
            served: the calls that serve the goal up to here.
            tools: all tools.
            roots: places in the part where values of each of its calls are said.
        """
        self._text, self._asked, self._served, self._tools, self._roots = text, asked, served, tools, roots
        self._requests = requests(text, frozenset(tools.tools))

    def undone(self, rounded: bool) -> str | None:
        """Return a verb that asks for what no call of this part does; None when there is none."""
        done = frozenset(deed for call in self._asked for deed in self._tools[call.name].deeds)
        for one in self._requests:
            if one.is_question or _says_what_is(one) or (rounded and one.stem == "round"):
                continue
            if one.word in self._tools.tools and one.word not in {call.name for call in self._served}:
                return one.word
            means = deeds_in([one.stem])
            if "look" in means and _EMBEDDED.match(one.behind) and any(not call.changed for call in self._asked):
                continue
            if means & done or one.is_light or self._is_named(one.stem, by_name=bool(deeds_of(one.stem))):
                continue
            if one.stem in lexicon().operating and deeds_in(map(stem, tokens(one.behind))) & done:
                continue
            return one.word
        return None

    def is_read(self, word: str) -> bool:
        """Tell whether the lexicon knows a verb."""
        return bool(deeds_of(stem(word)))

    def without_call(self, speaks: Speaks, rounded: bool) -> str | None:
        """Return a sentence that asks and has no call; None when all have one."""
        for start, end, sentence in self._text.sentences:
            own = self._asking(start, end)
            if not own and not sentence.text.rstrip().endswith("?"):
                continue
            if self._is_said_elsewhere(start, sentence) or self._is_beside_all(own, sentence):
                continue
            if self._refers_back(own, sentence) or (rounded and asks_rounding(sentence.text)):
                continue
            if not any(speaks(call, sentence, start, end) for call in self._asked):
                return sentence.text.strip()
        return None

    def better(self, speaks: Speaks) -> str | None:
        """Return a tool that was not called and fits a sentence better than all that were; None when there is none."""
        called = {call.name for call in self._served}
        for start, end, sentence in self._text.sentences:
            own = self._asking(start, end)
            mine = [call for call in self._asked if speaks(call, sentence, start, end)]
            asks_to_know = WH.search(sentence.text) is not None
            if not mine or not (own or sentence.text.rstrip().endswith("?")) or self._refers_back(own, sentence):
                continue
            wanted = deeds_in(one.stem for one in own) | (_LOOKS if asks_to_know else frozenset[str]())
            for tool in self._tools.tools.values():
                if tool.name in called or not tool.deeds & wanted or not _can_be_called(tool, sentence):
                    continue
                rivals = [call for call in mine if asks_to_know or tool.deeds & self._tools[call.name].deeds]
                if rivals and self._beats(tool, rivals, sentence, own, start, end):
                    return tool.name
        return None

    def named(self) -> str | None:
        """Return a tool that was not called though the part names all that it deals with; None when there is none."""
        spoken = frozenset(w for c in self._served for w in self._words(c.name))
        called, deeds = {call.name for call in self._served}, deeds_in(self._text.words)
        plain = [stem(word) for word in tokens(self._text.plain)]
        for tool in self._tools.tools.values():
            if not tool.nouns or tool.name in called or not tool.nouns <= self._text.words:
                continue
            is_meant = tool.deeds & deeds or len(tool.known_nouns) > 1
            if not is_meant or not _can_be_called(tool, self._text):
                continue
            for noun in sorted(tool.nouns - wide(spoken)):
                behind = [plain[at + 1] for at, word in enumerate(plain[:-1]) if word == noun]
                if not (behind and all(word in spoken and word not in tool.nouns for word in behind)):
                    return tool.name
        return None

    def _words(self, name: str) -> frozenset[str]:
        return self._tools[name].words | self._tools[name].parameter_words

    def _is_named(self, word: str, *, by_name: bool) -> bool:
        """Tell whether a verb is a word of a tool: of the name of one that is asked for, or any word of one that served."""
        if by_name:
            return any(word in self._tools[call.name].named for call in self._asked)
        return any(word in self._words(call.name) for call in self._served)

    def _asking(self, start: int, end: int) -> list[Asked]:
        """Return what a sentence asks by, without words that say only that something is wanted."""
        inside = (one for one in self._requests if start <= one.at < end)
        return [one for one in inside if one.is_question or not (one.is_light or _REMARK.match(one.behind))]

    @cached_property
    def _content(self) -> list[tuple[int, frozenset[str]]]:
        return [(start, _content(sentence)) for start, _, sentence in self._text.sentences]

    def _is_said_elsewhere(self, start: int, sentence: Text) -> bool:
        """Tell whether the other sentences have all that one speaks of."""
        rest = frozenset(w for at, words in self._content if at != start for w in words)
        return bool(rest) and not sentence.facts and _content(sentence) <= rest

    def _is_beside_all(self, own: list[Asked], sentence: Text) -> bool:
        """Tell whether a sentence speaks of nothing that any tool deals with."""
        knows = any(deeds_of(one.stem) for one in own)
        return not knows and all(self._tools.fit(tool, sentence.words) <= 0 for tool in self._tools.tools.values())

    def _refers_back(self, own: list[Asked], sentence: Text) -> bool:
        """Tell whether a sentence asks for what a call does, of a thing that it calls `it`."""
        means = deeds_in(one.stem for one in own)
        return bool(sentence.words & pronouns()) and any(means & self._tools[call.name].deeds for call in self._asked)

    def _beats(self, tool: Tool, rivals: list[Made], sentence: Text, own: list[Asked], start: int, end: int) -> bool:
        """Tell whether a tool fits a sentence better than calls; as well is enough where no verb speaks plainly of theirs."""
        best = max(
            self._tools.fit(self._tools[call.name], sentence.words)
            + sum(start <= at < end for at in self._roots.get(call.number, ()))
            for call in rivals
        )
        mine = frozenset(deed for call in rivals for deed in self._tools[call.name].deeds)
        plainly = any(own_deeds(one.stem) & mine for one in own)
        score = self._tools.fit(tool, sentence.words) + (1 if tool.required else 0)
        return score > best + 1e-9 or (not plainly and score >= best - 1e-9)


def _content(text: Text) -> frozenset[str]:
    return frozenset(w for w in text.words - lexicon().light - lexicon().common if w.isalpha())


def _says_what_is(one: Asked) -> bool:
    """Tell whether a verb asks to make sure of something, or only remarks."""
    return bool((one.stem in ("verify", "confirm") and _CLAUSE.match(one.behind)) or _REMARK.match(one.behind))


def _can_be_called(tool: Tool, text: Text) -> bool:
    """Tell whether a text has as many values of their kinds as a tool requires."""
    numbers = sum(fact.kind == "number" for fact in text.facts)
    if tool.takes_numbers and not numbers:
        return False
    return not tool.required or bool(text.facts)
