"""What is trained on, read from an output folder: conversations with the turns that carry loss, their weight and label."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agenther.errors import UserError
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.train.settings import Method


class Side(NamedTuple):
    """A conversation, in TRL's dialect."""

    messages: list[JsonObject]
    trained: tuple[int, ...]
    """Positions of the agent's turns that carry loss."""


class Sample(NamedTuple):
    """What one row trains."""

    id: str
    sides: tuple[Side, ...]
    """One conversation, or the better and the worse of a pair."""
    tools: Json
    weight: float
    """Severity weight w."""
    label: bool = True
    """Whether the conversation is desirable (kto)."""
    kind: str = ""
    """What the sides of a contrast are; empty elsewhere."""


def data_file(out: Path, method: Method) -> Path:
    """Return the file of an output folder that decides what a method trains on."""
    return out / ("examples.jsonl" if method == "goal-contrast" else f"train/trl/{method}.jsonl")


def read_samples(path: Path, method: Method) -> Iterator[Sample]:
    """Yield the rows of a TRL file in their order.

    Args:
        path: the file.
        method: its kind.

    Raises:
        UserError: the file is missing or holds something else.
    """
    for number, row in read_lines(path):
        try:
            yield _sample(row, method)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path_text(path)}:{number}: expected a row for {method}, found {error!r}") from error


def read_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the lines of a file with their numbers, from 1.

    Raises:
        UserError: the file is missing or no JSONL.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                yield number, json.loads(line)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path_text(path)}: expected a file of a finished job, found {error}",
            "run `agenther run INPUT -o OUT` first, and name OUT as --data; if OUT is for other trainers,"
            " `agenther export OUT --for trl` adds these rows",
        ) from error


def _sample(row: dict[str, Any], method: Method) -> Sample:
    names = ("chosen", "rejected") if method == "dpo" else ("completion",)
    return Sample(
        id=json.loads(row["metadata"])["id"],
        sides=tuple(side_of_turns(row["prompt"], row[name]) for name in names),
        tools=json.loads(row["tools"]),
        weight=float(row["weight"]),
        label=bool(row["label"]) if method == "kto" else True,
    )


def side_of_turns(prompt: list[JsonObject], completion: list[JsonObject]) -> Side:
    """Return the conversation of a prompt and what follows it, whose agent turns all carry loss."""
    messages = [*prompt, *completion]
    agent = (n for n in range(len(prompt), len(messages)) if messages[n]["role"] == "assistant")
    return Side(messages, tuple(agent))
