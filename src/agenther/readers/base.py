"""What a reader is, and the small tools all of them share: values in files and on lines, naming places, building runs.

A reader yields runs and `ReadError`s; it never raises for bad content and never loses a good run beside a bad one.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import orjson

from agenther.errors import ReadError
from agenther.readers.files import BAD_FILE, MAX_RECORD, read_head, read_lines, read_whole, suffix_of
from agenther.readers.json_text import parse
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.trajectory import Source, Span, Step, Trajectory, whole_field

LEAST_ECHO = 20
"""A goal with fewer characters is looked for in no other text than the first user turn: it may stand there by chance."""
LONGEST_KEY = 100
"""Characters of a key that an error shows."""
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother = 3, 60, 60

Item = Trajectory | ReadError
Key = str | int
"""Of a member: its name in an object, its 0-based position in a list."""


class Reader(Protocol):
    """Reads one format."""

    format: str
    """Name of the format, as `--format` takes it."""
    about: str
    """One line for `agenther formats`: what writes such files, and what labels them."""

    def sniff(self, path: Path, head: bytes) -> bool:
        """Tell cheaply whether a file looks like this format; never raises. `head`: first 64 KiB, decompressed."""
        ...

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the runs of a file, and an error for each piece that is none."""
        ...


@runtime_checkable
class FolderReader(Reader, Protocol):
    """Reads a format that spreads a run over several files, one of which, its entry file, stands for the run."""

    def companion(self, path: Path) -> bool:
        """Tell whether a file belongs to a run whose entry file lies beside it; by names alone, never raises.

        Such files are passed over where a folder is searched: they are neither runs of their own nor errors.
        """
        ...


def short(value: object, limit: int = 60) -> str:
    """Show a value in an error message: its type and its first characters."""
    text = repr(value[:limit]) if isinstance(value, str) else _REPR.repr(value)
    cut = len(text) > limit or (isinstance(value, str) and len(value) > limit)
    return f"{type(value).__name__} {text[:limit]}{'…' if cut else ''}"


def read_json(path: Path) -> Json | ReadError:
    """Read a whole JSON file."""
    try:
        return parse(read_whole(path))
    except orjson.JSONDecodeError as error:
        return ReadError(str(path), error.lineno, f"column {error.colno}", "JSON", error.msg)
    except BAD_FILE as error:
        return ReadError(str(path), None, "file", "a readable file", str(error))


def read_jsonl(path: Path) -> Iterator[tuple[int, Json] | ReadError]:
    """Yield (1-based line number, value) of every line that is not blank, and an error for each that is no JSON."""
    for item in filled_lines(path):
        if isinstance(item, ReadError):
            yield item
            continue
        number, line = item
        value = line_value(path, number, line)
        yield value if isinstance(value, ReadError) else (number, value)


def filled_lines(path: Path) -> Iterator[tuple[int, bytes] | ReadError]:
    """Yield (1-based number, line as it stands) of every line that is not blank, and an error for each that is too long."""
    try:
        for number, line in read_lines(path):
            if line is None:
                yield ReadError(str(path), number, "line", f"at most {MAX_RECORD >> 20} MiB on a line", "more")
            elif line.strip():
                yield number, line
    except BAD_FILE as error:
        yield ReadError(str(path), None, "file", "a readable file", str(error))


def line_value(path: Path, number: int, line: bytes) -> Json | ReadError:
    """Return the JSON value on a line of a file, or why there is none."""
    try:
        return parse(line)
    except orjson.JSONDecodeError as error:
        return ReadError(str(path), number, f"column {error.colno}", "a JSON value on one line", error.msg)


class Place:
    """A place in a file, for reading typed values with exact errors.

    Every getter raises `ReadError` when the value is missing or of another type. It names this place, or the one to which
    the keys behind the value lead from here.
    """

    __slots__ = ("_above", "_key", "line", "path")

    def __init__(self, path: Path, line: int | None = None, key: Key = "", above: Place | None = None) -> None:
        self.path, self.line, self._key, self._above = path, line, key, above

    def at(self, *keys: Key) -> Place:
        """Return the place of a member, or of a member of a member."""
        place = self
        for key in keys:
            place = Place(self.path, self.line, key, place)
        return place

    @property
    def where(self) -> str:
        """The place as errors name it: `steps[3].arguments`; put together only when there is something to say."""
        key, above = self._key, self._above.where if self._above is not None else ""
        if isinstance(key, int):
            return f"{above}[{key}]"
        name = key if len(key) <= LONGEST_KEY else f"{key[:LONGEST_KEY]}…"
        return f"{above}.{name}" if above and name else above + name

    def error(self, expected: str, found: object) -> ReadError:
        """Return the error for this place."""
        return ReadError(str(self.path), self.line, self.where or "record", expected, short(found))

    def obj(self, value: Json, *keys: Key) -> JsonObject:
        """Return the value as an object."""
        if not isinstance(value, dict):
            raise self.at(*keys).error("object", value)
        return value

    def list(self, value: Json, *keys: Key) -> list[Json]:
        """Return the value as a list."""
        if not isinstance(value, list):
            raise self.at(*keys).error("list", value)
        return value

    def str(self, value: Json, *keys: Key) -> str:
        """Return the value as a text."""
        if not isinstance(value, str):
            raise self.at(*keys).error("text", value)
        return value

    def number(self, value: Json) -> float:
        """Return the value as a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error("number", value)
        return float(value)


def is_lines(head: bytes) -> bool:
    """Tell whether a file starts with a whole JSON object on its first line and goes on below it."""
    first, _, rest = head.partition(b"\n")
    if not first.lstrip().startswith(b"{") or not rest.strip():
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True


def holds_lines(path: Path) -> bool:
    """Tell whether a file is read line by line."""
    return suffix_of(path) in (".jsonl", ".ndjson") or is_lines(read_head(path))


def read_episodes(path: Path, build: Callable[[Place, int, str, Json], Trajectory]) -> Iterator[Item]:
    """Build one run from each member of a file that is one JSON object of episodes: place, index, key, value."""
    whole = read_json(path)
    if isinstance(whole, ReadError):
        yield whole
        return
    if not isinstance(whole, dict):
        yield Place(path).error("object of episodes", whole)
        return
    for index, (key, value) in enumerate(whole.items()):
        place = Place(path).at(key)
        yield from build_one(place, lambda p=place, i=index, k=key, v=value: build(p, i, k, v))


def build_one(place: Place, build: Callable[[], Trajectory | None]) -> Iterator[Item]:
    """Run a builder and yield what it made, or the error that it met."""
    try:
        made = build()
    except ReadError as error:
        yield error
    except Exception as error:
        yield place.error("a well-formed record", f"{type(error).__name__}: {error}")
    else:
        if made is not None:
            yield made


def run_id(path: Path, key: object) -> str:
    """Name a run after its file and its key inside the file."""
    stem = path_text(path.name).split(".")[0]
    return f"{stem}/{key}"


def source(path: Path, format: str, index: int) -> Source:
    """Say where a run was found."""
    return Source(path=path_text(path), format=format, index=index)


def find_goal(
    steps: tuple[Step, ...], goal: str, *, fields: Literal["message", "observations"] = "message"
) -> tuple[Span, ...]:
    """Return every place where the goal's exact text stands in user and system turns, or in observations."""
    if not goal:
        return ()
    spans: list[Span] = []
    for step in steps:
        if fields == "observations":
            for i, observation in enumerate(step.observations):
                if goal in observation.content:
                    spans += _spans(step, f"observations[{i}].content", observation.content, goal)
        elif step.source != "agent" and goal in step.message:
            spans += _spans(step, "message", step.message, goal)
    return tuple(spans)


def _spans(step: Step, field: str, text: str, goal: str) -> Iterator[Span]:
    at = text.find(goal)
    while at >= 0:
        yield Span(step=step.step_id, field=field, start=at, end=at + len(goal))
        at = text.find(goal, at + len(goal))


def locate_goal(steps: tuple[Step, ...], goal: str) -> tuple[Span, ...]:
    """Return where the goal stands: in user and system turns, and echoed in observations.

    A first user turn that is the goal from end to end is a place however short the goal.
    """
    if len(goal) >= LEAST_ECHO:
        return (*find_goal(steps, goal), *find_goal(steps, goal, fields="observations"))
    first = next((step for step in steps if step.source == "user"), None)
    if first is None or not goal:
        return ()
    return (whole_field(first, "message"),) if first.message == goal else find_goal((first,), goal)


def locate_opening_goal(steps: tuple[Step, ...], goal: str) -> tuple[Span, ...]:
    """Return where a goal stands that opens the first turn, before a page; a short one stands there alone."""
    if len(goal) >= LEAST_ECHO:
        return locate_goal(steps, goal)
    return (Span(step=steps[0].step_id, field="message", start=0, end=len(goal)),)
