"""The work of `agenther read`: reads files one by one, counts by format, and yields what is to be printed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import click
import orjson

from agenther.cli.account import OUTCOME, Account, PassedOver, key_lines, keys_json, many, run_json, run_line
from agenther.cli.terminal import one_line
from agenther.errors import ReadError
from agenther.jobs.inputs import InputFile, Why
from agenther.jobs.names import UniqueIds
from agenther.readers.base import Reader
from agenther.readers.discover import shown_name
from agenther.readers.influence import KeyUse, find_key_use
from agenther.readers.labels import Labeller
from agenther.record import JsonObject

FILES_TRIED = 3
"""Files of each format whose keys are tried."""
MOST_ERRORS = 50
"""Errors that are printed one by one to a person; a folder may hold thousands of files that are no traces."""
UNKNOWN = "no known format"


class Show(NamedTuple):
    """What is printed."""

    as_json: bool
    runs: bool
    explain: bool


@dataclass
class _Group:
    """The files of one format, found in one way."""

    account: Account = field(default_factory=Account)
    n_files: int = 0
    tried: list[tuple[Reader, Path]] = field(default_factory=list[tuple[Reader, Path]])
    """The first files that hold runs, whose keys are tried."""

    def key_use(self) -> KeyUse | None:
        """Try the keys of some files, together."""
        uses = [use for reader, path in self.tried if (use := find_key_use(reader, path)) is not None]
        together = KeyUse()
        for use in uses:
            together.add(use)
        return together if uses else None


class Survey:
    """Counts everything that is read."""

    def __init__(self, labeller: Labeller, show: Show) -> None:
        self.total: Counter[str] = Counter()
        self.passed = PassedOver()
        self._labeller, self._show, self._ids = labeller, show, UniqueIds()
        self._groups: dict[tuple[str, Why], _Group] = {}

    def read(self, file: InputFile) -> Iterator[str]:
        """Read a file and yield the lines about its runs and about itself that are wanted; errors go to stderr."""
        format = UNKNOWN if file.reader is None else file.reader.format
        group = self._groups.setdefault((format, file.why), _Group())
        group.n_files += 1
        own = Account()
        for item in file.items:
            if isinstance(item, ReadError):
                self._tell(item)
                counted = item
            else:
                counted = self._labeller.label(item, self._ids.name(item.id))
                self.total.update(("runs", OUTCOME[counted.success], f"format:{counted.source.format}"))
                if self._show.runs:
                    yield _json(run_json(counted)) if self._show.as_json else run_line(counted)
            own.add(counted)
            group.account.add(counted)
        if file.reader is not None and own.counts["runs"] and len(group.tried) < FILES_TRIED:
            group.tried.append((file.reader, file.path))
        if self._show.explain:
            name = shown_name(file.path)
            made: JsonObject = {"file": name, "format": format, "why": file.why, **own.to_json()}
            yield _json(made) if self._show.as_json else f"{one_line(name, 120)}: {format}, {own.outcomes()}"

    def is_empty(self) -> bool:
        """Tell whether no file was found that could be a trace."""
        return not self._groups

    def _tell(self, error: ReadError) -> None:
        self.total["unreadable"] += 1
        if self._show.as_json or self.total["unreadable"] <= MOST_ERRORS:
            click.echo(f"error: {one_line(str(error), 2000)}", err=True)

    def close(self) -> Iterator[str]:
        """Yield what is to be said of each format and of all files."""
        if n := sum(self.passed.counts.values()):
            self.total["passed_over"] = n
        yield from self._closing_json() if self._show.as_json else self._closing_lines()

    def _closing_json(self) -> Iterator[str]:
        if self._show.explain:
            for (format, why), group in self._groups.items():
                made: JsonObject = {"format": format, "why": why, "files": group.n_files, **group.account.to_json()}
                yield _json({**made, "keys": keys_json(group.key_use())})
            yield _json({"passed_over": self.passed.to_json()})
        counts = dict.fromkeys(("runs", *OUTCOME.values(), "unreadable"), 0) | self.total
        yield _json({"summary": dict(sorted(counts.items()))})

    def _closing_lines(self) -> Iterator[str]:
        for (format, why), group in self._groups.items():
            files = "1 file" if group.n_files == 1 else f"{group.n_files} files"
            how = format if format == UNKNOWN else f"{format} ({why})"
            yield f"{how}, {files}, {group.account.outcomes()}"
            lines = [*group.account.details()]
            if self._show.explain and group.tried:
                lines += key_lines(group.key_use())
            yield from (f"    {line}" for line in lines)
        yield from self.passed.lines()
        n = self.total
        if n["unreadable"] > MOST_ERRORS:
            click.echo(f"error: {n['unreadable'] - MOST_ERRORS} more; with --json all are printed", err=True)
        yield (
            f"{many(n['runs'], 'run')}: {n['failed']} failed, {n['succeeded']} succeeded, {n['unlabelled']} without a label; "
            f"{many(n['unreadable'], 'piece')} could not be read"
        )
        if not self._show.explain and n["runs"]:
            yield "--runs lists the runs with their ids, --explain which keys of the records are used and ignored"


def _json(value: JsonObject) -> str:
    return orjson.dumps(value).decode()
