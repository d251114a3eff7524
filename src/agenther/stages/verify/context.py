"""What the user and the system say beside the goal must fit the new one: nothing there may still ask for the old."""

from __future__ import annotations

import re
from itertools import pairwise

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.words import content_stems, sentences
from agenther.stages.relabel.code import OF_ANY_ISSUE
from agenther.stages.relabel.leakage import old_words
from agenther.trajectory import Span, Step

MOST_TOLD = 2 / 3
"""Share of the old goal's own words from which a sentence of the prompt counts as telling it once more."""
_COMMON = {"code": OF_ANY_ISSUE}
"""Domain to the words that the instructions around any goal of its kind use."""
_GOES_ON = re.compile(
    r"\W*(?:then|also|after (?:that|this)|afterwards|additionally|finally|and (?:then|also)|next)\b", re.IGNORECASE
)


def check_context(rewritten: Rewritten) -> Score:
    """Refuse when a kept user or system text goes on asking after the goal, or tells the old goal in other words."""
    by, proposal = "check:context", rewritten.proposal
    if proposal.goal_in_turns:
        return passed(by, "the kept user turns are the goal")
    words = old_words(rewritten.trajectory.goal, proposal.goal) - _COMMON.get(proposal.domain, frozenset())
    for step in rewritten.steps:
        if step.source == "agent":
            continue
        before, after = _beside_goal(rewritten, step)
        for sentence in _sentences(after):
            if step.source == "user" and (_GOES_ON.match(sentence) or content_stems(sentence) & words):
                return _contradicts(by, step, sentence)
        for sentence in _sentences(f"{before}\n\n{after}"):
            told = content_stems(sentence) & words
            if len(told) >= 2 and len(told) >= MOST_TOLD * len(words):
                return _contradicts(by, step, sentence)
    return passed(by, "no user or system text still asks for the old goal")


def _contradicts(by: str, step: Step, sentence: str) -> Score:
    detail = f"step {step.step_id} goes on: {' '.join(sentence.split())[:80]!r}"
    return refused(by, Reason.USER_TURNS_CONTRADICT, detail)


def _beside_goal(rewritten: Rewritten, step: Step) -> tuple[str, str]:
    """Return a step's text before the goal's last place and after it, without worked examples and shown pages."""
    run = rewritten.trajectory
    message = run.step(step.step_id).message
    for start, end in _places((*run.worked_at, *run.shown_at), step):
        message = message[:start] + "\n" * (end - start) + message[end:]
    places = _places(run.goal_at, step)
    if not places:
        return message, ""
    gaps = [message[: places[0][0]], *(message[end:start] for (_, end), (start, _) in pairwise(places))]
    return "\n\n".join(gaps), message[places[-1][1] :]


def _places(spans: tuple[Span, ...], step: Step) -> list[tuple[int, int]]:
    return sorted((s.start, s.end) for s in spans if s.step == step.step_id and s.field == "message")


def _sentences(text: str) -> list[str]:
    return [text[a:b] for a, b in sentences(text)]
