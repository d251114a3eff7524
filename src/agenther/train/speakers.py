"""Who says what in a row of any consumer, and where a framework's template put it: found again by the texts themselves.

Calls, schemas and a template's own marks are written otherwise by each template and are not looked for.
"""

from __future__ import annotations

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Literal, NamedTuple

Role = Literal["agent", "system", "user", "tool"]
_ROLES: dict[str, Role] = {
    **dict.fromkeys(("assistant", "gpt", "function_call", "tool_call"), "agent"),
    **dict.fromkeys(("tool", "observation", "tool_response"), "tool"),
    **dict.fromkeys(("user", "human"), "user"),
    "system": "system",
}
_RESULT = "Observation: "
"""How results of tools begin in the human turns of FastChat's rows."""
_CALL = "<tool_call>"
_SHORT = 8
"""Characters up to which a text counts as found only where it is no part of a longer word."""


class Said(NamedTuple):
    """A text of a row."""

    role: Role
    text: str


class Stretch(NamedTuple):
    """Neighbouring tokens that all train, or none of them."""

    trained: bool
    n_tokens: int
    text: str


class Rendered(NamedTuple):
    """A conversation as a framework gives it to the model."""

    row: int
    """Number of the row, from 0, among those that the framework loaded."""
    side: str
    """`chosen` or `rejected` of a pair; else empty."""
    stretches: tuple[Stretch, ...]
    scales: tuple[float, ...]
    """What the losses of trained tokens are multiplied by, where the framework says it."""


class Place(NamedTuple):
    """Characters of a rendered conversation."""

    role: Role
    start: int
    end: int


@dataclass
class Places:
    """Where the texts of a row stand in what was made of it."""

    found: list[Place] = field(default_factory=list[Place])
    n_missing: int = 0
    """Texts that are cut, left out or rewritten."""
    share: float = 0.0
    """Share of the characters that were found."""
    n_after: int = 0
    """Characters after the last text."""


def texts_of(row: dict[str, Any], side: str) -> Iterator[Said]:
    """Yield the texts of a row's side in their order; a call is the name of its function."""
    if str(row.get("system") or "").strip():
        yield Said("system", row["system"].strip())
    for turn in turns_of(row, side):
        yield from _texts_of_turn(turn)


def turns_of(row: dict[str, Any], side: str) -> list[dict[str, Any]]:
    """Return the turns of a row's side, in the dialect of its consumer."""
    names = ("rejected_messages",) if side == "rejected" else ()
    name = next(name for name in (*names, "messages", "conversations", "prompt") if name in row)
    before: list[dict[str, Any]] = row[name]
    answer: list[dict[str, Any]] | dict[str, Any] = row.get(side or "completion", [])
    return [*before, *(answer if isinstance(answer, list) else [answer])]


def _texts_of_turn(turn: dict[str, Any]) -> Iterator[Said]:
    named = str(turn.get("role") or turn.get("from"))
    role, text = _ROLES.get(named, "user"), str(turn.get("content") or turn.get("value") or "")
    if named in ("function_call", "tool_call"):
        words, tag, _ = text.partition(_CALL)
        text = words if tag else ""
    elif named == "human" and text.startswith(_RESULT):
        role, text = "tool", text.removeprefix(_RESULT)
    if text.strip():
        yield Said(role, text.strip())
    calls: list[Any] = turn.get("tool_calls") or []
    for call in calls:
        yield Said("agent", str(call["function"]["name"]))


def find_texts(texts: Sequence[Said], rendered: Rendered) -> Places:
    """Find texts in what was made of them, one after the other.

    A foreign text that is found among trained tokens and stands in the untrained ones after them too is taken to be there: a
    short result may repeat an argument of the call before it.
    """
    whole = "".join(stretch.text for stretch in rendered.stretches)
    ends = list(accumulate(len(stretch.text) for stretch in rendered.stretches))
    places, at, n_found = Places(), 0, 0
    for role, text in texts:
        if (place := _find(whole, text, at, len(whole))) is None:
            places.n_missing += 1
            continue
        here = bisect_right(ends, place[0])
        if role != "agent" and rendered.stretches[here].trained and here + 1 < len(ends):
            place = _find(whole, text, ends[here], ends[here + 1]) or place
        at = place[1]
        n_found += len(text)
        places.found.append(Place(role, *place))
    places.share = n_found / (sum(len(text) for _, text in texts) or 1)
    places.n_after = len(whole) - at
    return places


def _find(whole: str, text: str, start: int, end: int) -> tuple[int, int] | None:
    """Return where a text stands, as it is or in one of the ways in which tokenizers and templates write it."""
    for written in dict.fromkeys((text, unicodedata.normalize("NFC", text), *_in_json(text))):
        at = whole.find(written, start, end)
        while at >= 0 and len(written) <= _SHORT and _in_word(whole, at, at + len(written)):
            at = whole.find(written, at + 1, end)
        if at >= 0:
            return at, at + len(written)
    return None


def _in_json(text: str) -> Iterator[str]:
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield json.dumps(text)[1:-1]


def _in_word(whole: str, start: int, end: int) -> bool:
    before, after = whole[max(0, start - 1) : start + 1], whole[end - 1 : end + 1]
    return any(len(pair) == 2 and pair.isalnum() for pair in (before, after))
