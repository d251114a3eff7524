"""How many requests, tokens and dollars follow from what is known of a run: what is likely, and what is the most.

All that is assumed stands here. Nothing is known of answers before they are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agenther.config import Config
from agenther.jobs.foresight import Foreseen, Note
from agenther.llm.base import AskedBy, Usage
from agenther.llm.models import Model
from agenther.llm.structured import SHOWN_AGAIN
from agenther.stages.relabel.model import TOLD_AGAIN
from agenther.stages.showing import INSTRUCTION_TOKENS, room_for_run

TYPICAL_TOKENS: dict[AskedBy, int] = {
    AskedBy.DETECT: 150,
    AskedBy.EXTRACT: 300,
    AskedBy.PROPOSE: 300,
    AskedBy.JUDGE: 100,
}
"""Tokens of an answer of each stage: a verdict with one sentence, one goal or three claims with two quotes each."""
TOLD_TOKENS = TOLD_AGAIN + 200
"""Most tokens of earlier refusals, or of claims, in a prompt: one for each character, and the marks around them."""
REPAIR_TOKENS = SHOWN_AGAIN + 1_000
"""Most tokens that a repair turn adds: one for each character of the answer shown, and what is wrong with it."""


class Share(NamedTuple):
    """Requests of one stage to one model."""

    asked_by: AskedBy
    model: str
    requests: int
    usage: Usage


class Forecast:
    """Says what runs will take, with one job's settings."""

    def __init__(self, config: Config, models: Mapping[str, Model]) -> None:
        self._config = config
        self._needed = len(config.judges) if config.quorum is None else config.quorum
        self._rooms = {name: room_for_run(config, models[name]) + INSTRUCTION_TOKENS for name in config.judges}

    def likely(self, seen: Foreseen) -> Iterator[Share]:
        """Yield what a run takes if it goes well from here: one round, one goal, every judge that is needed consents once."""
        by_rules = self._config.propose == "rules"
        judges = self._config.judges
        for note in seen.unanswered:
            if note.asked_by is AskedBy.JUDGE and by_rules and judges.index(note.model) >= self._needed:
                continue
            yield self._once(note.asked_by, note.model, note.tokens)
        if not seen.unanswered or by_rules:
            return
        last = seen.unanswered[-1]
        first = judges.index(last.model) + 1 if last.asked_by is AskedBy.JUDGE else 0
        if last.asked_by in (AskedBy.PROPOSE, AskedBy.JUDGE):
            for name in judges[first : self._needed]:
                yield self._once(AskedBy.JUDGE, name, self.judged_tokens(seen, name))

    def at_most(self, seen: Foreseen) -> Iterator[Share]:
        """Yield what a run can take: all rounds, all goals, every judge, answers at full length, each asked for twice."""
        paid = Counter((note.asked_by, note.model) for note in seen.answered)
        for note in seen.unanswered:
            if note.asked_by in (AskedBy.DETECT, AskedBy.EXTRACT):
                yield self._twice(note, 1, paid)
        if self._config.propose == "rules":
            for note in seen.unanswered:
                if note.asked_by is AskedBy.JUDGE:
                    yield self._twice(note, 1, Counter())
        elif any(note.asked_by in (AskedBy.PROPOSE, AskedBy.JUDGE) for note in seen.unanswered):
            yield from self._all_rounds(seen, paid)

    def judged_tokens(self, seen: Foreseen, judge: str) -> int:
        """Return the tokens of a prompt that shows a judge the whole run, or as much as it has room for."""
        return min(seen.judged_tokens, self._rooms[judge])

    def _all_rounds(self, seen: Foreseen, paid: Counter[tuple[AskedBy, str]]) -> Iterator[Share]:
        config = self._config
        proposed = [note for note in (*seen.answered, *seen.unanswered) if note.asked_by is AskedBy.PROPOSE]
        longest = max(proposed, key=lambda note: note.tokens)
        told = TOLD_TOKENS * ((config.attempts > 1) + (config.extract == "llm"))
        yield self._twice(longest, config.attempts, paid, told)
        written = 2 * config.attempts * (seen.goal_places + 1) * config.answer_tokens
        for name in config.judges:
            note = Note(AskedBy.JUDGE, name, "", self.judged_tokens(seen, name))
            yield self._twice(note, config.attempts * config.goals_per_call, paid, written=written)

    def _once(self, asked_by: AskedBy, model: str, tokens: int) -> Share:
        answer = min(TYPICAL_TOKENS[asked_by], self._config.answer_tokens)
        return Share(asked_by, model, 1, Usage(prompt_tokens=tokens, completion_tokens=answer))

    def _twice(
        self, note: Note, times: int, paid: Counter[tuple[AskedBy, str]], told: int = 0, written: int = 0
    ) -> Share:
        """Return the most that is left of some questions, each with a repair turn, where some were paid for.

        Args:
            note: the question.
            times: how often one like it is asked.
            paid: answers that were given already.
            told: tokens that each of them may have more.
            written: tokens that all of them together may have more: a goal is written into the run that a judge sees.
        """
        left = max(0, 2 * times - paid[note.asked_by, note.model])
        prompt = left * (note.tokens + told) + min(times, left) * REPAIR_TOKENS + (written if left else 0)
        usage = Usage(prompt_tokens=prompt, completion_tokens=left * self._config.answer_tokens)
        return Share(note.asked_by, note.model, left, usage)
