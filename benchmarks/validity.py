"""Measure the verdict on pairs of a person's question and a run: does the run demonstrate the question?

python benchmarks/validity.py [--half development|held-out] [--seed N] [--details FILE] [--out docs/measurements/validity.md]

Gold is BFCL's: questions that people wrote, end states, and a checker that says the truth about each run. Our proposer plays no
part. Needs BFCL's environment (`make bfcl-env`). Tasks are drawn into two halves. Development is the one that is looked at;
`--half held-out` opens the other, which is meant to happen once: it shows figures only, never a pair.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from agenther.environments.bfcl import bfcl_python
from validity_calls import Task
from validity_labels import label
from validity_methods import METHODS, changes_of
from validity_pairs import SEED, Bfcl, halves, pairs_of
from validity_report import Judged, page, summary

HALVES = ("development", "held-out")
HEADINGS = tuple(f"{half.capitalize()} half" for half in HALVES)
UNITS = ("first request", "whole conversation")


def first_request(task: Task) -> Task:
    """Return the task that a question's first turn alone is."""
    return replace(task, question=task.question[:1], gold=task.gold[:1])


def judge_half(tasks: tuple[Task, ...], bfcl: Bfcl, seed: int) -> Iterator[Judged]:
    """Make the pairs of a half, and ask every method about each."""
    for unit, half in zip(UNITS, (tuple(map(first_request, tasks)), tasks), strict=True):
        for number, task in enumerate(half, start=1):
            for pair in pairs_of(task, half, bfcl, changes_of, seed):
                yield Judged(unit, pair, {name: ask(pair) for name, ask in METHODS.items()})
            if number % 10 == 0:
                print(f"{unit}: {number} of {len(half)} tasks, {time.process_time():.0f} s", file=sys.stderr)


def details(judged: Sequence[Judged], path: Path) -> None:
    """Write what the main method says about each pair, to be looked at."""
    main = next(iter(METHODS))
    with path.open("w") as lines:
        for one in judged:
            said, pair = one.said[main], one.pair
            calls = [[call.record() for call in turn] for turn in pair.turns]
            row = {"unit": one.unit, "task": pair.task, "kind": pair.kind, "valid": pair.valid, "error": pair.error}
            row |= {"said": said.verdict, "why": said.why, "goal": pair.run.goal, "calls": calls}
            lines.write(json.dumps(row) + "\n")


def commit() -> str:
    """Return the commit that is measured, marked when files that decide differ from it."""
    at = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    paths = ["src/agenther/stages/verify/replay", "src/agenther/stages/language", "src/agenther/environments"]
    changed = subprocess.run(
        ["git", "status", "--porcelain", *paths], capture_output=True, text=True, check=True
    ).stdout
    return at.strip() + (" with changes" if changed.strip() else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=HALVES, default=HALVES[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--limit", type=int, help="tasks of the half, for a quick look; all without it")
    parser.add_argument("--details", type=Path, help="every pair with its verdict, as JSON lines: development only")
    parser.add_argument("--out", type=Path, help="page in which the section of this half is written anew")
    given = parser.parse_args()
    if given.half == "held-out" and (given.details or given.limit):
        parser.error("the held-out half is not looked at, and not in part")
    at = commit()
    bfcl = Bfcl(bfcl_python())
    tasks = halves(bfcl.tasks, given.seed)[HALVES.index(given.half)][: given.limit]
    judged = list(judge_half(tasks, bfcl, given.seed))
    whole = (one.pair for one in judged if one.unit == UNITS[1])
    labels = list(label(whole, tasks, bfcl, given.seed))
    bfcl.close()
    about = f"Seed {given.seed}, commit {at}, {len(tasks)} tasks, {len(judged)} pairs."
    section = summary(judged, labels, about)
    if given.details:
        details(judged, given.details)
    if given.out:
        old = given.out.read_text() if given.out.exists() else ""
        given.out.write_text(page(old, HEADINGS[HALVES.index(given.half)], section, HEADINGS))
    print(section)


if __name__ == "__main__":
    main()
