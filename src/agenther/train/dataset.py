"""Samples as token sequences on disk, and what became of those that could not be trained."""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, List, Value
from datasets.arrow_writer import ArrowWriter

from agenther.errors import UserError, WriteError
from agenther.record import Json, JsonObject
from agenther.train.rows import Sample
from agenther.train.tokens import ChatTokens

IDS, MASK = List(Value("int32")), List(Value("bool"))
COLUMNS = {"ids": IDS, "trained": MASK, "weight": Value("float64"), "label": Value("bool")}
PAIRED = {"other_ids": IDS, "other_trained": MASK}
"""Columns of the worse side of a pair."""


@dataclass
class Tally:
    """What became of the rows."""

    rows: int = 0
    """Rows that are trained."""
    tokens: int = 0
    trained_tokens: int = 0
    """Tokens whose loss counts."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Rows that are trained, by kind, where there are several."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that are not trained, by reason."""

    def to_json(self) -> JsonObject:
        """Return the counts as JSON."""
        left_out: dict[str, Json] = dict(sorted(self.left_out.items()))
        kinds: dict[str, Json] = dict(sorted(self.kinds.items()))
        return {
            "rows": self.rows,
            "tokens": self.tokens,
            "trained_tokens": self.trained_tokens,
            "kinds": kinds,
            "left_out": left_out,
        }


def write_dataset(samples: Iterable[Sample], chat: ChatTokens, max_length: int, path: Path, tally: Tally) -> Dataset:
    """Turn samples into tokens and return them as a dataset that stays on disk.

    Args:
        samples: all of one method.
        chat: of the model that is trained.
        max_length: most tokens of a sequence; a longer row is left out.
        path: the Arrow file to write.
        tally: counts the rows.

    Raises:
        UserError: there is nothing to train.
    """
    writer: ArrowWriter | None = None
    for sample in samples:
        row = _row(sample, chat, max_length, tally)
        if row is not None:
            if writer is None:
                columns = COLUMNS if len(sample.sides) == 1 else COLUMNS | PAIRED
                writer = ArrowWriter(path=str(path), features=Features(columns))
            writer.write(row)
    if writer is None:
        reasons = "; ".join(f"{why} ({n})" for why, n in tally.left_out.most_common(3))
        raise UserError(
            f"nothing to train: {reasons or 'the data has no row'}", "`agenther stats OUT` says what it has"
        )
    writer.finalize()
    return Dataset.from_file(str(path))


def _row(sample: Sample, chat: ChatTokens, max_length: int, tally: Tally) -> dict[str, Any] | None:
    try:
        sides = [chat(side.messages, sample.tools, side.trained) for side in sample.sides]
    except WriteError as error:
        tally.left_out[error.message] += 1
        return None
    if max(len(side.ids) for side in sides) > max_length:
        tally.left_out[f"longer than {max_length} tokens"] += 1
        return None
    tally.rows += 1
    if sample.kind:
        tally.kinds[sample.kind] += 1
    tally.tokens += sum(len(side.ids) for side in sides)
    tally.trained_tokens += sum(sum(side.trained) for side in sides)
    row = {"ids": sides[0].ids, "trained": sides[0].trained, "weight": sample.weight, "label": sample.label}
    if len(sides) > 1:
        row |= {"other_ids": sides[1].ids, "other_trained": sides[1].trained}
    return row
