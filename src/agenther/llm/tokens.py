"""About how many tokens a text has, rather too many than too few: a weighted count of its characters by class.

No tokenizer is needed, so none is downloaded.

The weights are a 97% quantile regression on the most tokens that the tokenizers o200k_base, cl100k_base and tekken make
of texts of agent runs, and of texts made hard on purpose (base64, hex, identifiers, tables, numbers). On 2,794 texts of
runs from 14 sources the estimate is in the median 1.23 times the largest of the three counts, at the 99th percentile
1.6; 1.3% of the texts have more tokens than estimated, by a tenth at most. Random lower-case letters have up to 2.5 times
the estimate, prose in other scripts has half of it or less.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from agenther.llm.base import Request

_PER_WORD = 0.4
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_LETTERS = bytes(ord("a") if chr(code).isalpha() and code < 128 else ord(" ") for code in range(256))
"""Turns each letter into `a` and all else into a space, so that words begin at ` a`."""
_WEIGHTS: tuple[tuple[bytes, float], ...] = (
    (_LOWER, 0.15),
    (_LOWER.upper(), 1.0),
    (b"0123456789", 1.4),
    (bytes(code for code in range(33, 127) if not chr(code).isalnum()), 0.7),
    (b" \t", 0.15),
    (b"\n\r", 0.65),
    (bytes(range(0xC2, 0xE0)), 0.8),
    (bytes(range(0xE0, 0xF0)), 1.6),
    (bytes(range(0xF0, 0xF5)), 4.0),
)
"""Tokens for each byte of a class; no byte is of two. Characters beyond ASCII count at their first byte."""
_PER_MESSAGE = 8
"""Tokens that mark a message's beginning, role and end."""


def estimate_tokens(text: str) -> int:
    """Return an estimate, on the upper side, of the tokens of a text."""
    raw = text.encode("utf-8", "surrogatepass")
    tokens = _PER_WORD * (b" " + raw.translate(_LETTERS)).count(b" a")
    left = raw
    for kind, weight in _WEIGHTS:
        if not left:
            break
        before, left = left, left.translate(None, kind)
        tokens += weight * (len(before) - len(left))
    return math.ceil(tokens)


def estimate_prompt(request: Request) -> int:
    """Return an estimate, on the upper side, of the tokens of a request's prompt; servers may put the schema into it."""
    texts: Iterable[str] = (message.content for message in request.messages)
    schema = estimate_tokens(str(request.form.json_schema)) if request.form is not None else 0
    return sum(estimate_tokens(text) + _PER_MESSAGE for text in texts) + schema
