"""What a framework makes of the rows of a finished job, counted: tokens by who speaks, and which rows it leaves out.

Rows that a framework loaded are found in the file again by their texts, for frameworks do not say which they dropped.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

from agenther.errors import UserError
from agenther.record import JsonObject
from agenther.train.encoders import Part
from agenther.train.rows import read_lines
from agenther.train.speakers import Places, Rendered, find_texts, texts_of, turns_of

AHEAD = 64
"""Rows among which one is looked for that a framework loaded."""
MOST_NAMES = 100
"""Ids of rows that are named, of those that are counted."""
_AFTER = 400
"""Characters that may follow the last text of a row: the arguments of a short call and marks."""


@dataclass
class Account:
    """What became of the rows of a part."""

    kind: str
    side: str
    rows: int = 0
    """Rows of the file."""
    seen: int = 0
    """Rows of the file until the last one that was looked at; all of them without a limit."""
    loaded: int = 0
    tokens: int = 0
    trained: int = 0
    """Tokens whose loss counts."""
    longest: int = 0
    """Tokens of the longest side of a row."""
    by_role: dict[tuple[bool, str], float] = field(default_factory=lambda: defaultdict(float))
    """Tokens by whether they train and who says them: by the share of characters where a stretch has several speakers."""
    n_unlike: int = 0
    """Rows of which a text is cut, left out or rewritten."""
    unlike: list[str] = field(default_factory=list[str])
    """Ids of the first of them."""
    dropped: list[str] = field(default_factory=list[str])
    """Ids of the first rows that the framework did not load."""
    scales: set[float] = field(default_factory=set[float])

    @property
    def n_dropped(self) -> int:
        """Rows that the framework did not load."""
        return self.seen - self.loaded

    def roles(self, trained: bool) -> dict[str, int]:
        """Return how many tokens train, or do not, by who says them; what is no found text is the agent's, or the template's."""
        by = {name: ceil(self.by_role[trained, name]) for name in ("system", "user", "tool")}
        total = self.trained if trained else self.tokens - self.trained
        if not trained:
            by["agent"] = ceil(self.by_role[False, "agent"])
        return by | {"agent" if trained else "template": max(0, total - sum(by.values()))}

    def to_json(self) -> JsonObject:
        """Return it as JSON."""
        return {
            "kind": self.kind,
            "side": self.side,
            "rows": self.rows,
            "seen": self.seen,
            "loaded": self.loaded,
            "dropped": self.n_dropped,
            "dropped_ids": [*self.dropped],
            "unlike": self.n_unlike,
            "unlike_ids": [*self.unlike],
            "tokens": self.tokens,
            "longest": self.longest,
            "trained": self.trained,
            "trained_by": {**self.roles(True)},
            "untrained_by": {**self.roles(False)},
            "scales": [*sorted(self.scales)],
        }

    def add(self, rendered: Rendered, places: Places) -> None:
        """Count a side."""
        n_tokens = sum(stretch.n_tokens for stretch in rendered.stretches)
        self.tokens += n_tokens
        self.longest = max(self.longest, n_tokens)
        self.scales.update(rendered.scales)
        start = 0
        for stretch in rendered.stretches:
            end = start + len(stretch.text)
            self.trained += stretch.n_tokens * stretch.trained
            for role, a, b in places.found:
                if (n := min(b, end) - max(a, start)) > 0:
                    self.by_role[stretch.trained, role] += stretch.n_tokens * n / (end - start)
            start = end


class Matched(NamedTuple):
    """A side that the framework loaded, and the row that it is."""

    id: str
    rendered: Rendered
    places: Places


def account_of(
    part: Part,
    rendered: Iterable[Rendered],
    limit: int | None = None,
    see: Callable[[Matched], None] = lambda _: None,
) -> Account:
    """Count what a framework makes of the rows of a part.

    Args:
        part: whose rows.
        rendered: what the framework made of them.
        limit: rows after which the framework was stopped.
        see: called with each side.
    """
    account = Account(part.kind, part.side, rows=count_rows(part.rows))
    rows = _Rows(part.rows)
    row: dict[str, Any] = {}
    unlike = -1
    for one in rendered:
        if one.row >= account.loaded:
            row = rows.take(one)
            account.loaded = one.row + 1
        places = find_texts(list(texts_of(row, one.side)), one)
        if places.n_missing and unlike != one.row:
            unlike = one.row
            account.n_unlike += 1
            account.unlike += [row_id(row)] if len(account.unlike) < MOST_NAMES else []
        account.add(one, places)
        see(Matched(row_id(row), one, places))
    if limit is None or account.loaded < limit:
        rows.pass_over_rest()
    account.seen = rows.seen
    account.dropped = rows.passed
    return account


def count_rows(path: Path) -> int:
    """Return how many rows a file has.

    Raises:
        UserError: there is none.
    """
    try:
        with path.open("rb") as file:
            return sum(1 for _ in file)
    except OSError as error:
        hint = f"`agenther export OUT --for {path.parent.name}` writes it"
        raise UserError(f"{path}: expected rows for {path.parent.name}, found no file", hint) from error


def row_id(row: dict[str, Any]) -> str:
    """Return the id of the label or preference that a row is made of."""
    return str(row["id"] if "id" in row else json.loads(row["metadata"])["id"])


class _Rows:
    """The rows of a file, taken as a framework loads them."""

    def __init__(self, path: Path) -> None:
        self._rest = (row for _, row in read_lines(path))
        self._ahead: deque[dict[str, Any]] = deque()
        self.passed: list[str] = []
        """Ids of the first rows that were passed over."""
        self.seen = 0

    def take(self, rendered: Rendered) -> dict[str, Any]:
        """Return the next row that a framework's rendering may be of: the first with all its texts, else with the most."""
        self._fill(1)
        if not self._ahead:
            raise UserError("expected at most the rows of the file, found a framework that makes more")
        best = 0
        if not _likeness(self._ahead[0], rendered)[0]:
            self._fill(AHEAD)
            likeness = [_likeness(row, rendered) for row in self._ahead]
            best = likeness.index(max(likeness))
        for _ in range(best):
            self._pass_over(self._ahead.popleft())
        self.seen += 1
        return self._ahead.popleft()

    def pass_over_rest(self) -> None:
        """Note the rows that no rendering is of."""
        while self._ahead or self._fill(1):
            self._pass_over(self._ahead.popleft())

    def _fill(self, n: int) -> bool:
        self._ahead.extend(islice(self._rest, max(0, n - len(self._ahead))))
        return bool(self._ahead)

    def _pass_over(self, row: dict[str, Any]) -> None:
        self.seen += 1
        if len(self.passed) < MOST_NAMES:
            self.passed.append(row_id(row))


def _likeness(row: dict[str, Any], rendered: Rendered) -> tuple[bool, float]:
    """Return whether all texts of a row are in a rendering that ends with them, and the share of them that is."""
    places = find_texts(list(texts_of(row, rendered.side)), rendered)
    return not places.n_missing and places.n_after <= _AFTER + _last_arguments(row, rendered.side), places.share


def _last_arguments(row: dict[str, Any], side: str) -> int:
    """Return a bound of the characters of the calls that end a row, which are written otherwise by each template."""
    turns = turns_of(row, side)
    return 2 * len(json.dumps(turns[-1])) if turns else 0
