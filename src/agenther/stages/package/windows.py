"""Windows of an example that is longer than a trainer takes: the goal again, some steps as context, a stretch that is trained.

Steps stay whole: a call and its results are never parted, and no word is added. Every step that carries loss is trained in
one window or named among those left out, with the reason. A window must not teach to invent: a step that uses what only
left-out steps say is not trained in it, nor is one before which a turn of the user would be missing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Literal, NamedTuple

import orjson

from agenther.conclusions import Example
from agenther.record import Json, JsonObject
from agenther.stages.language.words import FUNCTION_WORDS, REQUEST_WORDS
from agenther.writers.lengths import Measure
from agenther.writers.turns import calls_of, function_of

Unfit = Literal["too_long", "unseen", "user_turn"]
"""Why a step is trained in no window: it does not fit, it uses what no window can show, or a user's turn would be missing."""

_WORD = re.compile(r"\w+")
_COMMON = FUNCTION_WORDS | REQUEST_WORDS
_SPECIFIC = re.compile(r"\w*[\d_]\w*|(?<=[\w,;:] )[A-Z]\w*|(?<=[\"'`“‘])[^\"'`“”‘’\n]{1,80}(?=[\"'`”’])")
"""In prose: numbers and identifiers, names inside a sentence, and what stands in quotes."""
_LONGEST_VALUE = 200
"""Characters of an argument that is looked for as a whole."""


class Window(NamedTuple):
    """A part of an example, to be trained by itself."""

    example: Example
    facts: Mapping[str, Json]
    """Which part of what: `example`, `window` and `windows`."""


class Split(NamedTuple):
    """What became of a long example."""

    windows: tuple[Window, ...]
    left_out: Mapping[Unfit, tuple[int, ...]]
    """Steps that carry loss and are in no window."""


def split(example: Example, measure: Measure, most: int) -> Split:
    """Return an example as windows of at most some tokens; as itself where it fits.

    Args:
        example: the example.
        measure: counts the tokens of its messages.
        most: most tokens of a window.
    """
    plan = _Plan(example, measure, most)
    if plan.fits_whole:
        return Split((Window(example, {}),), {})
    found = list(plan.windows())
    made = tuple(
        Window(part, {"example": example.id, "window": number, "windows": len(found)})
        for number, part in enumerate((plan.part(*bounds, number) for number, bounds in enumerate(found, 1)), 1)
    )
    return Split(made, {why: tuple(steps) for why, steps in plan.left_out.items()})


class _Block(NamedTuple):
    """A turn of the agent and all that comes before its next one."""

    start: int
    end: int
    trained: bool


class _Plan:
    """Where the windows of an example begin and end.

    A window is three numbers of blocks: the first that is shown, the first that is trained, one past the last trained.
    """

    def __init__(self, example: Example, measure: Measure, most: int) -> None:
        self._example, self._most = example, most
        self._messages = example.messages
        self._upto = [measure.around(example.tools), *map(measure.message, example.messages)]
        self._upto = list(accumulate(self._upto))
        starts = [n for n, m in enumerate(self._messages) if m["role"] == "assistant"]
        self._head = next((n for n in starts if n > self._goal_at), len(self._messages))
        starts = [n for n in starts if n >= self._head]
        ends = [*starts[1:], len(self._messages)]
        self._blocks = [_Block(n, end, self._carries(n)) for n, end in zip(starts, ends, strict=True)]
        self.left_out: dict[Unfit, list[int]] = {}

    @property
    def fits_whole(self) -> bool:
        """Whether all that is trained fits, with what stands before it."""
        last = max((n for n in range(len(self._messages)) if self._carries(n)), default=-1)
        return self._upto[last + 1] <= self._most

    def windows(self) -> Iterator[tuple[int, int, int]]:
        """Yield the windows; steps that are in none are noted in `left_out`."""
        self._note("too_long", (n for n in range(self._head) if self._carries(n)))
        first = self._next_trained(0)
        while first < len(self._blocks):
            shown = self._first_shown(first, 0.5)
            wide = self._first_shown(first, 1.0)
            if shown is None or wide is None:
                why: Unfit | None = "too_long"
            else:
                why = self._why_unseen(shown, first)
                if why is not None and wide < shown:
                    shown, why = wide, self._why_unseen(wide, first)
                if why is None:
                    end = self._end(shown, first)
                    yield shown, first, end
                    first = self._next_trained(end)
                    continue
            self._note(why, [self._blocks[first].start])
            first = self._next_trained(first + 1)

    def part(self, shown: int, first: int, end: int, number: int) -> Example:
        """Return a window as an example; what came back after its last trained turn is no part of it."""
        start = self._blocks[shown].start
        trained = [self._step(block.start) for block in self._blocks[first:end] if block.trained]
        return self._example.model_copy(
            update={
                "id": f"{self._example.id}-{number}",
                "messages": (*self._messages[: self._head], *self._messages[start : self._blocks[end - 1].start + 1]),
                "train_on": tuple(step for step in self._example.train_on if step in trained),
            }
        )

    def _first_shown(self, first: int, share: float) -> int | None:
        """Return the first block shown before one that is trained; None where that does not fit even alone.

        Args:
            first: the first block that is trained.
            share: most of the room that context may take.
        """
        room = self._most - self._upto[self._head]
        if self._tokens(first, first + 1) > self._most:
            return None
        shown = first
        while shown > 0:
            context = self._upto[self._blocks[first].start] - self._upto[self._blocks[shown - 1].start]
            if context > share * room or self._tokens(shown - 1, first + 1) > self._most:
                break
            shown -= 1
        return shown

    def _end(self, shown: int, first: int) -> int:
        """Return one past the last block that fits and is trained, before any that uses what is not shown."""
        end = first + 1
        for n in range(first + 1, len(self._blocks)):
            if self._tokens(shown, n + 1) > self._most:
                break
            if not self._blocks[n].trained:
                continue
            if self._why_unseen(shown, n) is not None:
                break
            end = n + 1
        return end

    def _tokens(self, shown: int, end: int) -> int:
        """Return the tokens of the head and of blocks up to the agent's turn of the last one."""
        stretch = self._upto[self._blocks[end - 1].start + 1] - self._upto[self._blocks[shown].start]
        return self._upto[self._head] + stretch

    def _why_unseen(self, shown: int, n: int) -> Unfit | None:
        """Return why a block may not be trained in a window that begins with `shown`; None where it may."""
        if shown == 0:
            return None
        start, own = self._blocks[shown].start, self._blocks[n].start
        if _any_within(self._user_turns, self._head, start):
            return "user_turn"
        if any(self._is_lost(word, start, own) for word in self._used(own)):
            return "unseen"
        values = (value.casefold() for value in _values(self._messages[own]))
        return "unseen" if any(self._is_value_lost(value, start, own) for value in values) else None

    def _is_lost(self, word: str, start: int, own: int) -> bool:
        """Tell whether a word stands in messages that are not shown, and in none that is.

        Args:
            word: the word.
            start: the first message shown after the head.
            own: the message of the turn that uses it.
        """
        places = self._places.get(word, ())
        if not _any_within(places, self._head, start) or word in self._tool_words:
            return False
        return not _any_within(places, 0, self._head) and not _any_within(places, start, own)

    def _is_value_lost(self, value: str, start: int, own: int) -> bool:
        """Tell whether a value stands in messages that are not shown, and in none that is; arguments as for `_is_lost`."""
        text, at = self._all_text
        if text.find(value, at[start], at[own]) >= 0 or text.find(value, 0, at[self._head]) >= 0:
            return False
        return text.find(value, at[self._head], at[start]) >= 0

    def _used(self, n: int) -> frozenset[str]:
        """Return the words of an agent's turn that it must know from somewhere: of thoughts beside calls the specific ones."""
        message = self._messages[n]
        if not calls_of(message):
            return self._words[n]
        specific = " ".join(_SPECIFIC.findall(_prose_of(message)))
        return _words_of("\n".join((specific, *_values(message, whole=True))))

    @cached_property
    def _user_turns(self) -> list[int]:
        """Messages after the head that are the user's, and not results that came back in the user's name."""
        found: list[int] = []
        spoke: Json = None
        for n, message in enumerate(self._messages[self._head :], self._head):
            if message["role"] == "assistant":
                spoke = message["step"]
            elif message["role"] == "user" and message["step"] != spoke:
                found.append(n)
        return found

    @cached_property
    def _goal_at(self) -> int:
        """The message that says the goal; -1 where none but the user's turns together do."""
        goal = self._example.hindsight_goal
        return next(
            (n for n, m in enumerate(self._messages) if m["role"] != "assistant" and goal in str(m["content"])), -1
        )

    @cached_property
    def _texts(self) -> list[str]:
        return [_text_of(message).casefold() for message in self._messages]

    @cached_property
    def _words(self) -> list[frozenset[str]]:
        return [_words_of(text) for text in self._texts]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Each word with the messages that hold it."""
        places: dict[str, list[int]] = {}
        for n, words in enumerate(self._words):
            for word in words:
                places.setdefault(word, []).append(n)
        return places

    @cached_property
    def _all_text(self) -> tuple[str, list[int]]:
        """What all messages say, one after the other, and where each begins."""
        lines = [f"{text}\n" for text in self._texts]
        return "".join(lines), list(accumulate(map(len, lines), initial=0))

    @cached_property
    def _tool_words(self) -> frozenset[str]:
        return _words_of(self._example.tools)

    def _next_trained(self, n: int) -> int:
        return next((i for i in range(n, len(self._blocks)) if self._blocks[i].trained), len(self._blocks))

    def _carries(self, n: int) -> bool:
        return self._messages[n]["role"] == "assistant" and self._step(n) in self._example.train_on

    def _step(self, n: int) -> Json:
        return self._messages[n]["step"]

    def _note(self, why: Unfit, places: Iterator[int] | list[int]) -> None:
        steps = [step for n in places if isinstance(step := self._step(n), int)]
        if steps:
            self.left_out.setdefault(why, []).extend(steps)


def _any_within(places: Sequence[int], start: int, end: int) -> bool:
    """Tell whether some of ordered places lie in a range."""
    n = bisect_left(places, start)
    return n < len(places) and places[n] < end


def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold())) - _COMMON


def _prose_of(message: JsonObject) -> str:
    return "\n".join(str(message.get(key) or "") for key in ("content", "reasoning_content"))


def _text_of(message: JsonObject) -> str:
    """Return all that a message says, values of arguments unescaped."""
    return "\n".join((_prose_of(message), *_values(message, whole=True)))


def _values(message: JsonObject, *, whole: bool = False) -> Iterator[str]:
    """Yield the values of the arguments of a message's calls; long texts only where wholly wanted."""
    for call in calls_of(message):
        written = str(function_of(call).get("arguments", ""))
        try:
            given: Json = orjson.loads(written)
        except orjson.JSONDecodeError:
            given = written
        for value in _leaves(given):
            if whole or 1 < len(value) <= _LONGEST_VALUE:
                yield value


def _leaves(value: Json) -> Iterator[str]:
    match value:
        case dict():
            for member in value.values():
                yield from _leaves(member)
        case list():
            for member in value:
                yield from _leaves(member)
        case bool() | None:
            return
        case _:
            yield str(value)
