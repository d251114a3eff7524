"""The action language of WebArena: `click [12]`, `type [12] [text] [1]`, `stop [answer]`, written between code fences.

Numbers name elements of the page's accessibility tree. The harness takes the first fenced block of a turn and passes over one
that it cannot parse; so does this module. Which turns an agent took is not its affair.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from agenther.record import JsonObject

_FENCE = re.compile(r"```(?P<body>.*?)```", re.DOTALL)
_VERB = re.compile(r"\s*(?P<verb>[a-z_]+)[ \t]*(?=\[|\s|\Z)")
_WHERE = re.compile(r" where \[\d*\] is(?: |\Z)")
_ELEMENT = re.compile(r"\w+ ?\[(?P<bid>\d+)\]")
_TYPED = re.compile(r"type ?\[(?P<bid>\d+)\] ?\[(?P<text>.+?)\](?: ?\[(?P<enter>[01])\])?\Z", re.DOTALL)
_BRACKETS = re.compile(r"\w+ ?\[(?P<text>.+)\]", re.DOTALL)
_DIRECTION = re.compile(r"scroll ?\[?(?:direction=)?(?P<text>up|down)\]?")
_BARE = frozenset({"new_tab", "close_tab", "go_back", "go_forward"})
_ARGUMENT = {"press": "key_comb", "goto": "url"}
_SAME = {"page_focus": "tab_focus", "page_close": "close_tab"}
"""What the harness calls an action when it prints it, to what agents call it."""
_LONGEST = 50_000
"""A block with more characters is no action."""


class WebAction(NamedTuple):
    """An action of the language."""

    name: str
    arguments: JsonObject
    at: tuple[int, int] | None
    """Its place in the turn's text; None when it was not written there."""


def taken_action(turn: str, printed: str | None = None) -> WebAction | None:
    """Return the action that the harness took from a turn; None when it took none.

    Args:
        turn: what the model wrote.
        printed: the action as the harness printed it, where the log has that; it decides.
    """
    blocks = [match.span("body") for match in _FENCE.finditer(turn)][:1] or [(0, len(turn))]
    written = _parse_at(turn, *blocks[0])
    if printed is None:
        return written
    took = _parse(printed)
    if took is None or (written is not None and written.name == took[0]):
        return None if took is None else written
    return WebAction(*took, None)


def _parse_at(turn: str, start: int, end: int) -> WebAction | None:
    block = turn[start:end]
    parsed = _parse(block)
    if parsed is None:
        return None
    start += len(block) - len(block.lstrip())
    return WebAction(*parsed, (start, start + len(block.strip())))


def _parse(text: str) -> tuple[str, JsonObject] | None:
    """Return the name and the arguments of one written action; None when it is none."""
    verb = _VERB.match(text) if len(text) <= _LONGEST else None
    if verb is None:
        return None
    name, action = _SAME.get(verb["verb"], verb["verb"]), text.strip()
    match name:
        case "click" | "hover":
            found = _ELEMENT.match(action)
            return None if found is None else (name, {"bid": found["bid"]})
        case "type":
            return _typed(action)
        case "scroll":
            found = _DIRECTION.match(action)
            return None if found is None else (name, {"direction": found["text"]})
        case "tab_focus":
            found = _ELEMENT.match(action)
            return None if found is None or len(found["bid"]) > 9 else (name, {"index": int(found["bid"])})
        case "stop":
            found = _BRACKETS.match(action)
            return name, {"answer": "" if found is None else found["text"]}
        case "press" | "goto":
            found = _BRACKETS.match(action)
            return None if found is None else (name, {_ARGUMENT[name]: found["text"]})
        case _:
            return (name, {}) if name in _BARE else None


def _typed(action: str) -> tuple[str, JsonObject] | None:
    """Return a typing action; Enter is pressed after it unless it says otherwise. As printed, Enter is a blank at the end."""
    where = _WHERE.search(action)
    found = _TYPED.match(action if where is None else action[: where.start()])
    if found is None:
        return None
    text = found["text"]
    enter = found["enter"] != "0" if where is None else text.endswith(" ")
    return "type", {
        "bid": found["bid"],
        "text": text if where is None else text.removesuffix(" "),
        "press_enter": enter,
    }
