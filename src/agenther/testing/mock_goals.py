"""Goals that pass the checks, made mechanically of a run as a prompt shows it: to reach what the environment once said.

They are true, and of no other use than to take the way of a real goal through proposing, rewriting and checking.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from agenther.record import Json, JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.requests import why_no_request
from agenther.stages.language.words import content_stems, find_word, stem, tokens
from agenther.testing.shown import ShownRun, ShownStep

MOST_LOOKED_AT = 12
"""Passages of an observation among which one to quote is looked for."""
_PLAIN = r"""[^\s"“”'‘’\\\[\]{}()<>|.,:;=…]"""
_SAYING = re.compile(rf"""(?<![^\s"“”(:]){_PLAIN}(?:[^"“”\\\n<>|…]{{0,58}}{_PLAIN})?(?=[.,;:]?[\s"“”)\]}}]|\Z)""")
"""Some words of an observation that can be quoted as they stand."""


def find_goal(run: ShownRun, first: float) -> JsonObject | None:
    """Return a goal that a run reaches, in the form in which a model proposes it; None when no step shows anything to quote.

    Args:
        run: the run.
        first: where to start looking, from 0 for the first step to 1 for the last.
    """
    for step, saying in passages(run, first):
        goal = _goal(run, step, saying)
        if goal is not None and why_no_request(str(goal["goal"]), run.task) is None:
            return goal
    return None


def passages(run: ShownRun, first: float) -> Iterator[tuple[ShownStep, str]]:
    """Yield what can be quoted of each step's observations, the step to start from first."""
    steps = [step for step in run.steps if step.source == "agent" and (run.last is None or step.number <= run.last)]
    start = int(first * len(steps))
    for step in (*steps[start:], *steps[:start]):
        for saying in _sayings(run, step):
            yield step, saying


def _goal(run: ShownRun, step: ShownStep, saying: str) -> JsonObject | None:
    """Return the goal to reach what a step says; that step alone is trained on.

    The goal has the words of the old one that the step's calls use, lest they betray it. None when they use a number that cannot
    be cited, for the place of calls that are written as text is not shown.
    """
    called = step.all_of("call")
    words = _shared(run.task, called or step.all_of("message"))
    places = {word: place for word in words if (place := find_word(called, word))}
    if not all(word in places or word.isalpha() for word in words):
        return None
    parts: list[Json] = [
        {"text": word, "step": step.number, "quote": called[start:end]} for word, (start, end) in places.items()
    ]
    parts.append({"text": f'"{saying}"', "step": step.number, "quote": saying})
    earlier: list[Json] = [s.number for s in run.steps if s.source == "agent" and s.number < step.number]
    return {
        "rationale": f"Step {step.number} shows these words.",
        "goal": f'Use {", ".join(words) or "this"} to reach "{saying}"',
        "parts": parts,
        "last_step": step.number,
        "answer_step": None,
        "answer_text": None,
        "answers": [],
        "effect": True,
        "needless_steps": earlier,
        "useful_steps": [step.number],
    }


def _sayings(run: ShownRun, step: ShownStep) -> list[str]:
    """Return what of a step's observations can be quoted and was not said before, the richest first."""
    text = step.all_of("observation")
    if not text or is_error(text):
        return []
    said = content_stems(f"{run.task} {step.functions} {step.all_of('call')} {step.all_of('message')}")
    told = "".join(other.body for other in run.steps if other.source != "agent")
    found = (match.group() for match in islice(_SAYING.finditer(text), MOST_LOOKED_AT))
    new = [saying for saying in found if saying not in told and content_stems(saying) - said]
    return sorted(new, key=lambda saying: -len(saying.split()))


def _shared(task: str, called: str) -> list[str]:
    """Return the words and numbers of the task that a call uses."""
    used = content_stems(called)
    return list(dict.fromkeys(token.lower() for token in tokens(task) if stem(token) in used))
