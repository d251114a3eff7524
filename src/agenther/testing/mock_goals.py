"""Goals that pass the checks, made mechanically of a run as a prompt shows it: what a look-up answered, or what a call changed.

They are true, and of no other use than to take the way of a real goal through proposing, rewriting and checking. How they are
worded belongs to `mock_wording`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice

from agenther.record import Json, JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.requests import why_no_request
from agenther.stages.language.words import content_stems, find_word, stem, tokens
from agenther.stages.relabel.leakage import FAILURE
from agenther.testing.mock_wording import Worded, wordings
from agenther.testing.shown import ShownRun, ShownStep

MOST_LOOKED_AT = 12
"""Passages of a text among which one to quote is looked for."""
_PLAIN = r"""[^\s"“”'‘’\\\[\]{}()<>|.,:;=…]"""
_PASSAGE = re.compile(rf"""(?<![^\s"“”(:]){_PLAIN}(?:[^"“”\\\n<>|…]{{0,58}}{_PLAIN})?(?=[.,;:]?[\s"“”)\]}}]|\Z)""")
"""Some words that can be quoted as they stand."""


def find_goal(run: ShownRun, first: float, *, change: bool) -> JsonObject | None:
    """Return a goal that a run reaches, in the form in which a model proposes it; None when no step has anything to quote.

    Args:
        run: the run.
        first: where to start looking, from 0 for the first step to 1 for the last.
        change: whether only a change may be asked for.
    """
    later: list[tuple[ShownStep, str]] = []
    untold = ((step, saying) for step, saying in passages(run, first) if not _is_told(run, step, saying, later))
    for step, came_back in chain(untold, later):
        for worded in wordings(step):
            if change and not worded.effect:
                continue
            goal = (_change if worded.effect else _question)(run, step, worded, came_back)
            if goal is not None and why_no_request(str(goal["goal"]), run.task) is None:
                return goal
    return None


def passages(run: ShownRun, first: float) -> Iterator[tuple[ShownStep, str]]:
    """Yield what can be quoted of each step's observations, the step to start from first."""
    steps = [step for step in run.steps if step.source == "agent" and (run.last is None or step.number <= run.last)]
    start = int(first * len(steps))
    for step in (*steps[start:], *steps[:start]):
        for saying in _new(run, step):
            yield step, saying


def by_message(run: ShownRun) -> bool:
    """Tell whether the agent seems to answer in messages: it makes calls apart from them."""
    acting = (step.body for step in run.steps if step.source == "agent" and "\nobservation" in step.body)
    return run.by_action or all("\ncall " in body for body in acting)


def _question(run: ShownRun, step: ShownStep, worded: Worded, answer: str) -> JsonObject | None:
    """Ask what a look-up answered. The answer, told in words that the proposer writes, must not speak of the old goal."""
    words, parts = _bound(run, step, worded)
    goal = f"{worded.text.rstrip('?')}{_with(words)}?"
    strange = content_stems(run.task) - content_stems(goal)
    if FAILURE.search(answer) or content_stems(answer) & strange or find_word(goal, answer):
        return None
    parts.append({"text": worded.head, "step": step.number, "quote": answer})
    told = None if run.by_action else f"It is {answer}."
    return _proposed(run, step, goal, parts, answers=[answer], answer_text=told, effect=False)


def _change(run: ShownRun, step: ShownStep, worded: Worded, shown: str) -> JsonObject | None:
    """Ask for what a call changed."""
    words, parts = _bound(run, step, worded)
    parts.append({"text": worded.head, "step": step.number, "quote": shown})
    return _proposed(run, step, f"{worded.text}{_with(words)}", parts, answers=[], answer_text=None, effect=True)


def _bound(run: ShownRun, step: ShownStep, worded: Worded) -> tuple[list[str], list[Json]]:
    """Return the old goal's words that only the step's calls use, lest they betray it, and what of the goal can be cited."""
    calls = step.all_of("call") or step.all_of("message")
    used = content_stems(calls) - content_stems(worded.text)
    words = list(dict.fromkeys(token.lower() for token in tokens(run.task) if stem(token) in used))
    places = {word: place for word in words if (place := find_word(calls, word))}
    quotes = [*worded.parts, *((word, calls[start:end]) for word, (start, end) in places.items())]
    parts: list[Json] = [{"text": text, "step": step.number, "quote": quote} for text, quote in quotes]
    return [word for word in words if word in places or word.isalpha()], parts


def _is_told(run: ShownRun, step: ShownStep, answer: str, told: list[tuple[ShownStep, str]]) -> bool:
    """Tell whether the agent tells an answer later on, and note it: what else it says there may not fit."""
    later = (other for other in run.steps if other.source == "agent" and other.number > step.number)
    if not any(answer in other.body for other in later):
        return False
    told.append((step, answer))
    return True


def _with(words: list[str]) -> str:
    return f", considering {' and '.join(words)}" if words else ""


def _proposed(
    run: ShownRun,
    step: ShownStep,
    goal: str,
    parts: list[Json],
    *,
    answers: list[Json],
    answer_text: str | None,
    effect: bool,
) -> JsonObject:
    """Return a goal of which no step but this one is trained on."""
    earlier: list[Json] = [s.number for s in run.steps if s.source == "agent" and s.number < step.number]
    return {
        "rationale": f"Step {step.number} makes this call.",
        "goal": goal,
        "parts": parts,
        "last_step": step.number,
        "answer_step": None,
        "answer_text": answer_text,
        "answers": answers,
        "effect": effect,
        "needless_steps": earlier,
        "useful_steps": [step.number],
    }


def _new(run: ShownRun, step: ShownStep) -> Iterator[str]:
    """Yield what of a step's observations can be quoted and was not said before, the richest first."""
    text = step.all_of("observation")
    if not text or is_error(text):
        return
    said = content_stems(f"{run.task} {step.functions} {step.all_of('call')} {step.all_of('message')}")
    for saying in _passages(text):
        told = any(saying in other.body for other in run.steps if other.source != "agent")
        if not told and content_stems(saying) - said:
            yield saying


def _passages(text: str) -> list[str]:
    """Return passages of a text that can be quoted, the richest first."""
    found = (match.group() for match in islice(_PASSAGE.finditer(text), MOST_LOOKED_AT))
    return sorted(dict.fromkeys(found), key=lambda passage: -len(passage.split()))
