"""Batches by files: requests go out as OpenAI Batch JSONL, answers come back as files, in any order and with errors among them.

Owns the client that only notes what is asked, the files of requests, and the reading of results. When a run goes on belongs to
the jobs.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import orjson

from agenther.errors import ConfigError, ParseError, Pending, ReadError, UserError, WriteError
from agenther.llm.base import Request, Response
from agenther.llm.body import PATH, error_text, read_completion, request_body
from agenther.llm.cache import Cache
from agenther.llm.models import Model
from agenther.readers.base import read_jsonl
from agenther.record import Json, JsonObject
from agenther.texts import path_text

URL = f"/v1{PATH}"
MOST_REQUESTS = 50_000
"""Lines that OpenAI takes in one file."""
MOST_BYTES = 200_000_000
"""Bytes that OpenAI takes in one file."""

MOST_FAULTS = 20


class BatchClient:
    """Answers nothing: notes each request for the next batch. Stands where else the transport does, below the cache.

    What an earlier job noted and nobody exported is forgotten: who still needs it asks again.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        cache.forget_unsent()

    async def complete(self, request: Request) -> Response:
        """Note the request.

        Raises:
            Pending: always.
        """
        self._cache.note(request)
        raise Pending(f"the answer of {request.model} waits for a batch")

    async def close(self) -> None:
        """Do nothing: the cache belongs to who opened it."""


@dataclass(frozen=True)
class BatchFile:
    """A file of requests to one model."""

    path: Path
    model: str
    requests: int


@dataclass
class Imported:
    """What files of results held, in lines, but for blank ones.

    `kept` are new answers, `failed` requests that came back without one (they go out with the next export), `repeated`
    results of what was answered already, `unknown` those of requests that nobody waits for, `broken` lines no results.
    """

    kept: int = 0
    failed: int = 0
    repeated: int = 0
    unknown: int = 0
    broken: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])
    """What failed and broken lines say, with how often; the first of many."""

    def add_fault(self, fault: str) -> None:
        """Count what a line says that is no answer."""
        known = fault in self.faults or len(self.faults) < MOST_FAULTS
        self.faults[fault if known else "other faults"] += 1

    def to_json(self) -> JsonObject:
        """Return the counts, and the faults from the most frequent on."""
        counts: JsonObject = {name: getattr(self, name) for name in ("kept", "failed", "repeated", "unknown", "broken")}
        return {**counts, "faults": dict(self.faults.most_common())}


def export_requests(
    cache: Cache, models: Mapping[str, Model], folder: Path, *, again: bool = False
) -> tuple[BatchFile, ...]:
    """Write the requests that wait and have not gone out yet: for each model a file, or more where it grows too large.

    A kill on the way leaves them to the next export, which replaces what was written.

    Args:
        cache: where requests wait.
        models: by the names that requests use.
        folder: where to write; made if missing.
        again: write also those that went out already and have no answer.

    Raises:
        ConfigError: a request is to a model that is not among `models`.
        WriteError: the folder cannot be written.
    """
    waiting = cache.waiting(sent=False) + (cache.waiting(sent=True) if again else [])
    by_model: dict[str, list[str]] = {}
    for model, key in waiting:
        if model not in models:
            raise ConfigError(f"a request to {model} waits: expected a model of that name, found {', '.join(models)}")
        by_model.setdefault(model, []).append(key)
    if not waiting:
        return ()
    number = cache.rounds() + 1
    stems = _stems(sorted(by_model))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        files = [
            written
            for model, keys in sorted(by_model.items())
            for written in _write_model(
                folder, f"round-{number}.{stems[model]}", models[model], _lines(cache, models, keys)
            )
        ]
    except OSError as error:
        raise WriteError(f"{path_text(folder)}: cannot be written: {error}") from error
    cache.mark_sent([key for _, key in waiting], number)
    return tuple(files)


def import_answers(cache: Cache, path: Path, imported: Imported | None = None) -> Imported:
    """Take the answers in a file of results; what is no answer is counted and harms no other line.

    Args:
        cache: where requests wait and answers are kept.
        path: a file as OpenAI Batch and `vllm run-batch` write it, results and errors alike.
        imported: counts of other files, to which those of this one are added.

    Raises:
        UserError: the file cannot be read at all. The answers before that place are kept.
    """
    counts = imported or Imported()
    for item in read_jsonl(path):
        if not isinstance(item, ReadError):
            _take(cache, item[1], counts)
        elif item.line is None:
            raise UserError(str(item))
        else:
            counts.broken += 1
            counts.add_fault(f"no JSON: {item.found}")
    return counts


def _take(cache: Cache, line: Json, counts: Imported) -> None:
    key = line.get("custom_id") if isinstance(line, dict) else None
    if not isinstance(line, dict) or not isinstance(key, str):
        counts.broken += 1
        counts.add_fault("no custom_id")
        return
    request = cache.waiting_request(key)
    if request is None:
        answered = cache.has(key)
        counts.repeated += answered
        counts.unknown += not answered
        return
    fault = _keep(cache, request, line)
    if fault is None:
        counts.kept += 1
    else:
        cache.mark_unsent([key])
        counts.failed += 1
        counts.add_fault(fault)


def _keep(cache: Cache, request: Request, line: JsonObject) -> str | None:
    """Keep the answer that a line of results holds, or return what it says instead."""
    try:
        response = _response(line)
    except ParseError as error:
        return str(error)
    cache.keep(request, response)
    return None if cache.has(request.key) else f"the answer ended early: {response.finish[:60]}"


def _response(line: JsonObject) -> Response:
    """Return the answer that a line of results holds, or raise ParseError with what it says instead."""
    given = line.get("response")
    body = given.get("body") if isinstance(given, dict) else None
    status = given.get("status_code", 200) if isinstance(given, dict) else 200
    if line.get("error"):
        raise ParseError(error_text(line))
    if status != 200:
        raise ParseError(f"{status} {error_text(body)}")
    return read_completion(body)


def _lines(cache: Cache, models: Mapping[str, Model], keys: list[str]) -> Iterator[bytes]:
    for key in keys:
        request = cache.waiting_request(key)
        if request is not None:
            line = {
                "custom_id": key,
                "method": "POST",
                "url": URL,
                "body": request_body(request, models[request.model]),
            }
            yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _write_model(folder: Path, stem: str, model: Model, lines: Iterator[bytes]) -> Iterator[BatchFile]:
    """Write the lines of one model; each file takes its name when it is complete."""
    line, part = next(lines, None), 1
    while line is not None:
        path = folder / (f"{stem}.jsonl" if part == 1 else f"{stem}.{part}.jsonl")
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("wb") as file:
            n, line = _fill(file, line, lines)
        os.replace(temporary, path)
        yield BatchFile(path, model.name, n)
        part += 1


def _fill(file: BinaryIO, line: bytes, lines: Iterator[bytes]) -> tuple[int, bytes | None]:
    """Write lines until the file is full; return how many, and the line that did not fit."""
    n = 0
    following: bytes | None = line
    while following is not None and (n == 0 or (n < MOST_REQUESTS and file.tell() + len(following) <= MOST_BYTES)):
        file.write(following)
        n += 1
        following = next(lines, None)
    return n, following


def _stems(models: list[str]) -> dict[str, str]:
    """Return for each model a part of a file name, no two of them equal on any file system."""
    stems: dict[str, str] = {}
    for model in models:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "_", model)[:80]
        taken = {other.lower() for other in stems.values()}
        stems[model] = stem if stem.lower() not in taken else f"{stem}-{len(stems) + 1}"
    return stems
