"""The title and the visible text of an HTML page, in one pass, however the page is broken or nested."""

from __future__ import annotations

import html
import re

_TITLE = re.compile(r"<title\b[^<>]{0,200}>(?P<title>[^<]*)", re.IGNORECASE)
_TAG = re.compile(r"<!--|<![a-zA-Z][^<>]*>|<(?P<close>/?)(?P<name>[a-zA-Z][a-zA-Z0-9:-]{0,30})[^<>]*>")
_HIDDEN = {
    name: re.compile(rf"</{name}\b[^<>]*>", re.IGNORECASE)
    for name in ("script", "style", "head", "noscript", "template", "svg")
}
"""Elements whose text nobody sees on the page, with what closes them."""
_INLINE = frozenset(
    "a abbr b bdi big cite code em font i img label mark q s small span strong sub sup time u var".split()
)


def page_title(page: str) -> str:
    """Return the title of a page on one line; empty when it has none."""
    found = _TITLE.search(page)
    return " ".join(html.unescape(found["title"]).split()) if found else ""


def page_text(page: str) -> str:
    """Return what can be read on a page, a line for each block; what hides by style is not known to be hidden."""
    pieces: list[str] = []
    at = 0
    while (tag := _TAG.search(page, at)) is not None:
        pieces.append(page[at : tag.start()])
        at = tag.end()
        name = (tag["name"] or "").lower()
        if tag.group() == "<!--":
            close = page.find("-->", at)
            at = len(page) if close < 0 else close + 3
        elif name in _HIDDEN and not tag["close"]:
            closing = _HIDDEN[name].search(page, at)
            at = len(page) if closing is None else closing.end()
        elif name not in _INLINE:
            pieces.append("\n")
    pieces.append(page[at:])
    lines = (" ".join(line.split()) for line in html.unescape("".join(pieces)).splitlines())
    return "\n".join(line for line in lines if line)
