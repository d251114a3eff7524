"""What still speaks of the old goal: which words give it away, and how to take their sentences out.

Only whole sentences are deleted, only from thoughts and prose, never from actions; nothing is ever added.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from agenther.stages.language.words import content_stems, sentences

FAILURE = re.compile(
    r"\b(?:sorry|apologi[sz]e|apologies|unfortunately|unable to|(?:could|can|did|does|do|was|is|were|has|have)(?:n['’]t| not)\b"
    r"|cannot|fail(?:s|ed|ure)?|wrong|incorrect(?:ly)?|mistake[ns]?|errors?|invalid|did ?n['’]t work|try again|retry|instead"
    r"|give up|another approach|unsuccessful(?:ly)?|empty|nothing|unexpected(?:ly)?"
    r"|no (?:results?|rows?|output|match(?:es)?|data|such))\b",
    re.IGNORECASE,
)
REFERS_BACK = re.compile(
    r"\b(?:still|again|also|another|other|previous(?:ly)?|earlier|before|this time|returned|last|correct(?:ed|ly)?|as an action"
    r"|(?:add|change|fix|do) (?:this|that|it)"
    r"|th(?:e|is|at) (?:query|command|output|result|observation|search|page)s? (?:\w+ )?"
    r"(?:returns?|gave|gives?|shows?|showed|contains?|contained|has|had|is|was|are|were))\b",
    re.IGNORECASE,
)
"""How an agent speaks of what it did before. After a step that was left out, nobody knows what is meant."""
LEAST_LEFT = 1 / 3
"""When less than this share of a run's thoughts survives, all of them go: what is left would be a patchwork."""
_NUMBER = re.compile(r"\d[\d,.]*\d")
_EMPTY_DECIMALS = re.compile(r"\.0+\Z")
COUNTS = frozenset("two three four five six".split())
SERIAL = frozenset("first second third another".split())
"""How an agent speaks of several things one after the other."""
KIN = (frozenset({"clean", "wash", "rinse"}), frozenset({"heat", "hot", "warm"}), frozenset({"cool", "cold", "chill"}))
"""Words for one change of a thing: an agent asked for one of them speaks of it in the others."""


def old_words(old_goal: str, new_goal: str) -> frozenset[str]:
    """Return the stems that the old goal has and the new one has not, with those that an agent uses in their place."""
    old, new = content_stems(old_goal), content_stems(new_goal)
    lost = old - new
    alike = [kin for kin in KIN if kin & lost and not kin & new]
    return lost.union(*alike, SERIAL - new if lost & COUNTS else ())


def speaks_of(text: str, words: frozenset[str]) -> frozenset[str]:
    """Return those of the words that the text uses."""
    return content_stems(text) & words


@lru_cache(maxsize=64)
def numbers_in(text: str) -> frozenset[str]:
    """Return the numbers of two and more digits in a text, without thousands separators and empty decimals."""
    return frozenset(_EMPTY_DECIMALS.sub("", match.replace(",", "")) for match in _NUMBER.findall(text))


@dataclass(frozen=True)
class Untold:
    """What the steps of a run may not say when the run is told for a new goal."""

    goal: str
    """The new goal: a word of failing that it asks about (`lines with ERROR`) admits nothing."""
    words: frozenset[str]
    """Stems of the old goal alone."""
    numbers: frozenset[str]
    """Numbers that stand in the new goal or in the kept run; any other one has no source there."""
    answer: int | None
    """The step that tells the answer: a number from nowhere there is no leak but an untruth, for a check to refuse."""
    gap: int | None
    """The first step that was left out: after it nobody knows what is referred back to. None when all are kept."""

    def why(self, sentence: str, step_id: int) -> str | None:
        """Return what in a sentence of a step does not belong; None when nothing does."""
        strange = frozenset[str]() if step_id == self.answer else numbers_in(sentence) - self.numbers
        if found := speaks_of(sentence, self.words) | strange:
            return f"{sorted(found)}"
        after_gap = self.gap is not None and self.gap < step_id
        for pattern in (FAILURE, REFERS_BACK) if after_gap else (FAILURE,):
            for match in pattern.finditer(sentence):
                if match.group().casefold() not in self.goal.casefold():
                    return repr(match.group())
        return None

    def taken_out(self, text: str, step_id: int) -> str:
        """Return a text of a step without the sentences that do not belong."""
        bounds = sentences(text)
        kept = [text[a:b] for a, b in bounds if self.why(text[a:b], step_id) is None]
        return "".join(kept).strip() if len(kept) < len(bounds) else text
