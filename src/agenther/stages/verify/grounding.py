"""Every hard fact of a goal must stand in its evidence: numbers, quoted texts, paths, names.

The composer binds the parts; this check does not believe it and looks for the characters itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from agenther.conclusions import GoalPart, Reason, Rewritten, Score, passed, refused
from agenther.stages.language.outcomes import failed
from agenther.stages.language.words import find_word
from agenther.stages.quotes import bare as as_quoted
from agenther.trajectory import Span, Trajectory

HARD = re.compile(
    r'"[^"]+"|“[^”]+”'  # quoted
    r"|(?<![\w./-])[\w.-]{1,80}(?:/[\w.-]{1,80}){0,12}?/[\w.-]{0,80}\.\w{1,5}\b"  # relative paths of files
    r"|#?\b[\w.-]*\d[\w.,-]*\b"  # numbers, ids, versions
    r"|(?:~|\.{1,2})?/[\w./*-]+|\*?\.\w{1,5}\b|\b\w[\w-]*\.(?!\s)\w{1,5}\b"  # paths, extensions, file names
    r"|(?<=[a-z,;] )[A-Z][\w'-]*"  # names inside a sentence
)
_NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_HEAD_OF_PATH = re.compile(r"(?<![\w.-])[\w.-]+\Z")
BOUND = "upper_bound"
"""Kind of a part whose number is a rounded bound: no smaller than the number in the evidence, which need not equal it."""

CITED = "cited"
"""Kind of a part that a model cites: it saw white space and escapes as they are read."""


def check_grounding(rewritten: Rewritten) -> Score:
    """Refuse when a part has no evidence in a kept, successful step, or a hard fact is not in the evidence of its part."""
    by, goal, parts = "check:grounding", rewritten.proposal.goal, rewritten.proposal.parts
    kept = {step.step_id for step in rewritten.steps}
    spans = [span for part in parts for span in part.evidence]
    if not parts:
        return refused(by, Reason.UNGROUNDED, "the goal has no part bound to evidence")
    for part in parts:
        if not part.evidence:
            return refused(by, Reason.UNGROUNDED, f"no evidence for {goal[part.start : part.end]!r}")
    for span in spans:
        if span.step not in kept:
            return refused(by, Reason.UNGROUNDED, f"evidence lies in step {span.step}, which is not kept", [span])
        if not _holds(rewritten.trajectory, span):
            return refused(by, Reason.UNGROUNDED, "evidence points at nothing", [span])
        if failed(rewritten.trajectory.step(span.step)):
            return refused(by, Reason.EVIDENCE_FAILED, f"the call of step {span.step} failed", [span])
    for start, end in hard_facts(goal, whole_paths=rewritten.proposal.domain == "open"):
        around = [part for part in parts if part.start <= start and end <= part.end]
        if not any(_supports(rewritten.trajectory, part, goal[start:end]) for part in around):
            return refused(by, Reason.UNGROUNDED, f"{goal[start:end]!r} does not stand in its evidence")
    return passed(by, f"{len(parts)} parts bound, all hard facts found in their evidence", spans)


def hard_facts(goal: str, *, whole_paths: bool) -> Iterator[tuple[int, int]]:
    """Yield where the hard facts of a goal stand.

    Args:
        goal: the goal.
        whole_paths: take `docs/guides` for one path; else it is the path `/guides` behind a word, as composers write it.
    """
    for match in HARD.finditer(goal):
        start = match.start()
        if whole_paths and match.group().startswith("/") and (head := _HEAD_OF_PATH.search(goal, 0, start)) is not None:
            start = head.start()
        yield start, match.end()


def _holds(trajectory: Trajectory, span: Span) -> bool:
    try:
        return bool(trajectory.text_at(span))
    except KeyError:
        return False


def _supports(trajectory: Trajectory, part: GoalPart, fact: str) -> bool:
    texts = [trajectory.text_at(span) for span in part.evidence]
    bare = fact.strip('"“”.,')
    if part.kind == BOUND:
        return bound_holds(bare, texts)
    if part.kind == CITED:
        texts += [as_quoted(text) for text in texts]
    return any(contains(text, bare) for text in texts)


def contains(text: str, fact: str) -> bool:
    """Tell whether a text holds a fact as a whole token, whatever its case, escapes and thousands separators."""
    if find_word(text, fact) is not None:
        return True
    if "\\" in text and find_word(text.replace('\\"', '"').replace("\\\\", "\\"), fact) is not None:
        return True
    return _holds_number(text, fact)


def _holds_number(text: str, fact: str) -> bool:
    return _NUMBER.fullmatch(fact) is not None and float(fact.replace(",", "")) in _numbers(text)


def held_in(text: str, facts: Iterable[str]) -> Iterator[str]:
    """Yield those facts that a text holds; of a plain text, most are ruled out by a look for their letters."""
    low, plain = text.lower(), text.isascii() and "\\" not in text
    for fact in facts:
        may_be_there = not (plain and fact.isascii()) or fact.lower() in low
        if contains(text, fact) if may_be_there else _holds_number(text, fact):
            yield fact


@lru_cache(maxsize=64)
def _numbers(text: str) -> frozenset[float]:
    return frozenset(float(number.replace(",", "")) for number in _NUMBER.findall(text))


def bound_holds(bound: str, texts: list[str]) -> bool:
    """Tell whether an upper bound is no smaller than any number in its evidence."""
    values = [value for text in texts for value in _numbers(text)]
    limit = _NUMBER.fullmatch(bound)
    return limit is not None and bool(values) and float(bound.replace(",", "")) >= max(values)
