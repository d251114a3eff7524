"""Goals that pass the checks, made mechanically of a run as a prompt shows it: what a call gave, or that it be made once more.

They are true, and of no other use than to take the way of a real goal through proposing, rewriting and checking.
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
from agenther.testing.shown import ShownRun, ShownStep

MOST_LOOKED_AT = 12
"""Passages of a text among which one to quote is looked for."""
_PLAIN = r"""[^\s"“”'‘’\\\[\]{}()<>|.,:;=…]"""
_PASSAGE = re.compile(rf"""(?<![^\s"“”(:]){_PLAIN}(?:[^"“”\\\n<>|…]{{0,58}}{_PLAIN})?(?=[.,;:]?[\s"“”)\]}}]|\Z)""")
"""Some words that can be quoted as they stand."""
_TEXT_CALL = re.compile(
    r"<execute>(.*?)</execute>|\[([^\[\]\n]+)\]\s*$|^(?:Action|act)[^:\n]*: *(.+)$", re.DOTALL | re.MULTILINE
)
"""A call that is written in a message."""


def find_goal(run: ShownRun, first: float, *, change: bool) -> JsonObject | None:
    """Return a goal that a run reaches, in the form in which a model proposes it; None when no step has anything to quote.

    Args:
        run: the run.
        first: where to start looking, from 0 for the first step to 1 for the last.
        change: whether to ask for a change rather than for an answer.
    """
    later: list[tuple[ShownStep, str]] = []
    untold = ((step, saying) for step, saying in passages(run, first) if not _is_told(run, step, saying, later))
    for step, came_back in chain(untold, later):
        for called in _passages(_call_of(step)):
            goal = _change(run, step, called, came_back) if change else _question(run, step, called, came_back)
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
    acting = [step for step in run.steps if step.source == "agent" and step.all_of("observation")]
    return run.by_action or all(step.all_of("call") for step in acting)


def _question(run: ShownRun, step: ShownStep, called: str, answer: str) -> JsonObject | None:
    """Ask what a call gave. The answer, told in words that the proposer writes, must not speak of the old goal."""
    words, parts = _bound(run, step, called)
    goal = f'What does "{called}" give{_with(words)}?'
    strange = content_stems(run.task) - content_stems(goal)
    if FAILURE.search(answer) or content_stems(answer) & strange or find_word(goal, answer):
        return None
    parts.append({"text": answer, "step": step.number, "quote": answer})
    told = None if run.by_action else f"It gives {answer}."
    return _proposed(run, step, goal, parts, answers=[answer], answer_text=told, effect=False)


def _change(run: ShownRun, step: ShownStep, called: str, shown: str) -> JsonObject | None:
    """Ask to make a call once more."""
    words, parts = _bound(run, step, called)
    parts.append({"text": shown, "step": step.number, "quote": shown})
    return _proposed(run, step, f'Run "{called}" once{_with(words)}', parts, answers=[], answer_text=None, effect=True)


def _bound(run: ShownRun, step: ShownStep, called: str) -> tuple[list[str], list[Json]]:
    """Return the old goal's words that the step's calls use, lest they betray it, and what of the goal can be cited."""
    calls = _call_of(step)
    used = content_stems(calls) - content_stems(called)
    words = list(dict.fromkeys(token.lower() for token in tokens(run.task) if stem(token) in used))
    places = {word: place for word in words if (place := find_word(calls, word))}
    parts: list[Json] = [
        {"text": word, "step": step.number, "quote": calls[start:end]} for word, (start, end) in places.items()
    ]
    words = [word for word in words if word in places or word.isalpha()]
    return words, [*parts, {"text": f'"{called}"', "step": step.number, "quote": called}]


def _is_told(run: ShownRun, step: ShownStep, answer: str, told: list[tuple[ShownStep, str]]) -> bool:
    """Tell whether the agent tells an answer later on, and note it: what else it says there may not fit."""
    later = (other for other in run.steps if other.source == "agent" and other.number > step.number)
    if not any(find_word(other.body, answer) for other in later):
        return False
    told.append((step, answer))
    return True


def _with(words: list[str]) -> str:
    return f" with {', '.join(words)}" if words else ""


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


def _call_of(step: ShownStep) -> str:
    if calls := step.all_of("call"):
        return calls
    written = list(_TEXT_CALL.finditer(step.all_of("message")))
    return next((text for text in written[-1].groups() if text), "") if written else ""


def _new(run: ShownRun, step: ShownStep) -> list[str]:
    """Return what of a step's observations can be quoted and was not said before, the richest first."""
    text = step.all_of("observation")
    if not text or is_error(text):
        return []
    said = content_stems(f"{run.task} {step.functions} {step.all_of('call')} {step.all_of('message')}")
    told = "".join(other.body for other in run.steps if other.source != "agent")
    return [saying for saying in _passages(text) if saying not in told and content_stems(saying) - said]


def _passages(text: str) -> list[str]:
    """Return passages of a text that can be quoted, the richest first."""
    found = (match.group() for match in islice(_PASSAGE.finditer(text), MOST_LOOKED_AT))
    return sorted(dict.fromkeys(found), key=lambda passage: -len(passage.split()))
