"""Pairs of a person's question and a run, with the truth about each: from BFCL's checker, or by construction for near misses."""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from agenther.replay import Change
from agenther.trajectory import Trajectory
from validity_calls import Task, Turns, as_run, read_task
from validity_perturb import HARMFUL, TRIES, Pool, as_text, extra_step, runs_of

SEED = 20261122
NEAR, RANDOM = 2, 2
"""Runs of other tasks that a question is paired with: of those most like it by their tools, and any."""
NEAR_MISSES = 3
ChangesOf = Callable[[Trajectory], tuple[Change, ...]]
"""Replays a run and tells what it changed."""
NEAR_MISS = "near miss: a value of the question changed"
OTHER = "run of another task"


@dataclass(frozen=True)
class Pair:
    """A question, a run, and whether the run demonstrates the question."""

    task: str
    kind: str
    turns: Turns
    run: Trajectory
    valid: bool
    error: str
    """What the checker objects to; empty when nothing."""


class Bfcl:
    """BFCL's executor and checker, in its own process."""

    def __init__(self, python: Path) -> None:
        worker = Path(__file__).with_name("validity_bfcl.py")
        self._process = subprocess.Popen(
            [str(python), "-B", str(worker)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.tasks = tuple(read_task(entry) for entry in self._read())

    def check(self, task: Task, turns: Turns) -> dict[str, Any]:
        """Execute a run and ask whether it does what the task's turns ask for."""
        made = [[call.record() for call in turn] for turn in turns]
        asked = {"entry": task.id, "turns": made, "n_turns": len(task.question)}
        stdin = cast(IO[str], self._process.stdin)
        stdin.write(json.dumps(asked) + "\n")
        stdin.flush()
        return cast(dict[str, Any], self._read())

    def close(self) -> None:
        """End the process."""
        cast(IO[str], self._process.stdin).close()
        self._process.wait()

    def _read(self) -> Any:
        return json.loads(cast(IO[str], self._process.stdout).readline())


def halves(tasks: tuple[Task, ...], seed: int = SEED) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """Return the half to develop on and the half that is opened once, drawn by the seed."""
    order = list(range(len(tasks)))
    random.Random(seed).shuffle(order)
    half = len(tasks) // 2
    return tuple(tasks[i] for i in sorted(order[:half])), tuple(tasks[i] for i in sorted(order[half:]))


def pairs_of(task: Task, half: tuple[Task, ...], bfcl: Bfcl, changes_of: ChangesOf, seed: int = SEED) -> Iterator[Pair]:
    """Yield the pairs of a task with runs made for it, runs of others of its half, and its question a little changed."""
    pool = Pool(tuple(call for one in half if one is not task for turn in one.gold for call in turn))
    for kind, turns in (*runs_of(task, seed, pool), *runs_of_others(task, half, seed)):
        pair = _pair(task, kind, turns, bfcl.check(task, turns))
        yield pair
        if kind == "correct":
            yield from near_misses(task, pair, changes_of(pair.run), half, seed)
    for number in range(TRIES):
        spoilt = extra_step(task, random.Random(f"{seed} {task.id} {HARMFUL} {number}"), pool)
        if spoilt is not None and not (told := bfcl.check(task, spoilt))["valid"]:
            yield _pair(task, HARMFUL, spoilt, told)
            return


def _pair(task: Task, kind: str, turns: Turns, told: dict[str, Any]) -> Pair:
    run = as_run(task, task.question, turns, told["observations"])
    return Pair(task.id, kind, turns, run, bool(told["valid"]), told["error"] or "")


def runs_of_others(task: Task, half: tuple[Task, ...], seed: int) -> Iterator[tuple[str, Turns]]:
    """Yield right runs of other tasks, laid out in as many turns as this question has."""
    rng = random.Random(f"{seed} {task.id} others")
    others = [one for one in half if one is not task]
    alike = sorted(others, key=lambda one: -_alike(task, one))[:NEAR]
    drawn = rng.sample([one for one in others if one not in alike], RANDOM)
    seen = {as_text(task.gold)}
    for other in (*alike, *drawn):
        turns = laid_out(other.gold, len(task.question))
        if as_text(turns) not in seen:
            seen.add(as_text(turns))
            yield OTHER, turns


def laid_out(turns: Turns, n: int) -> Turns:
    """Return the calls in n turns: what is left over goes into the last one."""
    kept = [*turns[: n - 1], tuple(call for turn in turns[n - 1 :] for call in turn)]
    return (*kept, *(() for _ in range(n - len(kept))))


def _alike(a: Task, b: Task) -> float:
    one, two = (Counter(call.name for turn in task.gold for call in turn) for task in (a, b))
    return sum((one & two).values()) / max(1, sum((one | two).values()))


def near_misses(
    task: Task, right: Pair, changes: tuple[Change, ...], half: tuple[Task, ...], seed: int = SEED
) -> Iterator[Pair]:
    """Yield pairs of the right run with the question in which a value of the diff is another one."""
    rng = random.Random(f"{seed} {task.id} near misses")
    values = sorted({text for change in changes for text in _spoken(change) if _stands(task, text)})
    for value in rng.sample(values, min(NEAR_MISSES, len(values))):
        elsewhere = [v for v in _elsewhere(task, value, half) if not any(v in turn for turn in task.question)]
        other = rng.choice(elsewhere) if elsewhere and rng.random() < 0.5 else another(value, rng)
        question = tuple(_word(value).sub(lambda _, other=other: other, turn) for turn in task.question)
        run = right.run.model_copy(update={"goal": "\n".join(question), "steps": _asked(right.run, question)})
        yield Pair(task.id, NEAR_MISS, task.gold, run, valid=False, error="by construction")


def another(value: str, rng: random.Random) -> str:
    """Return a value of the same look: another number, or a text with one letter or word another one."""
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        number = float(value) if "." in value else int(value)
        return f"{number + rng.choice([1, 2, 5, 10, 100]):g}" if number < 1e5 else str(int(number) + 1)
    at = rng.choice([i for i, letter in enumerate(value) if letter.isalpha()])
    letter = rng.choice([c for c in "abcdefghijklmnopqrstuvwxyz" if c != value[at].lower()])
    return value[:at] + (letter.upper() if value[at].isupper() else letter) + value[at + 1 :]


def _elsewhere(task: Task, value: str, half: tuple[Task, ...]) -> list[str]:
    """Return what the arguments that have a value in this task have in others."""
    names = {name for turn in task.gold for call in turn for name, v in call.arguments.items() if v == value}
    calls = (call for one in half for turn in one.gold for call in turn)
    found = {v for call in calls for name, v in call.arguments.items() if name in names and isinstance(v, str) and v}
    return sorted(found - {value})


def _spoken(change: Change) -> list[str]:
    """Return the texts of a leaf that a question may hold: its value and the last name of its path."""
    leaf = change.path.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
    values = [leaf, change.after if change.how != "removed" else change.before]
    return [f"{v:g}" if isinstance(v, float) else str(v) for v in values if isinstance(v, str | int | float)]


def _stands(task: Task, text: str) -> bool:
    """Tell whether a question holds a value as a whole word, and not as one of a language: a name, a number, a text."""
    values = [v for turn in task.gold for call in turn for v in call.arguments.values()]
    marked = any(c.isdigit() or c in "._@#" or c.isupper() for c in text) or " " in text or text in values
    readable = any(c.isalpha() for c in text) or re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
    return len(text) > 2 and marked and readable and any(_word(text).search(turn) for turn in task.question)


def _word(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.]){re.escape(text)}(?!\w|\.\d)")


def _asked(run: Trajectory, question: tuple[str, ...]) -> tuple[Any, ...]:
    said = iter(question)
    return tuple(
        step.model_copy(update={"message": next(said)}) if step.source == "user" else step for step in run.steps
    )
