"""The files that trainers load, on the train or the test side, for every consumer and kind.

KTO rows are shuffled so that a run's two rows lie about half the file apart: trainers that estimate the KL term inside a
batch would else compare a text with itself. Files whose rows carry no weight lose the rows that are not drawn by it when
all rows are there.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from agenther.config import BY_ESTIMATE, WeightUse
from agenther.jobs.files import remove, write_atomically
from agenther.jobs.lines import SET_ASIDE, Line, Turn, facts_beside
from agenther.jobs.sieve import Sieve
from agenther.jobs.sizes import Size, Sizes
from agenther.stages.package.split import Side
from agenther.writers import DEFAULT, WRITERS, FileSize, Kind, Tokens, Writer
from agenther.writers.lengths import has_place

SIDES: tuple[Side, ...] = ("train", "test")


class TrainingFiles:
    """All training files of an output folder, written together and named only when all are complete.

    Args:
        out: the folder.
        consumers: whom the files are for.
        weights: what becomes of severity weights; lines come with a draw where they act.
        max_tokens: most tokens of a row; 0: no limit.
        tokens_by: who counts them.
    """

    def __init__(
        self,
        out: Path,
        consumers: tuple[str, ...] = DEFAULT,
        weights: WeightUse = "act",
        max_tokens: int = 0,
        tokens_by: str = BY_ESTIMATE,
    ) -> None:
        self._out, self._weights = out, weights
        self._max_tokens, self._tokens_by = max_tokens, tokens_by
        self._writers = [WRITERS[name] for name in consumers]
        self._open = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        self._names: list[str] = []
        self._sizes: dict[str, Sizes] = {}
        self.undrawn: dict[str, Counter[int]] = {}
        """Of files that lost rows: how many, by weight in tenths."""
        self._heaviest: dict[Kind, int] = {}
        """Weight in tenths of the heaviest record that was to be trained on."""

    def __enter__(self) -> Self:
        kinds: list[tuple[Writer, Kind]] = [(writer, kind) for writer in self._writers for kind in writer.kinds]
        self._names = [_name(side, writer, kind) for side in SIDES for writer, kind in kinds]
        placeless = [_name(side, *one) for side in SIDES for one in kinds if not has_place(*one)]
        beside = {name: facts_beside(name) for name in placeless}
        drawn = [_name("train", *one) for one in kinds if self._weights == "act" and one[1] not in one[0].weighted]
        self._sieves = {
            name: self._open.enter_context(closing(Sieve()))
            for name in (*drawn, *(beside[name] for name in drawn if name in beside))
        }
        for name in (*self._names, *beside.values(), SET_ASIDE):
            self._files[name] = self._open.enter_context(write_atomically(self._out / name))
            self._sizes[name] = Sizes()
        self._unpaired = [
            (self._open.enter_context(closing(UnpairedShuffle())), self._open.enter_context(closing(UnpairedShuffle())))
            for _ in SIDES
        ]
        """For each side: files that keep all rows, and those whose rows are drawn."""
        self._open.push(self._finish)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    @property
    def rows(self) -> Counter[str]:
        """How many rows each file has."""
        return Counter({name: self._sizes[name].n_rows for name in (*self._names, SET_ASIDE)})

    @property
    def sizes(self) -> dict[str, Sizes]:
        """How much stands in each file that trainers load."""
        return {name: self._sizes[name] for name in self._names}

    def add(self, line: Line) -> None:
        """Write a line, or keep it for its turn in a shuffled file."""
        if line.unfit is not None:
            self._sizes[line.unfit.file].unfit[line.unfit.why] += line.unfit.n
        if line.draw is not None:
            self._heaviest[line.draw.kind] = max(self._heaviest.get(line.draw.kind, 0), line.draw.tenths)
        if line.turn is None:
            self._write(line.file, line.text, line.size)
            if line.file in self._sieves:
                self._sieves[line.file].note(line.draw, line.size)
        else:
            self._unpaired[SIDES.index(line.turn.side)][line.file in self._sieves].add(line, line.turn)

    def _write(self, name: str, text: bytes, size: Size) -> None:
        self._files[name].write(text)
        self._sizes[name].add(len(text), size)

    def _finish(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave out what is not drawn and write what waited for its turn, unless writing failed."""
        if kind is not None:
            return
        for name, sieve in self._sieves.items():
            left = None if sieve.kind is None else sieve.sift(self._files[name], self._heaviest[sieve.kind])
            if left is not None:
                left.sizes.unfit = self._sizes[name].unfit
                self._sizes[name] = left.sizes
                if name in self._names:
                    self.undrawn[name] = left.left_out
        for whole, drawn in self._unpaired:
            for name, tenths, n in drawn.sift(self._heaviest.get("kto", 0)):
                self.undrawn.setdefault(name, Counter())[tenths] += n
            for name, text, n_tokens in chain(whole, drawn):
                self._write(name, text, Size(n_tokens))

    def write_sidecars(self) -> None:
        """Write what belongs beside the rows of each consumer, in place of what an earlier job wrote; called after the rows."""
        for writer in self._writers:
            names: dict[tuple[Side, Kind], str] = {
                (side, kind): _name(side, writer, kind) for side in SIDES for kind in writer.kinds
            }
            files = {key: self._size(name, writer, key[1]) for key, name in names.items() if self.rows[name]}
            made = writer.sidecars(files)
            folder = self._out / "train" / writer.consumer
            presets = (path.relative_to(folder).as_posix() for path in folder.glob("presets/*/*.yaml"))
            kinds = (f"{kind}{ending}" for kind in writer.kinds for ending in (".yaml", ".job.json"))
            ours = {"README.md", "dataset_info.json", "fine_tune.py", *kinds, *presets}
            for name in ours - made.keys():
                remove(folder / name)
            for name, text in made.items():
                with write_atomically(folder / name) as file:
                    file.write(text.encode())

    def _size(self, name: str, writer: Writer, kind: Kind) -> FileSize:
        n_undrawn = self.undrawn.get(name, Counter[int]()).total()
        use = "ignored" if self._weights == "ignore" else "in_rows" if kind in writer.weighted else "drawn"
        sizes = self._sizes[name]
        tokens = Tokens(sizes.most_tokens, self._max_tokens, self._tokens_by)
        return FileSize(sizes.n_rows, sizes.longest, use, n_undrawn, tokens)


def _name(side: Side, writer: Writer, kind: Kind) -> str:
    return f"{side}/{writer.consumer}/{kind}.jsonl"


class UnpairedShuffle:
    """Lines of unpaired records in a seeded order that keeps those of one run about half the file apart, in bounded memory.

    All runs stand in a shuffled circle. At each place come the desirable records of the run there, then the undesirable
    one of the run on the far side. Of n runs with a desirable record each, at least n // 2 - 1 records of others lie
    between a run's twins.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute(
            "CREATE TABLE lines (label INTEGER, rank TEXT, file TEXT, line BLOB, tokens INTEGER, tenths INTEGER, chance REAL)"
        )

    def add(self, line: Line, turn: Turn) -> None:
        """Keep a line."""
        drawn = (None, None) if line.draw is None else (line.draw.tenths, line.draw.chance)
        row = (int(turn.label), f"{turn.rank:020}", line.file, line.text, line.size.n_tokens, *drawn)
        self._db.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def sift(self, heaviest: int) -> list[tuple[str, int, int]]:
        """Leave out lines that are not drawn, as `stays` says; return for each file and bucket how many.

        Args:
            heaviest: the heaviest bucket of the kind.
        """
        gone = "FROM lines WHERE chance * ? >= tenths"
        query = f"SELECT file, tenths, count(*) {gone} GROUP BY file, tenths ORDER BY file, tenths"
        counts = self._db.execute(query, (heaviest,)).fetchall()
        self._db.execute(f"DELETE {gone}", (heaviest,))
        return counts

    def __iter__(self) -> Iterator[tuple[str, bytes, int]]:
        """Yield for each line its file, its text and its tokens."""
        n_runs = self._db.execute("SELECT count(DISTINCT rank) FROM lines").fetchone()[0]
        query = """
            SELECT file, line, tokens FROM (
                SELECT file, line, tokens, label, rowid AS came, dense_rank() OVER (ORDER BY rank) - 1 AS place FROM lines
            ) ORDER BY CASE label WHEN 1 THEN place ELSE (place + :half) % :n END, label DESC, came
        """
        yield from self._db.execute(query, {"half": n_runs // 2, "n": max(n_runs, 1)})

    def close(self) -> None:
        """Give the space back."""
        self._db.close()
