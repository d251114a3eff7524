"""Goals that pass the checks, made mechanically of a run as a prompt shows it: that the environment say what it once said.

They are true, and of no other use than to take the way of a real goal through proposing, rewriting and checking.
"""

from __future__ import annotations

import re
from itertools import islice

from agenther.record import Json, JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.words import content_stems, stem, tokens
from agenther.testing.shown import ShownRun, ShownStep

_SAYING = re.compile(
    r"""[^\s"“”'‘’\\\[\]{}()<>|.,:;][^"“”\\\n<>|…]{4,58}[^\s"“”'‘’\\\[\]{}()<>|.,:;](?=[\s"“”.,:;)\]}]|\Z)"""
)
"""Some words of an observation that can be quoted as they stand."""


def quotable(run: ShownRun, first: float) -> tuple[ShownStep, list[str]] | None:
    """Return an agent's step and what of its observation can be quoted; None when no step has anything.

    Args:
        run: the run.
        first: where to start looking, from 0 for the first step to 1 for the last. Steps after a second turn of the user
            are looked at last: no goal can use them.
    """
    users = [step.number for step in run.steps if step.source == "user"]
    second = users[1] if len(users) > 1 else len(run.steps) + 1
    steps = [step for step in run.steps if step.source == "agent"]
    early = [step for step in steps if step.number < second]
    start = int(first * len(early))
    for step in (*early[start:], *early[:start], *steps[len(early) :]):
        if sayings := _sayings(step):
            return step, sayings
    return None


def goal_of(run: ShownRun, step: ShownStep, saying: str) -> JsonObject:
    """Return the goal that a step say something, in the form in which a model proposes it.

    Only that step is trained on. The goal has the words of the old one that the step's calls use, lest they betray it.
    """
    words, numbers = _shared(run.task, step)
    goal = f'Make the system show "{saying}"'
    parts: list[Json] = [{"text": f'"{saying}"', "step": step.number, "quote": saying}]
    if words:
        goal += f", with a word of {', '.join(words)}"
    for number in numbers:
        goal += f", at {number}"
        parts.append({"text": number, "step": step.number, "quote": number})
    earlier: list[Json] = [s.number for s in run.steps if s.source == "agent" and s.number < step.number]
    return {
        "rationale": f"Step {step.number} shows these words.",
        "goal": goal,
        "parts": parts,
        "last_step": step.number,
        "answer_step": None,
        "answer_text": None,
        "answers": [],
        "effect": True,
        "needless_steps": earlier,
        "useful_steps": [step.number],
    }


def _sayings(step: ShownStep) -> list[str]:
    text = step.all_of("observation")
    if not text or is_error(text):
        return []
    found = (match.group() for match in islice(_SAYING.finditer(text), 8))
    return [saying for saying in found if any(map(str.isalpha, saying))]


def _shared(task: str, step: ShownStep) -> tuple[list[str], list[str]]:
    """Return the task's words and numbers that the step's calls use: a goal that has them is not betrayed by the calls."""
    said = content_stems(f"{step.all_of('message')} {step.all_of('call')}")
    shared = list(dict.fromkeys(token.lower() for token in tokens(task) if stem(token) in said))
    return [token for token in shared if token.isalpha()], [token for token in shared if not token.isalpha()]
