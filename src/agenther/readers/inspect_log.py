"""Logs of Inspect: `.json`, or `.eval`, a zip archive with a member a sample, of which one at a time is in memory.

A sample in one epoch is a run; the epochs of a sample are runs of one task. The goal is what the user asks in `input`; a
request among several, and a question whose choices stand beside it, has no place. Success is what the scorers agree on:
`C`, true or 1 of each is a success, `I`, `N`, false or 0 of each a failure, all else no outcome. What a harness says of a
submission ("Your submission was incorrect") is taken out of the turns and becomes a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from agenther.errors import ReadError
from agenther.readers.archive import ZIP_MARK, Archive
from agenther.readers.base import Item, Place, build_one, locate_goal, run_id, source
from agenther.readers.chat import placed_chat_steps
from agenther.readers.files import BAD_FILE, open_input, read_head, read_whole
from agenther.readers.inspect_sample import Sample
from agenther.readers.json_text import parse
from agenther.record import Json
from agenther.trajectory import Trajectory

_LOG = re.compile(rb'\s*\{\s*"version"\s*:\s*\d+\s*,\s*"status"\s*:\s*"\w+"\s*,\s*"eval"\s*:\s*\{')
_MEMBERS = (b"_journal/start.json", b"header.json", b"samples/")
_SAMPLE = re.compile(r"samples/.+_epoch_\d+\.json\Z", re.DOTALL)
_IN_CHUNKS = re.compile(r"samples/.+_epoch_\d+/sample\.json\Z", re.DOTALL)


class InspectReader:
    """Reads Inspect logs."""

    format = "inspect"
    about = "Inspect logs, .eval or .json; labelled by the scorers where all of them say right, or all say wrong"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the first fields of a log, or for the members of its archive."""
        if head.startswith(ZIP_MARK):
            return any(name in head for name in _MEMBERS)
        return _LOG.match(head) is not None

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each sample of each epoch."""
        try:
            if read_head(path).startswith(ZIP_MARK):
                with open_input(path) as file:
                    yield from _archived(path, Archive(file))
            else:
                yield from _whole(Place(path), read_whole(path))
        except BAD_FILE as error:
            yield ReadError(str(path), None, "file", "a readable file", str(error))


@dataclass(frozen=True)
class _Eval:
    """What a log says of all its samples."""

    task: str = ""
    model: str | None = None
    status: str = ""


def _eval(log: Json | ReadError) -> _Eval:
    entry = log if isinstance(log, dict) else {}
    about = entry.get("eval")
    task, model = (about.get("task"), about.get("model")) if isinstance(about, dict) else (None, None)
    status = entry.get("status")
    return _Eval(
        task=task if isinstance(task, str) else "",
        model=model if isinstance(model, str) else None,
        status=status if isinstance(status, str) else "",
    )


def _whole(place: Place, raw: bytes) -> Iterator[Item]:
    log = _parsed(place, raw)
    if isinstance(log, ReadError):
        yield log
        return
    samples = log.get("samples") if isinstance(log, dict) else None
    if not isinstance(samples, list):
        yield place.at("samples").error("list of samples", samples)
        return
    about = _eval(log)
    for index, sample in enumerate(samples):
        where = place.at("samples").at(index)
        yield from build_one(where, lambda w=where, i=index, s=sample: _run(w, i, s, about))


def _archived(path: Path, archive: Archive) -> Iterator[Item]:
    header = "header.json" if "header.json" in archive.names else "_journal/start.json"
    log = _member(path, archive, header)
    if isinstance(log, ReadError):
        yield log
    about = _eval(log)
    for index, name in enumerate(archive.names):
        place = Place(path).at(name)
        if _IN_CHUNKS.match(name):
            yield place.error("a sample in one piece", "a sample in chunks")
        elif _SAMPLE.match(name):
            sample = _member(path, archive, name)
            if isinstance(sample, ReadError):
                yield sample
            else:
                yield from build_one(place, lambda p=place, i=index, s=sample: _run(p, i, s, about))


def _member(path: Path, archive: Archive, name: str) -> Json | ReadError:
    try:
        raw = archive.read(name)
    except OSError as error:
        return ReadError(str(path), None, name, "a readable member", str(error))
    return _parsed(Place(path).at(name), raw)


def _parsed(place: Place, raw: bytes) -> Json | ReadError:
    try:
        return parse(raw)
    except orjson.JSONDecodeError as error:
        return ReadError(str(place.path), error.lineno, place.where or f"column {error.colno}", "JSON", error.msg)


def _run(place: Place, index: int, value: Json, about: _Eval) -> Trajectory:
    sample = Sample(place, value)
    steps, labels = placed_chat_steps(sample.turns())
    goal, is_alone = sample.asked()
    success, reward = sample.outcome()
    labels |= sample.labels() | ({"eval_status": about.status} if about.status != "success" else {})
    return Trajectory(
        id=run_id(place.path, f"{index if sample.key is None else sample.key}_epoch_{sample.epoch}"),
        source=source(place.path, "inspect", index),
        task_id=sample.task(about.task),
        goal=goal,
        goal_at=locate_goal(steps, goal) if is_alone else (),
        tools=sample.tools(),
        steps=steps,
        success=success,
        reward=reward,
        label_source=None if success is None else "inspect.scores",
        labels=labels,
        agent=about.model,
    )
