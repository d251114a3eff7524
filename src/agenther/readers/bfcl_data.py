"""What BFCL's package and its scorer know about a run, looked up beside its result file: task, gold, tools, verdict.

All of it is optional. The data is looked for where AGENTHER_BFCL_DATA says, in the project that the results lie in, and in
BFCL's own environment (`environments.bfcl`).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agenther.environments.bfcl import bfcl_home
from agenther.readers.base import read_head, read_jsonl
from agenther.record import Json, JsonObject

DATA_VARIABLE = "AGENTHER_BFCL_DATA"
RESULT = re.compile(r"(?P<version>BFCL_v\d+)_(?P<category>\w+)_result\.json\Z")
SCORE = re.compile(r"(?P<name>BFCL_v\d+_\w+)_score\.json\Z")
_DOCS = {
    "GorillaFileSystem": "gorilla_file_system.json",
    "MathAPI": "math_api.json",
    "MessageAPI": "message_api.json",
    "TicketAPI": "ticket_api.json",
    "TradingBot": "trading_bot.json",
    "TravelAPI": "travel_booking.json",
    "TwitterAPI": "posting_api.json",
    "VehicleControlAPI": "vehicle_control.json",
}
"""Services and the files that describe their functions."""
_TYPES = {"dict": "object", "float": "number", "tuple": "array"}


@dataclass
class Known:
    """What is known about the runs of a result file, by the id of their task."""

    entries: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    gold: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    failures: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])
    is_scored: bool = False
    """Whether the scorer went over all of the runs: those that it does not list are successes."""
    docs: dict[str, tuple[JsonObject, ...]] = field(default_factory=dict[str, tuple[JsonObject, ...]])
    version: str | None = None


def known_about(path: Path) -> Known:
    """Return what is known about the runs of a result file."""
    known = Known()
    _take_scores(known, score_file(path))
    match = RESULT.search(path.name)
    folder = _data_folder(path)
    if match is None or folder is None:
        return known
    name = f"{match['version']}_{match['category']}.json"
    known.entries |= {str(line["id"]): line for line in _lines(folder / name) if "id" in line}
    for line in _lines(folder / "possible_answer" / name):
        if isinstance(turns := line.get("ground_truth"), list):
            known.gold[str(line.get("id"))] = turns
    known.docs = {service: _functions(folder / "multi_turn_func_doc" / file) for service, file in _DOCS.items()}
    known.version = _version(folder)
    return known


def score_file(path: Path) -> Path:
    """Return where BFCL writes the verdicts on a result file: under `score` as the file lies under `result`, or beside it."""
    name = re.sub(r"_result\.json\Z", "_score.json", path.name)
    mirrored = _mirrored(path, "result", "score")
    return (
        mirrored.with_name(name)
        if mirrored is not None and mirrored.with_name(name).is_file()
        else path.with_name(name)
    )


def result_file(path: Path) -> Path:
    """Return the result file that a score file belongs to."""
    name = re.sub(r"_score\.json\Z", "_result.json", path.name)
    return (_mirrored(path, "score", "result") or path).with_name(name)


def _mirrored(path: Path, folder: str, other: str) -> Path | None:
    """Return the path with the last folder of a name replaced by another; None when it has no such folder."""
    parts = path.absolute().parts
    at = next((i for i in range(len(parts) - 2, 0, -1) if parts[i] == folder), None)
    return Path(*parts[:at], other, *parts[at + 1 :]) if at is not None else None


def _data_folder(path: Path) -> Path | None:
    named = os.environ.get(DATA_VARIABLE)
    project = next((p.parent for p in path.absolute().parents if p.name == "result"), None)
    home = bfcl_home()
    places = [Path(named)] if named else []
    places += [project / "data", project / "bfcl_eval" / "data"] if project is not None else []
    places += [home / "data"] if home is not None else []
    return next((place for place in places if (place / "possible_answer").is_dir()), None)


def _version(folder: Path) -> str | None:
    """Return the version of the installed package whose data this is; None when it is none."""
    found = sorted(folder.parent.parent.glob("bfcl_eval-*.dist-info"))
    return found[0].name.removeprefix("bfcl_eval-").removesuffix(".dist-info") if found else None


def _take_scores(known: Known, path: Path) -> None:
    for number, line in enumerate(_lines(path)):
        if number == 0:
            known.is_scored = "accuracy" in line and "total_count" in line
        elif known.is_scored and isinstance(line.get("id"), str) and line.get("valid") is False:
            own = str(line["id"])
            known.failures[own] = line
            if isinstance(entry := line.get("prompt"), dict):
                known.entries[own] = entry
            if isinstance(turns := line.get("possible_answer"), list):
                known.gold[own] = turns


def _lines(path: Path) -> Iterator[JsonObject]:
    """Yield the objects of a JSONL file, whatever its name ends in; none where it cannot be read."""
    if path.is_file() and read_head(path):
        for item in read_jsonl(path):
            if isinstance(item, tuple) and isinstance(item[1], dict):
                yield item[1]


def _functions(path: Path) -> tuple[JsonObject, ...]:
    return tuple(_schema(line) for line in _lines(path) if isinstance(line.get("name"), str))


def _schema(doc: JsonObject) -> JsonObject:
    """Return a tool schema in OpenAI's form."""
    body = {name: doc[name] for name in ("name", "description") if name in doc}
    return {"type": "function", "function": {**body, "parameters": _with_json_types(doc.get("parameters"))}}


def _with_json_types(value: Json) -> Json:
    if isinstance(value, list):
        return [_with_json_types(member) for member in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _TYPES.get(member, member) if key == "type" and isinstance(member, str) else _with_json_types(member)
        for key, member in value.items()
    }
