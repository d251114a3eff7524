"""The files that trainers load, on the train or the test side, for every consumer and kind.

KTO rows are shuffled so that a run's two rows lie about half the file apart: trainers that estimate the KL term inside a
batch would else compare a text with itself.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from agenther.jobs.files import write_atomically
from agenther.jobs.lines import SET_ASIDE, Line, Turn
from agenther.stages.package.split import Side
from agenther.writers import DEFAULT, WRITERS, FileSize, Kind

SIDES: tuple[Side, ...] = ("train", "test")


class TrainingFiles:
    """All training files of an output folder, written together and named only when all are complete."""

    def __init__(self, out: Path, consumers: tuple[str, ...] = DEFAULT) -> None:
        self._out = out
        self._writers = [WRITERS[name] for name in consumers]
        self._open = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self.rows: Counter[str] = Counter()
        self._longest: Counter[str] = Counter()

    def __enter__(self) -> Self:
        kinds = [(writer.consumer, kind) for writer in self._writers for kind in writer.kinds]
        names = [f"{side}/{consumer}/{kind}.jsonl" for side in SIDES for consumer, kind in kinds]
        for name in (*names, SET_ASIDE):
            self._files[name] = self._open.enter_context(write_atomically(self._out / name))
            self.rows[name] = 0
        self._unpaired: dict[Side, UnpairedShuffle] = {side: UnpairedShuffle() for side in SIDES}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for shuffle in self._unpaired.values():
            if kind is None:
                for name, text in shuffle:
                    self._write(name, text)
            shuffle.close()
        self._open.__exit__(kind, error, trace)

    def add(self, line: Line) -> None:
        """Write a line, or keep it for its turn in a shuffled file."""
        if line.turn is None:
            self._write(line.file, line.text)
        else:
            self._unpaired[line.turn.side].add(line, line.turn)

    def _write(self, name: str, text: bytes) -> None:
        self._files[name].write(text)
        self.rows[name] += 1
        self._longest[name] = max(self._longest[name], len(text))

    def write_sidecars(self) -> None:
        """Write what belongs beside the rows of each consumer; to be called when they are written."""
        for writer in self._writers:
            names: dict[tuple[Side, Kind], str] = {
                (side, kind): f"{side}/{writer.consumer}/{kind}.jsonl" for side in SIDES for kind in writer.kinds
            }
            files = {
                key: FileSize(self.rows[name], self._longest[name]) for key, name in names.items() if self.rows[name]
            }
            for name, text in writer.sidecars(files).items():
                with write_atomically(self._out / "train" / writer.consumer / name) as file:
                    file.write(text.encode())


class UnpairedShuffle:
    """Lines of unpaired records in a seeded order that keeps those of one run about half the file apart, in bounded memory.

    All runs stand in a shuffled circle. At each place come the desirable records of the run there, then the undesirable
    one of the run on the far side. Of n runs with a desirable record each, at least n // 2 - 1 records of others lie
    between a run's twins.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("CREATE TABLE lines (label INTEGER, rank TEXT, file TEXT, line BLOB)")

    def add(self, line: Line, turn: Turn) -> None:
        """Keep a line."""
        row = (int(turn.label), f"{turn.rank:020}", line.file, line.text)
        self._db.execute("INSERT INTO lines (label, rank, file, line) VALUES (?, ?, ?, ?)", row)

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        n_runs = self._db.execute("SELECT count(DISTINCT rank) FROM lines").fetchone()[0]
        query = """
            SELECT file, line FROM (
                SELECT file, line, label, rowid AS came, dense_rank() OVER (ORDER BY rank) - 1 AS place FROM lines
            ) ORDER BY CASE label WHEN 1 THEN place ELSE (place + :half) % :n END, label DESC, came
        """
        yield from self._db.execute(query, {"half": n_runs // 2, "n": max(n_runs, 1)})

    def close(self) -> None:
        """Give the space back."""
        self._db.close()
