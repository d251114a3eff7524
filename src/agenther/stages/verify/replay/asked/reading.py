"""Whether a goal asks for what calls did, part by part: all of it, and nothing beside it.

Precision before yield: what cannot be told refuses. A call is *asked for* when its values come from the goal or from what came
back, and the words of its part speak of its tool. It is a *means* when one that is asked for would fail without it, or has a
value from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from agenther.conclusions import Reason
from agenther.record import JsonObject, canonical_json
from agenther.replay import Change
from agenther.stages.verify.replay.asked.accounted import Accounts, unaccounted
from agenther.stages.verify.replay.asked.calls import Leaf, Made, calls_of, equal, leaves
from agenther.stages.verify.replay.asked.facts import Text
from agenther.stages.verify.replay.asked.lexicon import WH, deeds_in, deeds_of, lexicon, stems_of, wide
from agenther.stages.verify.replay.asked.origins import Origins
from agenther.stages.verify.replay.asked.requests import Asked, requests
from agenther.stages.verify.replay.asked.roles import unclear_roles
from agenther.stages.verify.replay.asked.sentences import Sentences
from agenther.stages.verify.replay.asked.things import current_places, things_in
from agenther.stages.verify.replay.asked.toolbox import Tool, Toolbox
from agenther.stages.verify.replay.asked.values import Known, unused_value
from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.policy import Policy, default_policy

_HOW_MANY = re.compile(r"how (?:many|much)", re.IGNORECASE)
_TO_KNOW = frozenset({"look", "find", "estimate", "compute", "convert", "count"})

_SHOWING = _TO_KNOW | {"compare", "sort"}
"""Groups of verbs for tools that look: what they are called need not be said."""


@dataclass(frozen=True)
class Found:
    """Why a goal does not ask for what was done."""

    reason: Reason
    why: str


class Reading:
    """A goal beside a replay."""

    def __init__(
        self,
        goal: str,
        performed: Performed,
        tools: Sequence[JsonObject] = (),
        policy: Policy | None = None,
        turns: Sequence[tuple[int, str]] = (),
    ) -> None:
        asked = list(turns) if len(turns) > 1 else [(0, goal)]
        self._parts = [Text(text) for _, text in asked]
        self._calls = calls_of(performed, [step for step, _ in asked])
        self._tools = Toolbox(tools, (call.name for call in self._calls))
        self._things = things_in(performed.initial, self._tools.vocabulary)
        self._places = current_places(performed.initial)
        self._origins = Origins(self._parts, self._calls, self._tools, self._things)
        self._policy, self._performed = policy or default_policy(), performed

    def refusal(self) -> Found | None:
        """Return why the goal does not ask for what was done; None when it does, as far as words show."""
        if not self._calls:
            return Found(Reason.NOT_TRUE, "nothing was done")
        looks = (self._ignored_error, self._unasked_change, self._done_twice)
        found = next((one for look in looks if (one := look()) is not None), None)
        if found is not None:
            return found
        return next((one for n in range(len(self._parts)) if (one := self._unanswered(n)) is not None), None)

    def unasked(self) -> Found | None:
        """Return a change that the goal does not ask for; None when it asks for all of them, as far as words show."""
        return self._unasked_change() or self._done_twice()

    def names(self, change: Change) -> bool:
        """Tell whether the goal names a change: a call that it asks for made it, and it says its value or its place."""
        if change.call is None or change.call not in self.asked:
            return False
        text = self._parts[self._calls[change.call].part]
        keys = (key.replace("~1", "/").replace("~0", "~") for key in change.path.split("/"))
        if any(text.where(key) for key in keys if key and not key.isdigit()):
            return True
        value = change.before if change.how == "removed" else change.after
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        if text.where(value):
            return True
        before = change.before
        if isinstance(value, str) or isinstance(before, bool) or not isinstance(before, int | float):
            return False
        return bool(text.where(abs(value - before)))

    @cached_property
    def asked(self) -> frozenset[int]:
        """Positions of the calls that the goal asks for."""
        return frozenset(
            call.number
            for call in self._calls
            if self._why_unclear(call) is None
            and not self._origins.of[call.number].is_means
            and not call.came_to_nothing
            and self._speaks(call, self._parts[call.part], 0, len(self._parts[call.part].text))
        )

    @cached_property
    def _served(self) -> tuple[Made, ...]:
        """The calls that are asked for, and their means."""
        return tuple(
            call
            for call in self._calls
            if call.number in self.asked
            or (self._why_unclear(call) is None and (call.changed or self._feeds(call.number)))
        )

    @cached_property
    def _unclear(self) -> tuple[str | None, ...]:
        return tuple(
            grounds.why_not or unclear_roles(call, self._tools, grounds, self._parts)
            for call, grounds in zip(self._calls, self._origins.of, strict=True)
        )

    def _why_unclear(self, call: Made) -> str | None:
        return self._unclear[call.number]

    def _ignored_error(self) -> Found | None:
        for call in self._calls:
            later = (one for one in self._calls if one.number > call.number and one.part == call.part)
            if call.failed and not any(one.name == call.name and not one.failed for one in later):
                return Found(Reason.NOT_TRUE, f"{call.name} failed and was not made again")
        return None

    def _unasked_change(self) -> Found | None:
        for call in self._calls:
            if not call.changed or call.number in self.asked:
                continue
            paths = tuple(change.path for change in self._performed.made[call.number])
            if (harm := self._policy.harms(call.name, paths)) is not None:
                return Found(Reason.SIDE_EFFECT, f"{call.name} does harm that the goal does not ask for: {harm[:80]}")
            why, is_means = self._why_unclear(call), self._is_means(call.number)
            may_stand = self._policy.ignores(call.name) and (why is None or self._policy.other == "list")
            if (why is None and is_means) or may_stand:
                continue
            text = self._parts[call.part]
            if why is not None and (is_means or self._speaks(call, text, 0, len(text.text))):
                return Found(Reason.UNSCORED, f"{call.name} changed something: {why}")
            return Found(Reason.SIDE_EFFECT, f"{call.name} changed something that the goal does not ask for")
        return None

    def _done_twice(self) -> Found | None:
        seen: set[tuple[int, str, bytes]] = set()
        for call in self._calls:
            key = (call.part, call.name, canonical_json(call.arguments))
            if call.changed and key in seen:
                return Found(Reason.SIDE_EFFECT, f"{call.name} was made twice")
            seen.add(key)
            if any(self._is_said_once(call, one) for one in self._calls[: call.number]):
                return Found(Reason.SIDE_EFFECT, f"{call.name} was made twice for what is asked once")
        return None

    def _is_said_once(self, a: Made, b: Made) -> bool:
        """Tell whether two calls that changed something have all their values from the same places of the goal."""
        if not (a.changed and b.changed) or (a.name, a.part) != (b.name, b.part):
            return False
        one, other = ({(r.part, r.places) for r in self._origins.of[call.number].roots.values()} for call in (a, b))
        return bool(one) and one == other

    def _unanswered(self, part: int) -> Found | None:
        """Return what a part says that no call does."""
        text = self._parts[part]
        asked = [call for call in self._calls if call.part == part and call.number in self.asked]
        if not asked:
            return Found(Reason.NOT_TRUE, f"nothing was done for {text.text.strip()[:60]!r}")
        served = [call for call in self._served if call.part <= part]
        rounded = any(self._origins.of[call.number].rounded for call in served if call.part == part)
        known = Known(served, self._tools, self._things, self._places, rounded)
        if (value := self._unused(part, known)) is not None:
            return Found(Reason.NOT_TRUE, f"the goal says {value[:60]!r}, and no call does")
        roots = {call.number: list(self._roots(call, part)) for call in asked}
        sentences = Sentences(text, asked, served, self._tools, roots)
        if (verb := sentences.undone(rounded)) is not None:
            is_read = sentences.is_read(verb)
            reason = Reason.NOT_TRUE if is_read else Reason.UNSCORED
            return Found(reason, f"{verb!r}: " + ("no call does it" if is_read else "cannot be read"))
        if (sentence := sentences.without_call(self._speaks, rounded)) is not None:
            return Found(Reason.NOT_TRUE, f"no call for {sentence[:80]!r}")
        better = sentences.better(self._speaks) or sentences.named()
        if better is not None:
            return Found(Reason.NOT_TRUE, f"{better} is spoken of, which was not called")
        if not any(call.changed for call in asked):
            return None
        changes = [change for call in served for change in self._performed.made[call.number]]
        why = unaccounted(text, Accounts(served, changes, self._tools, rounded))
        return None if why is None else Found(Reason.UNSCORED, why)

    def _unused(self, part: int, known: Known) -> str | None:
        return unused_value(part, self._parts[part], known)

    def _roots(self, call: Made, part: int) -> Iterable[int]:
        roots = self._origins.of[call.number].roots.values()
        return (place for root in roots if root.part == part for place in root.places)

    def _is_means(self, number: int, above: frozenset[int] = frozenset()) -> bool:
        """Tell whether a call that is asked for, or another means, would not have its effect without a call."""
        later = self._performed.needed_for.get(number, frozenset[int]()) - above
        return any(n in self.asked or self._is_means(n, above | {number}) for n in later)

    def _feeds(self, number: int) -> bool:
        """Tell whether a value that came back is a value of a later call that serves the goal."""
        shown = [leaf for _, leaf in self._calls[number].shown if leaf not in (None, "") and not isinstance(leaf, bool)]
        return any(
            (call.number in self.asked or call.changed or self._feeds(call.number)) and self._has_any(call, shown)
            for call in self._calls[number + 1 :]
            if not call.failed
        )

    def _has_any(self, call: Made, shown: Sequence[Leaf]) -> bool:
        values = [leaf for _, leaf in leaves(call.arguments)]
        return any(equal(a, b) or self._origins.is_rounded(call, a, b) for a in shown for b in values)

    def _speaks(self, call: Made, text: Text, start: int, end: int) -> bool:
        """Tell whether a part, or a sentence of it, speaks of the tool of a call: of what it does, and of what it deals with."""
        tool, words = self._tools[call.name], text.words
        asking = requests(text, frozenset(self._tools.tools))
        said, deeds = wide(words), deeds_in(words) if call.changed else _deeds_of(asking)
        is_question = text.text.rstrip().endswith("?") and all(one.is_light for one in asking)
        if _HOW_MANY.search(text.text) or WH.search(text.text) or is_question:
            deeds |= _TO_KNOW
        if len(tool.nouns) > 1 and tool.nouns <= said and not (call.changed and self._shares_nouns(tool, said)):
            return True
        leaves_something = call.changed or not tool.deeds & _SHOWING
        if leaves_something and tool.known_nouns and not tool.known_nouns & said:
            plain = deeds_in(one.stem for one in asking if not one.is_light)
            if not tool.deeds & plain or not self._is_spelt_out(call):
                return False
        if any(value is True and stems_of(name) <= words for name, value in call.arguments.items()):
            return True
        by_name = frozenset(word for word in tool.named & words if deeds_of(word))
        if not tool.deeds & deeds and not by_name:
            return False
        matter = frozenset(w for w in tool.words if not deeds_of(w)) - lexicon().light - lexicon().common
        if matter & said or (tool.named & words) - lexicon().light - lexicon().common:
            return True
        listed = any(
            isinstance(value, str) and name in tool.parameters and tool.parameters[name].lists(value)
            for name, value in call.arguments.items()
        )
        return (call.changed or not tool.own or listed) and any(
            start <= at < end for at in self._roots(call, call.part)
        )

    def _is_spelt_out(self, call: Made) -> bool:
        """Tell whether every value of a call is said in its part."""
        roots = self._origins.of[call.number].roots
        return bool(call.arguments) and all(
            name in roots and roots[name].direct and roots[name].part == call.part for name in call.arguments
        )

    def _shares_nouns(self, tool: Tool, said: frozenset[str]) -> bool:
        """Tell whether a text speaks as much of another tool that deals with the same."""
        others = (one for one in self._tools.tools.values() if one.name != tool.name)
        return any(one.nouns & tool.nouns and one.nouns <= said for one in others)


def _deeds_of(asking: Iterable[Asked]) -> frozenset[str]:
    """Return the deeds that are asked for: those of verbs, and of the words behind verbs that have none of their own."""
    verbs = frozenset(one.stem for one in asking if not one.is_light)
    behind = (one.behind for one in asking if one.is_light or one.stem in lexicon().operating)
    return deeds_in(verbs | frozenset(word for text in behind for word in stems_of(text)))
