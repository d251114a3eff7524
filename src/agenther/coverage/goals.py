"""The goals of a job: what its runs were asked for, and what its labels say they did."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import orjson

from agenther.errors import UserError
from agenther.record import JsonObject, content_key
from agenther.texts import path_text

MOST_GOALS = 20_000
"""Distinct goals of a kind that are looked at; of more, those with the least hash: a sample that depends on nothing else."""
_KEPT = 4_000
"""Characters of a goal that are looked at."""


class Goals(NamedTuple):
    """Distinct goals, each once, in an order that does not depend on the input's."""

    original: list[str]
    """What the runs were asked for."""
    hindsight: list[str]
    """What the labels of the training files say."""
    n_original: int
    """Distinct original goals there are, of which perhaps a sample is looked at."""
    n_hindsight: int


def read_goals(out: Path, manifest: JsonObject) -> Goals:
    """Read the goals of a finished job.

    Raises:
        UserError: its store or its examples are missing or broken.
    """
    try:
        original, n_original = _sample(_desired(out / "run.sqlite", str(manifest["results_key"])))
        hindsight, n_hindsight = _sample(_hindsight(out / "examples.jsonl"))
    except (OSError, sqlite3.Error, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{path_text(out)}: expected the output of a finished job, found {error}") from error
    return Goals(original, hindsight, n_original, n_hindsight)


def _desired(store: Path, results_key: str) -> Iterator[str]:
    query = "SELECT json_extract(trajectory, '$.goal') FROM results JOIN settings USING (settings) WHERE config_key = ?"
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True)) as db:
        for (goal,) in db.execute(query, (results_key,)):
            yield str(goal)


def _hindsight(examples: Path) -> Iterator[str]:
    with examples.open("rb") as file:
        for line in file:
            row = orjson.loads(line)
            if row["origin"] == "hindsight":
                yield str(row["hindsight_goal"])


def _sample(goals: Iterable[str]) -> tuple[list[str], int]:
    """Return the distinct goals with the least hashes, and how many there are; in memory are hashes alone and these."""
    kept: dict[str, str] = {}
    seen: set[bytes] = set()
    for goal in goals:
        text = " ".join(goal.split())[:_KEPT]
        key = content_key(text.casefold())
        mark = bytes.fromhex(key[:16])
        if text and mark not in seen:
            seen.add(mark)
            kept[key] = text
            if len(kept) >= 2 * MOST_GOALS:
                kept = dict(sorted(kept.items())[:MOST_GOALS])
    return [text for _, text in sorted(kept.items())[:MOST_GOALS]], len(seen)
