"""Task files of WebArena-Verified: what each task asks for. They lie beside the runs, whose own files do not say it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from agenther.readers.records import records
from agenther.record import JsonObject

NAMES = (
    "task.json",
    "tasks.json",
    "webarena-verified.json",
    "webarena-verified-hard.json",
    "agent_inputs.json",
    "tasks.jsonl",
)
"""Names of task files, the most particular first."""
_FOLDERS_UP = 2


class Task(NamedTuple):
    """A task as its file has it."""

    intent: str
    sites: tuple[str, ...]


def find_task(folder: Path, number: int) -> Task | None:
    """Return a task from a task file in a folder or up to two folders above it; None when none knows it."""
    places = (folder, *folder.absolute().parents[:_FOLDERS_UP])
    return next((task for place in places for task in _named(place, number)), None)


def _named(folder: Path, number: int) -> Iterator[Task]:
    for name in NAMES:
        path = folder / name
        try:
            mark = path.stat()
        except OSError:
            continue
        task = _tasks(path, mark.st_mtime_ns, mark.st_size).get(number)
        if task is not None:
            yield task


@lru_cache(maxsize=16)
def _tasks(path: Path, changed_ns: int, size: int) -> dict[int, Task]:
    """Return the tasks of a file by their numbers; what is no task is passed over."""
    found: dict[int, Task] = {}
    for item in records(path):
        value = item[2] if isinstance(item, tuple) else None
        if not isinstance(value, dict):
            continue
        number, intent = value.get("task_id"), value.get("intent")
        if isinstance(number, int) and isinstance(intent, str) and intent.strip():
            found.setdefault(number, Task(intent, _texts(value, "sites")))
    return found


def _texts(value: JsonObject, name: str) -> tuple[str, ...]:
    listed = value.get(name)
    return tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
