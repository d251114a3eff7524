"""How much stands in the files of rows, in bytes and tokens, and what did not fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from agenther.record import JsonObject


class Size(NamedTuple):
    """How long a row is."""

    n_tokens: int = 0
    is_window: bool = False
    """Whether it is a part of a longer example."""


@dataclass
class Sizes:
    """How much stands in one file."""

    n_rows: int = 0
    longest: int = 0
    """Bytes of its longest line."""
    n_tokens: int = 0
    most_tokens: int = 0
    """Of its longest row."""
    windows: int = 0
    """Rows that are parts of longer examples."""
    unfit: Counter[str] = field(default_factory=Counter[str])
    """What is in no row of it for its length: rows that are `too_long`, and steps of examples that were split."""

    def __bool__(self) -> bool:
        return bool(self.n_rows or self.unfit)

    def add(self, n_bytes: int, size: Size) -> None:
        """Count a line."""
        self.n_rows += 1
        self.longest = max(self.longest, n_bytes)
        self.n_tokens += size.n_tokens
        self.most_tokens = max(self.most_tokens, size.n_tokens)
        self.windows += size.is_window

    def said(self, max_tokens: int) -> str:
        """Return in words what was split and what did not fit; nothing where all did."""
        n_steps = self.unfit.total() - self.unfit["too_long"]
        parts = (
            f"{self.windows} of them windows" if self.windows else "",
            f"{self.unfit['too_long']} rows over {max_tokens} tokens set aside in set_aside.jsonl"
            if self.unfit["too_long"]
            else "",
            f"{n_steps} steps in no window, see set_aside.jsonl" if n_steps else "",
        )
        return f"  ({', '.join(filter(None, parts))})" if any(parts) else ""

    def to_json(self) -> JsonObject:
        """Return what is said of tokens; what did not fit only where something did not."""
        windows: JsonObject = {"windows": self.windows} if self.windows or self.unfit else {}
        unfit: JsonObject = dict(sorted(self.unfit.items()))
        return {"n_tokens": self.n_tokens, "most_tokens": self.most_tokens, **windows, **unfit}
