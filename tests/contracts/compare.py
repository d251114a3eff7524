"""Compares what a framework trains with what it must: token by token, by who speaks.

The tokenizer's tokens are bytes and a few marks, so that a difference of one token is a difference of text.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.expected import Turn


@dataclass
class Count:
    """What a framework made of the rows of a kind."""

    rows: int = 0
    loaded: int = 0
    tokens: int = 0
    trained: int = 0
    """Tokens whose loss counts."""
    wrongly: Counter[str] = field(default_factory=Counter)
    """Characters that are trained and must not be, by who said them."""
    missed: int = 0
    """Characters of the agent that must be trained and are not."""
    unlike: list[str] = field(default_factory=list)
    """Sides whose text is not that of the turns."""
    scales: set[float] = field(default_factory=set)

    @property
    def faultless(self) -> bool:
        """Whether all rows were loaded and exactly the right tokens train."""
        return bool(self.rows) and self.loaded == self.rows and not (self.wrongly or self.missed or self.unlike)

    def add(self, line: dict[str, Any], turns: list[Turn]) -> None:
        """Count a side."""
        self.loaded += line["side"] in ("", "chosen")
        self.scales |= set(line["scales"] or ())
        self.tokens += sum(n for _, n, _ in line["stretches"])
        self.trained += sum(n for trained, n, _ in line["stretches"] if trained)
        text = "".join(part for _, _, part in line["stretches"])
        expected = "".join(turn.text for turn in turns)
        if not text.endswith(expected):
            self.unlike.append(_difference(text, expected))
            return
        flags = [trained for trained, _, part in line["stretches"] for _ in part]
        at = len(text) - len(expected)
        self._mark("system", sum(flags[:at]))
        for turn in turns:
            own = flags[at : at + len(turn.text)]
            at += len(turn.text)
            if turn.trained:
                self.missed += len(own) - sum(own)
            else:
                self._mark(turn.role if turn.role != "agent" else "masked", sum(own))

    def _mark(self, role: str, n: int) -> None:
        if n:
            self.wrongly[role] += n


def _difference(text: str, expected: str) -> str:
    """Return where a text first differs from what was expected, seen from its end."""
    n = 0
    while n < min(len(text), len(expected)) and text[-1 - n] == expected[-1 - n]:
        n += 1
    found, wanted = (one[max(0, len(one) - n - 60) : len(one) - n + 20] for one in (text, expected))
    return f"found …{found!r}, expected …{wanted!r}"
