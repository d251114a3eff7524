"""One part of a goal beside the calls that follow it: what in either of them the other lacks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from agenther.conclusions import Reason
from agenther.replay import Change, ReplayedCall
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.words import is_base_verb
from agenther.stages.verify.replay.parts import Part
from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.policy import Policy
from agenther.stages.verify.replay.request import folded, holds_value
from agenther.stages.verify.replay.sources import Origin, Sources, argument_texts
from agenther.stages.verify.replay.tools import Tool, Toolbox, canonical, words_of

_ASKED = frozenset({Origin.GOAL, Origin.EARLIER, Origin.STATE})
_NEEDED = _ASKED | {Origin.SCHEMA, Origin.BEFORE}
_COURTESY = frozenset(
    """
    ask assist be can could do ensure get give go have help hope know let like look love make may need please proceed see share
    should take tell thank think try use want will wish would wonder
    """.split()
)
"""Verbs that say how something is asked for, not what."""
_TELLING = frozenset(
    """
    analyse analyze ascertain assess check confirm describe detail determine display evaluate examine explain explore extract
    fetch figure find identify inform inspect investigate list note obtain output provide report retrieve review verify view
    """.split()
)
"""Verbs for being told something, whatever call finds it out."""


@dataclass(frozen=True)
class Found:
    """Why a goal does not say what was done."""

    reason: Reason
    why: str


class Reading:
    """A part of a goal and its calls."""

    def __init__(self, part: Part, performed: Performed, tools: Toolbox, policy: Policy) -> None:
        self._part, self._performed, self._tools, self._policy = part, performed, tools, policy
        self._request = part.request
        self._sources = Sources(part.request, part.before, performed)

    def refusal(self) -> Found | None:
        """Return why the goal does not say what was done; None when it does, as far as words show."""
        if not self._request.sentences:
            return Found(Reason.UNSCORED, "the goal cannot be read: it says nothing outside of quotation marks")
        looks = (self._harm, self._missing_deeds, self._unsaid_values, self._failed, self._unread, self._unasked)
        return next((found for look in looks if (found := look()) is not None), None)

    def unasked(self) -> Found | None:
        """Return which change the goal does not ask for; None when there is none but those that the policy allows."""
        return self._harm() or self._unasked()

    def names(self, change: Change) -> bool:
        """Tell whether the goal names a change: a call that it asks for made it, and it says its value or its place."""
        if change.call is None or change.call not in self._asked:
            return False
        if any(not key.isdigit() and self._request.names(key) for key in change.path.split("/") if key):
            return True
        before, value = change.before, change.before if change.how == "removed" else change.after
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        by = value - before if isinstance(value, int | float) and isinstance(before, int | float) else value
        return self._request.names(value) or self._request.names(by)

    @cached_property
    def _effects(self) -> tuple[int, ...]:
        """Positions of the calls of this part that changed something."""
        return tuple(number for number in self._part.numbers if self._call(number).changed)

    @cached_property
    def _worked(self) -> tuple[int, ...]:
        """Positions of the calls that changed something or came back without an error."""
        numbers = self._part.numbers
        return tuple(n for n in numbers if self._call(n).changed or not is_error(self._performed.observations[n]))

    @cached_property
    def _called(self) -> frozenset[str]:
        return frozenset(self._call(number).name for number in self._worked)

    @cached_property
    def _asked(self) -> frozenset[int]:
        """Positions of the effect calls whose deed the goal names."""
        return frozenset(n for n in self._effects if self._deeds(n) & self._request.words or self._is_quoted(n))

    def _deeds(self, number: int) -> frozenset[str]:
        """Return the words for what a call does: those of its tool, and verbs among its values (`type=buy`)."""
        values = filter(str.isalpha, argument_texts(self._call(number).arguments))
        return self._tool(number).deeds | frozenset(canonical(word) for word in values if is_base_verb(word.casefold()))

    def _is_quoted(self, number: int) -> bool:
        """Tell whether the goal quotes a value of a call, and speaks of its tool by a word of its name."""
        tool = self._tool(number)
        said = {folded(text) for text in self._request.quoted}
        quotes = any(folded(text) in said for text in argument_texts(self._call(number).arguments))
        return quotes and bool(tool.named & self._request.words)

    def _is_described(self, number: int) -> bool:
        """Tell whether the goal says every value of a call, and speaks of its tool by any word."""
        tool = self._tool(number)
        values = [origin for _, _, origin in self._sources.origins(number, tool)]
        return bool(values) and all(origin is Origin.GOAL for origin in values) and tool.mentioned(self._request.words)

    @cached_property
    def _argument_texts(self) -> tuple[str, ...]:
        return tuple(text for n in self._worked for text in argument_texts(self._call(n).arguments))

    def _call(self, number: int) -> ReplayedCall:
        return self._performed.replay.calls[number]

    def _tool(self, number: int) -> Tool:
        return self._tools.tools[self._call(number).name]

    def _harm(self) -> Found | None:
        """Look for harmful calls that the goal does not ask for."""
        for number in self._effects:
            if number not in self._asked:
                call = self._call(number).name
                paths = tuple(change.path for change in self._performed.made[number])
                if (harm := self._policy.harms(call, paths)) is not None:
                    return Found(Reason.SIDE_EFFECT, f"{call} does harm that the goal does not ask for: {harm[:80]}")
        return None

    def _missing_deeds(self) -> Found | None:
        """Look for verbs of the goal that speak of tools which were not called."""
        for word in sorted(self._request.words):
            does = self._tools.doing(word)
            if does and word not in _TELLING and not self._tools.meant_by(word) & self._called:
                return Found(Reason.NOT_TRUE, f"{word!r} speaks of {_some(does)}, which did not happen")
        return None

    def _unsaid_values(self) -> Found | None:
        """Look for values of the goal that no call has, and no answer."""
        made = [
            str(change.after) for n in self._effects for change in self._performed.made[n] if change.how != "removed"
        ]
        texts = [*self._argument_texts, *made]
        told = [*texts, *(self._performed.observations[n] for n in self._worked)]
        earlier = range(min(self._part.numbers, default=0))
        texts += [text for number in earlier for text in argument_texts(self._call(number).arguments)]
        for value in self._request.quoted:
            if not _in_pieces(texts, value):
                return Found(Reason.NOT_TRUE, f"the goal says {value[:60]!r}, and no call does")
        for value in self._request.values:
            if not _in_pieces(told, value):
                return Found(Reason.NOT_TRUE, f"the goal says {value[:60]!r}, and no call does")
        if strange := [name for name in self._request.proper_names if not self._is_met(name, told)]:
            return Found(Reason.UNSCORED, f"who or what {strange[0]!r} is cannot be told")
        return None

    def _is_met(self, name: str, told: Iterable[str]) -> bool:
        """Tell whether a name of the goal is met with anywhere: in calls, answers, the state, what tools say of themselves."""
        words = words_of(name)
        if not words or any(words <= tool.words for tool in self._tools.tools.values()):
            return True
        return any(holds_value(text, name) for text in (*told, self._sources.initial_text))

    def _failed(self) -> Found | None:
        """Look for calls that failed, and that were not made well later."""
        for number in set(self._part.numbers) - {*self._worked}:
            name = self._call(number).name
            if not any(later > number and self._call(later).name == name for later in self._worked):
                return Found(Reason.UNSCORED, f"{name} failed, and was not made again: what it was for cannot be told")
        return None

    def _unread(self) -> Found | None:
        """Look for requests that no call is found for: one of which all values are known."""
        said = _COURTESY | _TELLING | words_of(" ".join(self._argument_texts))
        for sentence in self._request.sentences:
            linked = [n for n in self._worked if self._tool(n).mentioned(sentence.words) and self._is_known(n)]
            if sentence.asks and not linked:
                return Found(Reason.UNSCORED, f"no call is found for {sentence.text[:80]!r}")
            better = self._tools.fitting_better(sentence.words, self._called) if sentence.asks else frozenset[str]()
            if better:
                return Found(Reason.UNSCORED, f"{sentence.text[:80]!r} fits {_some(better)}, which did not happen")
            unread = [word for word in sentence.verbs if word not in said and not self._tools.meant_by(word)]
            spare = [n for n in linked if not self._tool(n).deeds & sentence.words]
            if len(unread) > len(spare):
                return Found(Reason.UNSCORED, f"what {unread[0]!r} asks for cannot be told")
        return None

    def _is_known(self, number: int) -> bool:
        """Tell whether all values of a call come from somewhere."""
        return self._sources.unknown(number, self._tool(number), _NEEDED) is None

    def _unasked(self) -> Found | None:
        """Look for calls that the goal does not ask for, and for values that it does not say."""
        for number in self._effects:
            call, tool = self._call(number), self._tool(number)
            needed = number not in self._asked and (self._is_needed(number) or self._is_described(number))
            if not needed and number not in self._asked:
                if self._policy.ignores(call.name):
                    continue
                return Found(Reason.SIDE_EFFECT, f"{call.name} changed something that the goal does not ask for")
            unknown = self._sources.unknown(number, tool, _NEEDED if needed else _ASKED)
            if unknown is not None:
                return Found(Reason.UNSCORED, f"{call.name}: where {unknown} comes from cannot be told")
            if not needed and not self._is_said_together(number):
                return Found(Reason.UNSCORED, f"{call.name}: no paragraph says both the deed and its values")
        return None

    def _is_said_together(self, number: int) -> bool:
        """Tell whether one paragraph names the deed of a call, and all of its values that the goal says."""
        tool = self._tool(number)
        own = [value for _, value, origin in self._sources.origins(number, tool) if origin is Origin.GOAL]
        words = self._deeds(number) | tool.named
        return any(
            words & paragraph.words and all(self._sources.says(paragraph, tool, *value) for value in own)
            for paragraph in self._request.paragraphs
        )

    def _is_needed(self, number: int) -> bool:
        """Tell whether a call is a means: without it one that is asked for, or another means, would not have its effect."""
        later = self._performed.needed_for.get(number, frozenset[int]())
        return any(n in self._asked or n not in self._effects or self._is_needed(n) for n in later)


def _in_pieces(texts: Iterable[str], value: str) -> bool:
    """Tell whether texts hold a value, a path also step by step."""
    parts = [part for part in value.split("/") if part] or [value]
    return all(any(holds_value(text, part) for text in texts) for part in parts)


def _some(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)[:3])
