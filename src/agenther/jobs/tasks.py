"""Checkable tasks from a finished job: its store is read again, each label made a task or set aside, then written for a target.

Two passes: all tasks first go to a file of SQLite's own, for a task that another run contradicts must not be written. A target's
folder is made anew beside the old one and takes its place when it is complete.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson
from pydantic import ValidationError

from agenther.conclusions import Example
from agenther.config import Config
from agenther.errors import UserError, WriteError
from agenther.jobs.files import hold_folder
from agenther.jobs.outputs import FirstOfItsKind
from agenther.jobs.store import Store, Stored
from agenther.record import JsonObject, content_key
from agenther.tasks.base import Rendered, SetAside, Target, Task, Unfit
from agenther.tasks.derive import derive
from agenther.tasks.harness import canonical
from agenther.texts import path_text, split_url

FOLDER, ASIDE = "tasks", "set_aside.jsonl"
_SCRIPTS = frozenset({".sh", ""})
"""Endings of files that are run."""


@dataclass
class TaskSummary:
    """What became of the labels of a job."""

    target: str
    folder: Path
    examples: int = 0
    written: Counter[str] = field(default_factory=Counter[str])
    """Tasks by the kind of their checker."""
    evidence: Counter[str] = field(default_factory=Counter[str])
    set_aside: Counter[str] = field(default_factory=Counter[str])
    by_domain: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def row(self) -> JsonObject:
        """Return the counts as JSON."""
        return {
            "target": self.target,
            "folder": path_text(self.folder),
            "examples": self.examples,
            "tasks": sum(self.written.values()),
            "by_checker": dict(sorted(self.written.items())),
            "by_evidence": dict(sorted(self.evidence.items())),
            "set_aside": dict(sorted(self.set_aside.items())),
            "by_domain": {name: dict(sorted(tally.items())) for name, tally in sorted(self.by_domain.items())},
        }


def write_tasks(
    out: Path, manifest: JsonObject, target: Target, tick: Callable[[], None] = lambda: None
) -> TaskSummary:
    """Write the tasks that the labels of a finished job make, and why the others make none.

    Args:
        out: folder of a finished job.
        manifest: its manifest.
        target: whom the tasks are for.
        tick: called after each run.

    Raises:
        UserError: the labels are not verified, or the folder was made by another version or is in use.
    """
    try:
        config, key = Config.model_validate(manifest["config"]), str(manifest["results_key"])
    except (ValidationError, KeyError) as error:
        hint = "run the job again"
        raise UserError(
            f"{path_text(out)}: expected the output of this version, found that of another", hint
        ) from error
    if config.unverified:
        raise UserError(
            f"{path_text(out)}: nobody but the proposing model vouches for its labels, and no task is made from such",
            "run the job again with --judge MODEL",
        )
    summary = TaskSummary(target.name, out / FOLDER / target.name)
    with hold_folder(out), Store(out / "run.sqlite", key, read_only=True) as store, closing(_Gathered()) as gathered:
        for stored, example in _examples(store, tick):
            summary.examples += 1
            gathered.add(example, derive(example, stored.trajectory))
        _write(gathered, target, summary)
    return summary


def _examples(store: Store, tick: Callable[[], None]) -> Iterator[tuple[Stored, Example]]:
    """Yield the examples of a job with their runs, near-duplicates left out as in examples.jsonl."""
    with closing(FirstOfItsKind()) as labels:
        for stored in store.runs():
            for number, label in enumerate(stored.note.labels):
                if labels.twin_of(label) is None:
                    yield stored, stored.result.examples[number]
            tick()


class _Gathered:
    """What became of each example, in a file of SQLite's own."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE found (about TEXT, asked TEXT, decided TEXT, task TEXT, aside TEXT)")
        self._db.execute("CREATE INDEX by_asked ON found (asked)")
        self._db.execute("BEGIN")

    def add(self, example: Example, found: Task | SetAside) -> None:
        """Note a task, or why there is none."""
        about = orjson.dumps(_about(example)).decode()
        if isinstance(found, SetAside):
            row = (about, None, None, None, orjson.dumps([found.why, found.detail]).decode())
        else:
            row = (about, _asked(found), _decided(found), found.model_dump_json(), None)
        self._db.execute("INSERT INTO found VALUES (?, ?, ?, ?, ?)", row)

    def __iter__(self) -> Iterator[tuple[JsonObject, Task | SetAside]]:
        """Yield what each example is about with its task, or why it gives none: of equal tasks the first alone."""
        query = """SELECT about, task, aside, rowid > (SELECT min(g.rowid) FROM found g WHERE g.asked = found.asked),
            (SELECT count(DISTINCT g.decided) FROM found g WHERE g.asked = found.asked) FROM found ORDER BY rowid"""
        for about, task, aside, is_later, n_ends in self._db.execute(query):
            found: Task | SetAside
            if task is None:
                why, detail = orjson.loads(aside)
                found = SetAside(Unfit(why), detail)
            elif n_ends > 1:
                found = SetAside(Unfit.CONTRADICTED, f"runs were shown to reach this goal with {n_ends} different ends")
            elif is_later:
                found = SetAside(Unfit.SAME_TASK, "an earlier run gave the same task")
            else:
                found = Task.model_validate_json(task)
            yield orjson.loads(about), found

    def close(self) -> None:
        """Give the space back."""
        self._db.close()


def _about(example: Example) -> JsonObject:
    return {
        "example_id": example.id,
        "trajectory_id": example.trajectory_id,
        "domain": example.domain or example.origin,
        "goal": example.hindsight_goal,
    }


def _asked(task: Task) -> str:
    """Return a key of what is asked where: of the goal and the web site, else the run's own task, else its environment."""
    if task.oracle.requests:
        where = split_url(task.oracle.requests[-1].url).netloc
    else:
        where = task.source.task_id if task.source.task_id is not None else task.environment.key
    return content_key([task.goal, task.source.format, where])


def _decided(task: Task) -> str:
    spec = task.checker.spec
    if task.checker.kind == "answer":
        return canonical(spec.get("answer"), bool(spec.get("ordered")))
    return task.checker.key


def _write(gathered: _Gathered, target: Target, summary: TaskSummary) -> None:
    folder = summary.folder
    fresh = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        _fill(gathered, target, summary, fresh)
        (fresh / "README.md").write_text(target.readme, encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(fresh, folder)
    except OSError as error:
        raise WriteError(f"{path_text(folder)}: cannot be written: {error}") from error


def _fill(gathered: _Gathered, target: Target, summary: TaskSummary, folder: Path) -> None:
    with (folder / ASIDE).open("wb") as aside:
        shared = {path: _Shared(folder / path) for path in target.shared}
        for about, found in gathered:
            tally = summary.by_domain.setdefault(str(about["domain"]), Counter())
            n_written = sum(summary.written.values())
            made = target.render(found, n_written) if isinstance(found, Task) else found
            if isinstance(found, Task) and isinstance(made, Rendered):
                summary.written[found.checker.kind] += 1
                summary.evidence[found.evidence] += 1
                tally["tasks"] += 1
                for path, text in made.files.items():
                    _write_file(folder / path, text)
                for path, row in made.rows.items():
                    shared[path].add(row)
            elif isinstance(made, SetAside):
                summary.set_aside[made.why.value] += 1
                tally[made.why.value] += 1
                aside.write(_line({**about, "why": made.why.value, "detail": made.detail}))
        for file in shared.values():
            file.close()


class _Shared:
    """A file that all tasks share: JSON lines, or the list that a `.json` holds."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb")
        self._is_list = path.suffix == ".json"
        self._n = 0

    def add(self, row: JsonObject) -> None:
        """Add a row."""
        if self._is_list:
            self._file.write(b",\n" if self._n else b"[\n")
            self._file.write(orjson.dumps(row))
        else:
            self._file.write(_line(row))
        self._n += 1

    def close(self) -> None:
        """End the file."""
        if self._is_list:
            self._file.write(b"\n]\n" if self._n else b"[]\n")
        self._file.close()


def _line(row: JsonObject) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if path.suffix in _SCRIPTS and path.name != "Dockerfile":
        path.chmod(0o755)
