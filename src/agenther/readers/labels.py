"""Outcomes kept apart from the runs: a CSV file with a column `id` and a column `success` or `reward` (or both)."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agenther.errors import ReadError, UserError
from agenther.record import Record
from agenther.trajectory import Trajectory

_TRUE = frozenset({"true", "1", "yes", "success", "succeeded", "pass", "passed"})
_FALSE = frozenset({"false", "0", "no", "failure", "failed", "fail"})


class Label(Record):
    """The outcome of one run."""

    success: bool
    reward: float | None = None


def load_labels(path: Path) -> dict[str, Label]:
    """Read a labels file: run id to outcome. Without `success`, a reward of 1 or more is a success.

    Raises:
        ReadError: the file is no such table, or a cell cannot be read; names its line and column.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _labels(path, csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(str(path), None, "file", "a CSV file in UTF-8", str(error)) from error


def with_label(trajectory: Trajectory, labels: Mapping[str, Label]) -> Trajectory:
    """Return the run with the outcome that the labels give it; runs that they do not name stay as they are."""
    label = labels.get(trajectory.id)
    if label is None:
        return trajectory
    reward = trajectory.reward if label.reward is None else label.reward
    return trajectory.model_copy(update={"success": label.success, "reward": reward, "label_source": "labels file"})


class Labeller:
    """Gives runs the outcomes of a labels file, and remembers which of those found their run."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._labels = load_labels(path) if path is not None else {}
        self._unmatched = dict.fromkeys(self._labels)

    def label(self, run: Trajectory, name: str) -> Trajectory:
        """Return a run under the id that no other run has, with its outcome.

        Args:
            run: the run as recorded.
            name: the id that tells it from others.

        Raises:
            UserError: the labels know the run only by an id that it shares.
        """
        if name not in self._labels and run.id in self._labels:
            raise UserError(
                f"{self._path}: {run.id!r} is the id of several runs, and {name!r} has no label of its own",
                "`agenther read --runs` without --labels shows the id by which each run can be labelled",
            )
        self._unmatched.pop(name, None)
        return with_label(run if name == run.id else run.model_copy(update={"id": name}), self._labels)

    def unmatched(self) -> list[str]:
        """Return the ids that were those of no run, in the order of the file."""
        return list(self._unmatched)


class _Cell(NamedTuple):
    path: Path
    line: int
    column: str
    text: str

    def error(self, expected: str) -> ReadError:
        return ReadError(str(self.path), self.line, f"column {self.column}", expected, repr(self.text))


def _labels(path: Path, rows: Iterator[list[str]]) -> dict[str, Label]:
    first: list[str] = next(rows, list[str]())
    header = [name.strip().lower() for name in first]
    if "id" not in header or not {"success", "reward"} & set(header):
        raise ReadError(str(path), 1, "header", "columns id and success or reward", repr(",".join(header)))
    labels: dict[str, Label] = {}
    for line, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise ReadError(str(path), line, "row", f"{len(header)} cells", f"{len(row)}")
        cells = {n: _Cell(path, line, n, text.strip()) for n, text in zip(header, row, strict=True)}
        if not cells["id"].text:
            raise cells["id"].error("the id of a run")
        if cells["id"].text in labels:
            raise cells["id"].error("each id once")
        labels[cells["id"].text] = _label(cells)
    return labels


def _label(cells: Mapping[str, _Cell]) -> Label:
    success, reward = cells.get("success"), cells.get("reward")
    number = _number(reward) if reward is not None and reward.text else None
    if success is not None and success.text:
        return Label(success=_truth(success), reward=number)
    if number is None:
        raise (success or cells["reward"]).error("an outcome")
    return Label(success=number >= 1, reward=number)


def _number(cell: _Cell) -> float:
    try:
        number = float(cell.text)
    except ValueError:
        raise cell.error("a number") from None
    if not math.isfinite(number):
        raise cell.error("a number")
    return number


def _truth(cell: _Cell) -> bool:
    word = cell.text.lower()
    if word not in _TRUE | _FALSE:
        raise cell.error("true or false")
    return word in _TRUE
