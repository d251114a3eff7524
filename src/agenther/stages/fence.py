"""Putting the text of a run into a prompt so that nothing in it can pass for the prompt itself.

A run is hostile: it may hold instructions, fences, verdicts and role markers. It is escaped, and enclosed between marks
that its author could not know. The code that must come back stands after it only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from dataclasses import dataclass

_TEMPLATE_MARKS = re.compile(
    r"<\||\|>|<<SYS>>|<</SYS>>|\[/?INST\]|</?s>|<(?:start|end)_of_turn>|<[｜|]|[｜|]>", re.IGNORECASE
)
"""Marks by which chat templates part the turns: a tokenizer may turn them into the real ones."""


@dataclass(frozen=True)
class Fenced:
    """A text between its marks."""

    text: str
    """The marks and what stands between them, escaped."""
    mark: str
    """The mark, unguessable for whoever wrote the text."""
    canary: str
    """A code that stands nowhere in the text and must come back with the answer."""


class Fencer:
    """Makes fences. Equal texts get equal marks, so that equal prompts can share a cached answer."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def enclose(self, title: str, text: str) -> Fenced:
        """Escape a text and put it between marks.

        Args:
            title: a word or two, ours, that says what it is: `RUN`.
            text: what a stranger wrote.
        """
        shown = escape(text)
        mark, canary = self._code("mark", shown), self._code("canary", shown)
        return Fenced(f"<<<{title} {mark}>>>\n{shown}\n<<<END {title} {mark}>>>", mark, canary)

    def _code(self, what: str, text: str) -> str:
        for number in range(256):
            digest = hmac.new(self._secret, f"{what}/{number}/{text}".encode(), hashlib.sha256).hexdigest()[:16]
            if digest not in text:
                return digest
        raise AssertionError("256 codes of 64 bits stand in one text")


def escape(text: str) -> str:
    """Write out what is invisible or steers a terminal, a reader or a chat template; all else stays as it is."""
    shown = text if text.replace("\n", "").replace("\t", "").isprintable() else "".join(map(_written_out, text))
    shown = _TEMPLATE_MARKS.sub(lambda match: "\\".join(match.group()), shown)
    return shown.replace("<<<", "<\\<\\<").replace(">>>", ">\\>\\>")


def _written_out(character: str) -> str:
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return f"\\u{{{ord(character):x}}}" if hidden and character not in "\n\t" else character
