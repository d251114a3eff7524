"""Does a sentence say what calls did, all of it and no more: its words against the diff, in both directions.

Replay shows that the calls reach a state. That the sentence means this state is a matter of its words: what this file cannot
read it leaves unscored, which refuses as surely as what it finds false, and is counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from agenther.conclusions import Reason, Score
from agenther.record import JsonObject
from agenther.replay import Change
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.words import is_base_verb, tokens
from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.policy import Policy, default_policy
from agenther.stages.verify.replay.request import Request, Sentence, holds_value
from agenther.stages.verify.replay.sources import Origin, Sources, argument_texts
from agenther.stages.verify.replay.tools import Tool, Toolbox, canonical, words_of

BY = "check:replay.sentence"
_ASKED = frozenset({Origin.GOAL, Origin.EARLIER, Origin.STATE})
_NEEDED = _ASKED | {Origin.SCHEMA}
_COURTESY = frozenset(
    """
    ask assist be can could do ensure get give go have help hope know let like look love make may need please proceed see share
    should take tell thank think try use want will wish would wonder
    """.split()
)
"""Verbs that say how something is asked for, not what."""


@dataclass(frozen=True)
class Found:
    """Why a sentence does not say what was done."""

    reason: Reason
    why: str


def says(goal: str, performed: Performed, tools: Sequence[JsonObject] = (), policy: Policy | None = None) -> Score:
    """Compare a goal's sentence with what a replay shows.

    The vote is 1 when the sentence asks for every call that changed something, and every value and deed that it names is
    found in the calls; 0 with `Reason.UNSCORED` when it cannot be read, 0 with another reason when it says something else.
    No vote at all (`value` None, no reason) when the run changed nothing: then replay shows no more than that the
    observations come back the same, and abstains.

    Args:
        goal: a human's or a proposer's, one sentence or several.
        performed: what `replay_run` found.
        tools: schemas of the tools that the agent had, OpenAI form; they say what calls are for.
        policy: what side effects are harmful; the default one when None.
    """
    reading = _Reading(Request(goal), performed, Toolbox(tools, (c.name for c in performed.replay.calls)), policy)
    found = reading.refusal()
    named, aside = reading.sorted_changes()
    replay = performed.replay.model_copy(update={"named": named, "side_effects": aside})
    if found is not None:
        return Score(by=BY, value=0.0, reason=found.reason, explanation=found.why, replay=replay)
    n_calls, n_effects = len(replay.calls), len(replay.oracle)
    if not replay.changes:
        why = f"abstains: {n_calls} calls change nothing; shown is only that what they observe comes back the same"
        return Score(by=BY, value=None, explanation=why, replay=replay)
    shown = (
        f"shown by execution: {n_effects} of {n_calls} calls reach the end state, doing nothing does not; by words alone: "
        f"the goal names {len(named)} of {len(replay.changes)} changes, {len(aside)} are side effects"
    )
    return Score(by=BY, value=1.0, explanation=shown, replay=replay)


class _Reading:
    """One goal beside one replay."""

    def __init__(self, request: Request, performed: Performed, tools: Toolbox, policy: Policy | None) -> None:
        self._request, self._performed, self._tools = request, performed, tools
        self._policy = policy or default_policy()
        self._sources = Sources(request, performed)

    def refusal(self) -> Found | None:
        """Return why the goal does not say what was done; None when it does, as far as words show."""
        if not self._request.sentences:
            return Found(Reason.UNSCORED, "the goal cannot be read: it says nothing outside of quotation marks")
        for look in (self._harm, self._unsaid_values, self._missing_deeds, self._unread, self._unasked):
            if (found := look()) is not None:
                return found
        return None

    def sorted_changes(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the positions of the changes that the goal names, and of the others."""
        changes = self._performed.replay.changes
        named = tuple(number for number, change in enumerate(changes) if self._is_named(change))
        return named, tuple(number for number in range(len(changes)) if number not in named)

    @cached_property
    def _worked(self) -> tuple[int, ...]:
        """Positions of the calls that changed something or came back without an error."""
        calls = self._performed.replay.calls
        return tuple(n for n, call in enumerate(calls) if call.changed or not is_error(self._performed.observations[n]))

    @cached_property
    def _words_of_arguments(self) -> frozenset[str]:
        calls = [self._performed.replay.calls[number] for number in self._worked]
        return words_of(" ".join(text for call in calls for text in argument_texts(call.arguments)))

    @cached_property
    def _called(self) -> frozenset[str]:
        return frozenset(self._performed.replay.calls[number].name for number in self._worked)

    @cached_property
    def _asked(self) -> frozenset[int]:
        """Positions of the effect calls whose deed the goal names."""
        oracle, words = self._performed.replay.oracle, self._request.words
        return frozenset(n for n in oracle if self._tool(n).deeds & words)

    def _tool(self, number: int) -> Tool:
        return self._tools.tools[self._performed.replay.calls[number].name]

    def _harm(self) -> Found | None:
        """Look for harmful calls that the goal does not ask for."""
        for number in self._performed.replay.oracle:
            if number not in self._asked:
                call = self._performed.replay.calls[number].name
                paths = tuple(change.path for change in self._performed.made[number])
                if (harm := self._policy.harms(call, paths)) is not None:
                    return Found(Reason.SIDE_EFFECT, f"{call} does harm that the goal does not ask for: {harm[:80]}")
        return None

    def _unsaid_values(self) -> Found | None:
        """Look for values of the goal that no call has."""
        calls = [self._performed.replay.calls[number] for number in self._worked]
        texts = [text for call in calls for text in argument_texts(call.arguments)]
        texts += [str(change.after) for change in self._performed.replay.changes if change.after is not None]
        for value in (*self._request.quoted, *self._request.values):
            parts = [part for part in value.split("/") if part] or [value]
            if not all(any(holds_value(text, part) for text in texts) for part in parts) and not self._is_word(value):
                return Found(Reason.NOT_TRUE, f"the goal says {value[:60]!r}, and no call does")
        return None

    def _is_word(self, value: str) -> bool:
        """Tell whether a name inside the goal is a word of a tool that was called, or of a key that a value stands under."""
        if any(letter.isdigit() for letter in value) or value in self._request.quoted:
            return False
        words = {canonical(word) for word in tokens(value)}
        known = [self._tools.tools[name] for name in self._called]
        if any(words <= (tool.named | tool.described) for tool in known):
            return True
        return self._sources.names_key(value)

    def _missing_deeds(self) -> Found | None:
        """Look for verbs of the goal that speak of tools which were not called."""
        for word in sorted(self._request.words):
            meant = self._tools.meant_by(word)
            does = self._tools.doing(word)
            if does and not meant & self._called:
                return Found(Reason.NOT_TRUE, f"{word!r} speaks of {_some(does)}, which did not happen")
        return None

    def _unread(self) -> Found | None:
        """Look for requests that no tool is found for."""
        for sentence in self._request.sentences:
            if not sentence.asks:
                continue
            meant = [tool for name in self._called if (tool := self._tools.tools[name]).mentioned(sentence.words)]
            if not meant:
                return Found(Reason.UNSCORED, f"no call is found for {sentence.text[:80]!r}")
            said = _COURTESY | self._words_of_arguments
            unread = [word for word in _verbs(sentence) if word not in said and not self._tools.meant_by(word)]
            if unread:
                return Found(Reason.UNSCORED, f"what {unread[0]!r} asks for cannot be told")
        return None

    def _unasked(self) -> Found | None:
        """Look for calls that the goal does not ask for, and for values that it does not say."""
        calls = self._performed.replay.calls
        for number in self._performed.replay.oracle:
            call, tool = calls[number], self._tool(number)
            if number in self._asked:
                unknown = self._sources.unknown(number, tool, _ASKED)
                if unknown is not None:
                    return Found(Reason.UNSCORED, f"{call.name}: where {unknown} comes from cannot be told")
            elif self._is_needed(number):
                if (unknown := self._sources.unknown(number, tool, _NEEDED)) is not None:
                    return Found(Reason.UNSCORED, f"{call.name}: where {unknown} comes from cannot be told")
            elif not self._policy.ignores(call.name):
                return Found(Reason.SIDE_EFFECT, f"{call.name} changed something that the goal does not ask for")
        return None

    def _is_needed(self, number: int) -> bool:
        """Tell whether a call is a means: without it one that is asked for, or another means, would not have its effect."""
        later = self._performed.needed_for.get(number, frozenset[int]())
        return any(n in self._asked or self._is_needed(n) for n in later)

    def _is_named(self, change: Change) -> bool:
        if change.call is None or change.call not in self._asked:
            return False
        value = change.before if change.how == "removed" else change.after
        if any(not key.isdigit() and self._request.names(key) for key in change.path.split("/") if key):
            return True
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        before = change.before
        by = value - before if isinstance(value, int | float) and isinstance(before, int | float) else value
        return self._request.names(value) or self._request.names(by)


def _verbs(sentence: Sentence) -> list[str]:
    """Return the words of a sentence that a lexicon knows as verbs, in one order."""
    return sorted(word for word in sentence.words if is_base_verb(word))


def _some(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)[:3])
