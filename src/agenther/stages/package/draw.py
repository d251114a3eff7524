"""Draw rows by their severity weight, for trainers that have no weight for single rows.

A row stays with the chance of its weight over the heaviest of its kind, so that what trains most is never lost and a file
whose rows all weigh the same stays whole. Which rows stay depends on the seed and their names alone: not on the consumer,
nor on who else is drawn, but for the heaviest weight.
"""

from __future__ import annotations

from typing import NamedTuple

from agenther.preferences import Unpaired
from agenther.stages.package.split import seeded_rank
from agenther.writers import Kind, Trainable


class Draw(NamedTuple):
    """What decides whether a row stays."""

    kind: Kind
    tenths: int
    """Its bucket: the severity weight w, rounded to tenths."""
    chance: float
    """Uniform in 0 to 1, the same for one name and seed."""


def draw_of(kind: Kind, record: Trainable, seed: int) -> Draw:
    """Return what decides whether the rows of a record stay; the two sides of a labelled run stay together."""
    name = record.trajectory_id if isinstance(record, Unpaired) else record.id
    return Draw(kind, bucket_of(record.weight), (seeded_rank(f"draw:{name}", seed) >> 32) / 2**32)


def bucket_of(weight: float) -> int:
    """Return a weight in whole tenths, halves rounded up."""
    return int(weight * 10 + 0.5)


def stays(tenths: int, chance: float, heaviest: int) -> bool:
    """Tell whether a row of this bucket and chance is drawn, where `heaviest` is the heaviest bucket of its kind."""
    return chance * heaviest < tenths
