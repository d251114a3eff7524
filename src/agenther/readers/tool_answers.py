"""How ToolBench ends a run: the answer that the function `Finish` was given, and what it says of the outcome.

The outcome follows ToolEval's mechanical rule (no `Finish`, an empty answer, or `give_up_and_restart`: not solved) and one
rule of our own, for `win` only says that some answer was given: an answer in which every sentence says that the agent
could not do it, apologises, or sends the user elsewhere is a failure. An answer that admits such a thing beside something
told is neither: its outcome is left open.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agenther.literals import json_value
from agenther.readers.base import Place
from agenther.record import Json, JsonObject
from agenther.texts import storable

FINISH = "Finish"
GAVE_UP = "give_up_and_restart"

_GET = (
    r"(?:find|retrieve|fetch|get|obtain|access|provide|locate|determine|complete|perform|identify|gather|load|search|answer"
    r"|process|download|generate|translate|calculate|check|track|fulfil|fulfill|assist|help)"
)
_GOT = (
    r"(?:found|retrieved|fetched|obtained|accessed|provided|located|determined|completed|performed|identified|processed"
    r"|downloaded|generated)"
)
_NOT = r"(?:could(?: ?n['’]t| not)|can(?: ?not|['’]t))"
_INABILITY = re.compile(
    rf"\b(?:{_NOT}|did(?:n['’]t| not)|have(?:n['’]t| not)|has not) (?:been )?(?:able to )?(?:\w+ )?(?:{_GET}|{_GOT})\b"
    rf"|\b{_NOT} be {_GOT}\b|\b(?:un|not )able to {_GET}\b|\bfail(?:ed|s) to {_GET}\b"
    r"|\b(?:encountered|there (?:was|is|were|seems to (?:be|have been))) (?:an? |some )?(?:\w+ )?(?:error|issue|problem)s?\b"
    r"|\bdue to (?:an? |some )?(?:\w+ )?(?:error|issue|problem)s?\b",
    re.IGNORECASE,
)
"""The agent did not get what it was asked for. "There are no flights" is none: that may be the answer."""
_NOT_THERE = re.compile(
    r"\b(?:is|are|was|were)(?: currently| presently)? (?:not(?: currently)? (?:available|found)|unavailable)\b",
    re.IGNORECASE,
)
"""Counts as not getting it only beside an apology: that a name is not available may be what was asked."""
_APOLOGY = re.compile(r"\b(?:sorry|apologi[sz]e|apologies|unfortunately|regret(?:tably)?)\b", re.IGNORECASE)
_COURTESY = re.compile(
    r"\W*(?:(?:please|kindly)\b|(?:i(?:['’]m| am)? )?(?:sorry|apologi[sz]e|apologies)\b|(?:my|our) apologies\b"
    r"|(?:i|we) (?:would )?(?:recommend|suggest|advise)\b|(?:let me know|feel free|thank(?:s| you))\b"
    r"|(?:you (?:can|may|might|could) (?:want to |also )?(?:try|visit|check|contact|search|consider))\b"
    r"|if you (?:have|need|would like|want|can|could)\b|is there anything else\b|would you like\b)",
    re.IGNORECASE,
)
_TURN = re.compile(r"\b(?:but|however|although|though|instead|here (?:is|are)|nevertheless)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?](?!\s|\Z)[^.!?\n]*)*[.!?]*")


class Ending(NamedTuple):
    """How a run ended."""

    success: bool | None
    """Whether it did what was asked; None where nothing says so."""
    rule: str | None
    """The rule that decided."""
    admitted: str | None = None
    """The sentence in which an answer whose outcome is open admits what it does not tell."""


def judge(arguments: str | None, *, win: bool | None) -> Ending:
    """Judge how a run ended.

    Args:
        arguments: what `Finish` was called with; None when it was not called.
        win: whether the log says that the task was answered; None when it does not say.
    """
    if arguments is None:
        return Ending(False, "no_finish")
    if GAVE_UP in arguments:
        return Ending(False, "give_up")
    answer = answer_of(arguments)
    if not answer.strip():
        return Ending(False, "empty_answer")
    sentences = [s for s in _SENTENCE.findall(answer) if re.search(r"\w", s)]
    apologises = _APOLOGY.search(answer) is not None
    gaps = [(s, found) for s in sentences if (found := _gap(s, apologises=apologises)) is not None]
    empty = [s for s, found in gaps if _TURN.search(s, found.end()) is None]
    if empty and all(s in empty or _COURTESY.match(s) for s in sentences):
        return Ending(False, "apology")
    if gaps or apologises:
        said = [s for s, _ in gaps] or [s for s in sentences if _APOLOGY.search(s)]
        return Ending(None, None, storable(said[0].strip()))
    return Ending(True, "win") if win else Ending(None, None)


def answer_of(arguments: str) -> str:
    """Return the answer inside the arguments of `Finish`, or all of them where they are no JSON object."""
    value = json_value(arguments)
    if not isinstance(value, dict):
        return arguments
    answer = value.get("final_answer")
    return answer if isinstance(answer, str) else ""


def openai_tools(place: Place, functions: Json) -> tuple[JsonObject, ...]:
    """Return a list of functions as tools in OpenAI's present form."""
    if functions is None:
        return ()
    return tuple({"type": "function", "function": place.at(i).obj(f)} for i, f in enumerate(place.list(functions)))


def _gap(sentence: str, *, apologises: bool) -> re.Match[str] | None:
    """Return where a sentence says that the agent did not get what was asked; None where it does not."""
    return _INABILITY.search(sentence) or (_NOT_THERE.search(sentence) if apologises else None)
