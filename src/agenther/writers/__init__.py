"""Writers: training examples out, in the dialect of each consumer. One file a consumer."""

from agenther.writers.base import Kind, Row, Trainable, Writer, checked_rows, kind_of, row_line
from agenther.writers.card import dataset_card
from agenther.writers.registry import DEFAULT, WRITERS, known_consumers
from agenther.writers.sidecars import FileSize, Tokens

__all__ = [
    "DEFAULT",
    "WRITERS",
    "FileSize",
    "Kind",
    "Row",
    "Tokens",
    "Trainable",
    "Writer",
    "checked_rows",
    "dataset_card",
    "kind_of",
    "known_consumers",
    "row_line",
]
