"""Which files to read, and which reader reads each: arguments of the command line in, paths and readers out.

Nothing here raises for what it finds: a name that leads to no file comes out as a path, and `pick_reader` says so.
"""

from __future__ import annotations

import atexit
import glob
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.archive import ZIP_MARK
from agenther.readers.base import FolderReader, Reader, is_lines
from agenther.readers.files import HEAD_BYTES, read_head, suffix_of
from agenther.readers.plugins import known_readers, reader_problems
from agenther.texts import path_text

DATA_SUFFIXES = frozenset({".json", ".jsonl", ".ndjson", ".traj", ".eval"})
"""Files with these suffixes are meant to be read wherever they are found: one that no reader knows is an error."""


PRODUCTS = frozenset(
    {
        *("examples.jsonl", "dropped.jsonl", "errors.jsonl", "set_aside.jsonl", "manifest.json", "README.md"),
        *("run.sqlite", "run.sqlite-wal", "run.sqlite-shm", "unverified.jsonl", "job.json"),
    }
)
"""Files that a job writes into its output folder, besides those of its sides."""
SIDES = frozenset({"train", "test"})
BATCH = "batch"
"""Folder of an output folder that holds requests to language models as files, and what came back."""
COMPANION = "part of a run that another file stands for"

PassOver = Callable[[Path, str], None]
"""Is told of each file of a folder that is not read, and why."""

_spooled: dict[Path, str] = {}
"""Copies of standard input, with the names under which they are shown."""


def say_nothing(path: Path, why: str) -> None:
    """Take note of nothing."""


def find_inputs(
    arguments: str | Path | Iterable[str | Path], out: Path | None = None, pass_over: PassOver = say_nothing
) -> Iterator[Path]:
    """Yield the files that arguments name: files, globs, folders (all that lies in them, sorted), `-` for standard input.

    In a folder, hidden files, symlinks that leave it, files that are neither data nor known to a reader, and those that
    belong to a run beside its entry file are passed over; the last also where a pattern matches them. What a job wrote is
    never input. A file named twice is yielded once.

    Args:
        arguments: one or several names.
        out: the output folder of this job, which need not exist.
        pass_over: is told of each file that is found and not yielded, and why.
    """
    seen: set[Path] = set()
    home = out.resolve() if out is not None else None
    for argument in (arguments,) if isinstance(arguments, str | Path) else arguments:
        for path in _expand(argument, pass_over):
            real = _real(path)
            if _is_product(real, home):
                pass_over(path, "written by a job")
            elif real not in seen:
                seen.add(real)
                yield path


def is_spooled(path: Path) -> bool:
    """Tell whether a file is a copy of standard input."""
    return path in _spooled


def shown_name(path: Path) -> str:
    """Return the name under which a file is shown: for a copy of standard input one that it has every time."""
    return _spooled.get(path) or path_text(path)


def pick_reader(path: Path, format: str | None = None) -> Reader | ReadError:
    """Return the reader of a format, or the first whose mark the file's head bears, or why there is none."""
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a pipe or a device" if path.exists() else "nothing"
        return ReadError(str(path), None, "file", "a file that can be read (a pipe: as standard input, `-`)", what)
    if format is not None:
        known = known_readers().get(format)
        return known or ReadError(str(path), None, "format", f"one of {_names()}", repr(format))
    head = read_head(path)
    for reader in known_readers().values():
        if reader.sniff(path, head):
            return reader
    broken = "".join(f"; {problem}" for problem in reader_problems())
    wanted = f"a trace in a known format (see `agenther formats`; any JSON with --map){broken}"
    return ReadError(str(path), None, "file", wanted, _beginning(head))


def _beginning(head: bytes) -> str:
    if head.startswith(ZIP_MARK):
        return "a zip archive (unpack it)"
    return f"{head[:60]!r}" if head else "an empty or unreadable file"


def _names() -> str:
    return "; ".join((", ".join(known_readers()), *reader_problems()))


def _expand(argument: str | Path, pass_over: PassOver) -> Iterator[Path]:
    if argument == "-":
        yield _spool_stdin()
        return
    path = Path(argument)
    if path.is_dir():
        yield from _files_under(path, pass_over)
    elif path.exists() or not glob.has_magic(str(argument)):
        yield path
    else:
        matches = sorted(glob.glob(str(argument), recursive=True))
        for match in matches:
            if Path(match).is_dir():
                yield from _files_under(Path(match), pass_over)
            elif _is_companion(Path(match)):
                pass_over(Path(match), COMPANION)
            else:
                yield Path(match)
        if not matches:
            yield path


def _files_under(folder: Path, pass_over: PassOver) -> Iterator[Path]:
    root = _real(folder)
    closed: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(parent, name)
            if name.startswith("."):
                pass_over(path, "hidden")
            elif not _real(path).is_relative_to(root):
                pass_over(path, "a link that leaves the folder")
            elif _is_companion(path):
                pass_over(path, COMPANION)
            elif not _may_be_trace(path):
                pass_over(path, "no trace")
            else:
                yield path
    yield from closed


def _real(path: Path) -> Path:
    """Return the path without links; of a link that leads back to itself only what can be followed."""
    return Path(os.path.realpath(path))


def _is_companion(path: Path) -> bool:
    """Tell whether a file belongs to a run that another file beside it stands for."""
    return any(isinstance(reader, FolderReader) and reader.companion(path) for reader in known_readers().values())


def _is_product(path: Path, out: Path | None) -> bool:
    """Tell whether a job wrote a file: this one into `out`, or another into a folder that bears the marks of a job."""
    if path.name in PRODUCTS:
        home = path.parent
    elif path.parent.name == BATCH:
        home = path.parent.parent
    elif len(path.parents) > 2 and path.parents[1].name in SIDES:
        home = path.parents[2]
    else:
        return False
    is_job = (home / "run.sqlite").exists() and ((home / "manifest.json").exists() or (home / ".lock").exists())
    return home == out or is_job


def _may_be_trace(path: Path) -> bool:
    if not path.is_file():
        return False
    if suffix_of(path) in DATA_SUFFIXES:
        return True
    head = read_head(path)
    return any(reader.sniff(path, head) for reader in known_readers().values())


def _spool_stdin() -> Path:
    """Copy standard input to a file named after its content, so that the same input has the same name every time."""
    folder = Path(tempfile.mkdtemp(prefix="agenther-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    raw, digest = folder / "raw", hashlib.sha256()
    with raw.open("wb") as file:
        while chunk := sys.stdin.buffer.read(HEAD_BYTES):
            digest.update(chunk)
            file.write(chunk)
    name = f"stdin-{digest.hexdigest()[:12]}{'.jsonl' if is_lines(read_head(raw)) else '.json'}"
    path = raw.rename(folder / name)
    _spooled[path] = name
    return path
