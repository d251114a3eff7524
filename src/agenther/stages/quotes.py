"""Finding what a model quotes: the characters of a step that it says it has read, or nothing.

A model saw the run escaped (`fence.escape`) and hands its quote on in JSON, so white space, backslashes and invisible
characters may differ; letters, figures and signs may not. A quote is made of whole words: "4" is no quote of "1984".
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator
from functools import lru_cache

from agenther.stages.fence import escape
from agenther.trajectory import Span, Step, Trajectory, find_text

EVIDENCE = ("observations", "tool_calls")
"""Where evidence may lie, as fields begin: what came back, then what was called."""
_ESCAPED = re.compile(
    r"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})|u\{[^{}]*\}|([nrtbf])|)"
)
"""A backslash and what it steers: a character of JSON (two halves of a pair are one), one of the fence, white space, nothing."""


def locate(trajectory: Trajectory, step: int, quote: str, among: tuple[str, ...] = EVIDENCE) -> Span | None:
    """Return where a step holds a quote as whole words; None when it does not.

    Args:
        trajectory: the run.
        step: step_id that the quote is said to come from; it need not exist.
        quote: the characters as a model hands them on.
        among: kinds of fields, the preferred first: `observations`, `tool_calls`, `message`, `reasoning`.
    """
    try:
        found = trajectory.step(step)
    except KeyError:
        return None
    return locate_in(found, quote, among)


def locate_in(step: Step, quote: str, among: tuple[str, ...] = EVIDENCE) -> Span | None:
    """Return where this step holds a quote as whole words, exactly if it can be; None when it does not."""
    wanted = quote.strip()
    if not any(character.isalnum() for character in wanted):
        return None
    fields = [name for kind in among for name, _ in step.fields() if name.startswith(kind)]
    for field in fields:
        if (span := _exact(step, field, wanted)) is not None:
            return span
    for field in fields:
        if (bounds := _loose(step.text_of(field), wanted)) is not None:
            return Span(step=step.step_id, field=field, start=bounds[0], end=bounds[1])
    return None


def bare(text: str) -> str:
    """Return a text as quotes are compared: JSON escapes read, one space for white space, nothing invisible."""
    return _bare(text)[0].strip()


def _exact(step: Step, field: str, wanted: str) -> Span | None:
    text = step.text_of(field)
    span = find_text(step, field, wanted)
    while span is not None and not _is_whole(text, span.start, span.end):
        span = find_text(step, field, wanted, span.start + 1)
    return span


def _loose(text: str, wanted: str) -> tuple[int, int] | None:
    plain, starts, ends = _bare(text)
    quote = bare(wanted)
    start = plain.find(quote) if quote else -1
    while start >= 0:
        end = start + len(quote)
        if _is_whole(plain, start, end):
            return starts[start], ends[end - 1]
        start = plain.find(quote, start + 1)
    return None


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether characters do not cut a word or a number in two."""
    return not (_joined(text, start) or _joined(text, end))


def _joined(text: str, at: int) -> bool:
    """Tell whether the characters on both sides of a place belong to one word or one number."""
    if at <= 0 or at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if _is_of_word(before) and _is_of_word(after):
        return True
    if before in ".," and after.isdigit():
        return at >= 2 and text[at - 2].isdigit()
    return before.isdigit() and after in ".," and text[at + 1 : at + 2].isdigit()


def _is_of_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@lru_cache(maxsize=8)
def _bare(text: str) -> tuple[str, array[int], array[int]]:
    """Return the compared form of a text, and where each of its characters begins and ends in the text."""
    made: list[str] = []
    starts, ends = array("L"), array("L")
    for character, start, end in _characters(text):
        if _is_hidden(character):
            continue
        if character.isspace():
            if made and made[-1] == " ":
                ends[-1] = end
                continue
            character = " "
        made.append(character)
        starts.append(start)
        ends.append(end)
    return "".join(made), starts, ends


@lru_cache(maxsize=4096)
def _is_hidden(character: str) -> bool:
    """Tell whether the fence writes a character out, so that a quote may do without it."""
    return escape(character) != character


def _characters(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield the characters of a text with their bounds, JSON escapes read, other backslashes left out."""
    at = 0
    while at < len(text):
        if text[at] != "\\":
            yield text[at], at, at + 1
            at += 1
            continue
        match = _ESCAPED.match(text, at)
        end = match.end() if match else at + 1
        if match and match[1]:
            yield json.loads(f'"\\{match[1]}"'), at, end
        elif match and match[2]:
            yield " ", at, end
        at = end
