"""Nothing that carries loss still speaks of the old goal: neither thoughts nor actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.record import Json
from agenther.stages.extract import shopping
from agenther.stages.language import household
from agenther.stages.language.shell import calls as shell_calls
from agenther.stages.language.sql.parse import words_of as sql_words
from agenther.stages.relabel.leakage import old_words, speaks_of
from agenther.stages.relabel.rewrite import untold
from agenther.trajectory import Step, ToolCall


def texts_in(value: Json) -> Iterator[str]:
    """Yield every text inside a JSON value."""
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from texts_in(member)
        case list():
            for member in value:
                yield from texts_in(member)
        case _:
            return


def text_of_call(call: ToolCall) -> str:
    """Return the text of a call's arguments, unescaped."""
    return " ".join(texts_in(call.values)) if call.values else call.arguments


def _judged_apart(_: ToolCall) -> str:
    """Return nothing: of code, `verify/code` asks whether the agent saw the word, for code shares words with any issue."""
    return ""


ACTION_TEXT: dict[str, Callable[[ToolCall], str]] = {
    "sql": sql_words,
    "household": household.words_of,
    "shell": shell_calls.words_of,
    "shopping": shopping.speech_of,
    "shopping-any-search": shopping.speech_of,
    "code": _judged_apart,
}
"""Domain to what of a call must not speak of the old goal. A look-up that serves any goal gives the empty text."""


IN_TURNS = "the kept user turns are all that the agent had heard: the domain checks what they ask for"


def check_prose(rewritten: Rewritten) -> Score:
    """Refuse when a thought or message that carries loss says what does not belong to a run for the new goal."""
    by, proposal = "check:prose_leak", rewritten.proposal
    if proposal.goal_in_turns:
        return passed(by, IN_TURNS)
    leaks = untold(rewritten.steps, rewritten.trajectory.goal, proposal)
    for step in _trained(rewritten):
        if (found := leaks.why(prose_of(step), step.step_id)) is not None:
            return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"step {step.step_id} says {found}")
    return passed(by, "no trained thought speaks of the old goal or of failing")


def check_actions(rewritten: Rewritten) -> Score:
    """Refuse when a call that carries loss uses a word of the old goal alone."""
    by, proposal = "check:action_leak", rewritten.proposal
    if proposal.goal_in_turns:
        return passed(by, IN_TURNS)
    words = old_words(rewritten.trajectory.goal, proposal.goal)
    text_of = ACTION_TEXT.get(proposal.domain, text_of_call)
    for step in _trained(rewritten):
        for call in step.tool_calls:
            if found := speaks_of(text_of(call), words):
                return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"call of step {step.step_id} uses {sorted(found)}")
    return passed(by, "no trained call speaks of the old goal")


def prose_of(step: Step) -> str:
    """Return what a step says beside its calls."""
    message = step.message
    for call in sorted((c for c in step.tool_calls if c.at), key=lambda c: c.at or (0, 0), reverse=True):
        start, end = call.at or (0, 0)
        message = message[:start] + "\n" + message[end:]
    return f"{step.reasoning or ''}\n{message}"


def _trained(rewritten: Rewritten) -> list[Step]:
    return [step for step in rewritten.steps if step.step_id in rewritten.train_on]
