"""Putting the text of a run into a prompt so that nothing in it can pass for the prompt itself.

A run is hostile: it may hold instructions, fences, verdicts and role markers. It is escaped, and enclosed between marks
that its author could not know. The code that must come back stands after it only.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

_LOOK_ALIKE = {
    ord(character): plain
    for plain, characters in {
        "<": "＜﹤‹〈〈⟨❬❮❰⧼˂ᐸ",
        ">": "＞﹥›〉〉⟩❭❯❱⧽˃ᐳ",
        "«": "≪《⟪",
        "»": "≫》⟫",
        "|": "¦ǀ∣│❘￨",
        "[": "【",
        "]": "】",
    }.items()
    for character in characters
}
"""Signs that a reader may take for a plain one."""
_FENCE_LIKE = re.compile(r"[<«]{3,}|«[<«]|<«|[>»]{3,}|»[>»]|>»")
"""What could be taken for one of our marks. Two plain brackets are a shift or a here-document, and stay."""

_ANGLE_WORDS = r"""
    s|bos|eos|pad|unk|cls|sep|mask|sop|eop|eod|eot|eom|eoa|eoh|bot|unused_?\d+|extra_id_\d+|reserved_\d+|special_\d+
    |(?:bos|eos|pad|unk|cls|sep|mask|end_of_turn|start_of_turn)_token|tokens_unused_\d+|seed:\w+|用户|AI
    |(?:start|end)_of_(?:turn|image|audio|video)|(?:image|audio|video)(?:_pad|_soft_token)?|img|img_context
    |think(?:ing)?|analysis|channel|system|user|assistant|human|instructions?
    |tools?|tool_?calls?|tool_?resp(?:onse)?s?|tool_results?|available_tools|function_?(?:calls?|results?|response)
    |minimax:tool_call|arg_key|arg_value
"""
"""Words that in angle brackets part turns, thoughts and calls in some template."""
_SQUARE_WORDS = r"""
    inst|system_prompt|available_tools|tool_calls|tool_results|tool_content|args|call_id|model_settings|think
    |img|img_break|img_end|audio|begin_audio|prefix|middle|suffix|bos|eos|eot|eom|pad|unk|cls|sep|g?mask|smask
"""
_TEMPLATE_MARK = re.compile(
    rf"""
    <(?=[|])|[|](?=[>\]])|</?(?:{_ANGLE_WORDS})(?=\s*/?>)|<</?SYS(?=>>)
    |</?(?:\w+:)?(?:function_calls|invoke|parameter|function)(?=[ =>])
    |\[(?=[|])|\[/?(?:{_SQUARE_WORDS})(?=\])|\](?=~!?b\[|<\]|~b\])|\[(?=e~\[)
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Marks by which chat templates part turns, up to where one is broken: a tokenizer may turn them into the real ones."""
_TURN_MARK = re.compile(
    r"<[|][^<>|\n]{1,40}[|]>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|[<«]{3}[^<>\n]{1,60}[>»]{3}", re.IGNORECASE
)
"""Of these and of fences, what no answer has a reason to hold; the others are words that a page or a program may use."""
_ROLE = re.compile(
    r"^(?:[ \t#>*_-]*(?:(?:GPT4 Correct )?(?:human|user|assistant|system)|AI)"
    r"|[ \t]*\#+[ \t]*(?:instructions?|response|input))[ \t*_]*(?=:)",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that starts as a turn does in templates that part turns by words."""

_ODD = re.compile(r"[^\n\t -~¡-¬®-˿]+")
"""Runs of characters among which some may be hidden."""
_BLANK = frozenset(
    map(
        chr,
        (
            *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE0E),
            *range(0xE0100, 0xE01F0),
            *(0x22D8, 0x22D9, 0x2AF7, 0x2AF8),
        ),
    )
)
"""Letters and marks that show as nothing or as three brackets, though their category does not say so."""
_COLOURS = re.compile("[\ufe0e\ufe0f]+")
"""Selectors that only say whether the sign before them is drawn in colour: they are left out."""
_MOST_HIDDEN = 8
"""Hidden characters in a row that are written out one by one; of more, their number is told."""


@dataclass(frozen=True)
class Fenced:
    """A text between its marks."""

    text: str
    """The marks and what stands between them, escaped."""
    mark: str
    """The mark, unguessable for whoever wrote the text."""
    canary: str
    """A code that stands nowhere in the text and must come back with the answer."""

    def why_steered(self, canary: str, *said: str) -> str | None:
        """Return what in the structure of an answer shows that the text may have steered it; None when nothing does.

        Args:
            canary: the code that came back.
            said: every other text of the answer.
        """
        if canary.strip() != self.canary:
            return "the code did not come back"
        for text in said:
            if self.mark in text or self.canary in text:
                return "a mark of the fence stands in the answer"
            if _TURN_MARK.search(_folded(text)):
                return "a mark that parts turns stands in the answer"
        return None


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
        """Return 64 bits that only the secret and the text decide: that a text holds its own is as likely as guessing them."""
        return hmac.new(self._secret, f"{what}/{text}".encode(), hashlib.sha256).hexdigest()[:16]


def escape(text: str) -> str:
    """Write out what is hidden and break what could steer a reader or a chat template; all else stays as it is.

    Line ends become plain ones, and emoji lose the selector of their colours. Escaping twice changes nothing more.
    """
    text = _COLOURS.sub("", text).replace("\r\n", "\n")
    pieces: list[str] = []
    at = 0
    for start, end, shown in _edits(text):
        pieces += text[at:start], shown
        at = end
    return "".join((*pieces, text[at:]))


def _edits(text: str) -> list[tuple[int, int, str]]:
    """Return what is shown otherwise: start, end and what stands there instead, in order."""
    folded = _folded(text)
    breaks = {at for found in _FENCE_LIKE.finditer(folded) for at in range(found.start() + 1, found.end())}
    breaks |= {found.end() for pattern in (_TEMPLATE_MARK, _ROLE) for found in pattern.finditer(folded)}
    return sorted([*_hidden(text), *((at, at, "\\") for at in breaks)])


def _hidden(text: str) -> Iterator[tuple[int, int, str]]:
    for odd in _ODD.finditer(text):
        at = odd.start()
        for hidden, group in groupby(odd.group(), _is_hidden):
            characters = "".join(group)
            end = at + len(characters)
            if hidden:
                yield at, end, _written_out(characters)
            at = end


def _is_hidden(character: str) -> bool:
    return character in _BLANK or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _written_out(characters: str) -> str:
    more = len(characters) - _MOST_HIDDEN
    each = "".join(f"\\u{{{ord(character):x}}}" for character in characters[:_MOST_HIDDEN])
    return f"{each}\\u{{and {more} more}}" if more > 0 else each


class _Folding(dict[int, int]):
    """Each character as the one that it may be taken for; made as they occur."""

    def __missing__(self, code: int) -> int:
        plain = _LOOK_ALIKE.get(code) or unicodedata.normalize("NFKC", chr(code))
        self[code] = ord(plain) if len(plain) == 1 else code
        return self[code]


_FOLDING = _Folding()


def _folded(text: str) -> str:
    """Return a text of the same length in which characters that look alike are the same."""
    return text if text.isascii() else text.translate(_FOLDING)
