"""Browser runs: the pages that an agent saw, the elements on them, and what it did there.

Understands pages that open with their URL and list elements as an accessibility tree: `[12] link 'Orders'` (BrowserGym,
WebArena) or `- link "Orders" [ref=e12]` (Playwright's snapshots). What a page is good for belongs to the stages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import unquote_plus, urlunsplit

from agenther.texts import split_url
from agenther.trajectory import Span, Step, ToolCall, Trajectory

_HEAD = 2000
"""The URL, title and error of a page stand within this many characters."""
_URL = re.compile(r"^(?:- )?(?:Page )?URL: (?P<url>\S+)[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"^(?:- )?(?:Page )?Title: (?P<name>\S.*?)[ \t]*$", re.MULTILINE)
_ERROR = re.compile(r"^(?:#+ )?Error: ", re.MULTILINE)
_ELEMENT = re.compile(
    r"""^[ \t]*(?:-\ )?(?:\[(?P<bid>[^\]\s]{1,24})\][ \t]+)?(?P<role>[A-Za-z]{2,24})[ \t]+
    (?P<quote>['"])(?P<name>[^\n]{0,300}?)(?P=quote)(?P<rest>[:, ][^\n]*)?$""",
    re.VERBOSE | re.MULTILINE,
)
_POPS_UP = re.compile(r"\b(?:hasPopup|expanded)\b")
_REF = re.compile(r"\[ref=(\w+)\]")
_SEPARATOR = re.compile(r"\s+[|/·–—:»-]\s+")
_BROKEN = re.compile(
    r"\b(?:40[0-9]|50[0-9]|not found|forbidden|access denied|unauthori[sz]ed|error|whoops|oops|log ?in|sign ?in|captcha"
    r"|about:blank|new tab|problem|unavailable|just a moment|(?:search )?results)\b",
    re.IGNORECASE,
)
"""Titles of pages on which nobody arrives on purpose."""
_PREFIX = re.compile(r"^(?:browser_|page\.|web_|mouse_|keyboard_)")


class Element(NamedTuple):
    """An element of a page's accessibility tree."""

    bid: str
    """Id by which actions name it; empty when it has none."""
    role: str
    name: str
    at: tuple[int, int]
    """Place of the name in the field that shows the page."""
    unfolds: bool = False
    """The page says of it that it opens and closes something, such as a menu."""


@dataclass(frozen=True)
class Page:
    """A page as the agent saw it."""

    step: int
    field: str
    start: int
    """Where in the field the page begins."""
    text: str
    url: str
    url_at: tuple[int, int]

    def span(self, at: tuple[int, int]) -> Span:
        """Return the span of a place in the field."""
        return Span(step=self.step, field=self.field, start=at[0], end=at[1])

    @property
    def place(self) -> str:
        """The URL without its fragment and closing slash: two pages with the same one are the same."""
        parts = split_url(self.url)
        return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), parts.query, ""))

    @property
    def error(self) -> str | None:
        """What the page says of the action that led here having failed; None when it does not."""
        found = _ERROR.search(self.text[:_HEAD])
        return None if found is None else self.text[found.end() :].partition("\n")[0]

    @property
    def failed(self) -> bool:
        """Whether the action that led here met an error."""
        return self.error is not None

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """The named elements in the order of the page."""
        return tuple(
            Element(
                _bid(m),
                m["role"].lower(),
                m["name"].strip(),
                (self.start + m.start("name"), self.start + m.end("name")),
                _POPS_UP.search(m["rest"] or "") is not None,
            )
            for m in _ELEMENT.finditer(self.text)
            if m["name"].strip()
        )

    @cached_property
    def title(self) -> Element | None:
        """The title, from its own line or from the root of the tree."""
        if (line := _TITLE.search(self.text[:_HEAD])) is not None:
            return Element("", "title", line["name"], (self.start + line.start("name"), self.start + line.end("name")))
        return next((one for one in self.elements if one.role in ("rootwebarea", "webarea", "document")), None)

    def find(self, bid: str) -> Element | None:
        """Return the element that an action names."""
        return next((one for one in self.elements if one.bid == bid), None) if bid else None

    @property
    def sound(self) -> bool:
        """Whether this is a page that one may want to open: neither an error nor a request to log in."""
        return self.title is not None and not self.failed and _BROKEN.search(self.title.name) is None

    @cached_property
    def name(self) -> Element | None:
        """How the page calls itself: the first part of its title, when a heading or a tab says the same; else None."""
        if self.title is None:
            return None
        first = _SEPARATOR.split(self.title.name)[0].strip(" .:")
        same = (one for one in self.elements if one.role in ("heading", "tab") and _alike(one.name, first))
        return next(same, None)


class Action(NamedTuple):
    """What an agent did in the browser."""

    kind: str
    """Name of the action without the prefix of its tool: `click`, `fill`, `goto`."""
    bid: str
    text: str
    """What it typed or chose, or the address that it went to; empty when nothing."""
    sends: bool = False
    """It pressed Enter after typing."""


class Visit(NamedTuple):
    """One action with the page on which it was taken and the page that it led to."""

    step: Step
    action: Action | None
    """None when the step holds several calls, or none."""
    before: Page | None
    after: Page | None
    target: Element | None
    """The element that the action names, on the page before."""


def pages_of(step: Step) -> Iterator[Page]:
    """Yield the pages that a step shows: in its observations, or in a user turn."""
    fields = [("message", step.message)] if step.source == "user" else []
    fields += [(f"observations[{i}].content", one.content) for i, one in enumerate(step.observations)]
    for field, text in fields:
        if "URL: " not in text:
            continue
        found = _URL.search(text) if step.source == "user" else _URL.search(text, 0, _HEAD)
        if found is not None:
            yield Page(step.step_id, field, found.start(), text[found.start() :], found["url"], found.span("url"))


def visits(trajectory: Trajectory) -> list[Visit]:
    """Return what a run did in the browser, step by step; empty when it shows no page."""
    if not any(True for step in trajectory.steps for _ in pages_of(step)):
        return []
    made: list[Visit] = []
    page: Page | None = None
    for step in trajectory.steps:
        after = next(iter(list(pages_of(step))[-1:]), None)
        if step.source == "agent":
            action = _action(step.tool_calls[0]) if len(step.tool_calls) == 1 else None
            target = page.find(action.bid) if page is not None and action is not None else None
            made.append(Visit(step, action, page, after, target))
        page = after or page
    return made


def queried(url: str, text: str) -> bool:
    """Tell whether a URL asks for a text: in its query, or as a part of its path."""
    parts = split_url(url)
    asked = [unquote_plus(pair.partition("=")[2]) for pair in parts.query.split("&")]
    return any(_alike(one, text) for one in (*asked, *map(unquote_plus, parts.path.split("/"))) if one)


def _alike(a: str, b: str) -> bool:
    return " ".join(a.split()).casefold() == " ".join(b.split()).casefold() != ""


def _bid(match: re.Match[str]) -> str:
    ref = _REF.search(match["rest"] or "")
    return match["bid"] or (ref.group(1) if ref else "")


def _action(call: ToolCall) -> Action:
    values = call.values
    first = next((values[n] for n in ("bid", "element_id", "id", "ref", "element", "index") if n in values), "")
    typed = next(
        (values[n] for n in ("value", "text", "content", "options", "values", "key_comb", "key", "url") if n in values),
        "",
    )
    if isinstance(typed, list) and len(typed) == 1:
        typed = typed[0]
    kind = _PREFIX.sub("", call.function_name.lower())
    sends = any(values.get(name) is True for name in ("press_enter", "press_enter_after", "submit"))
    return Action(kind, str(first), typed if isinstance(typed, str) else "", sends)
