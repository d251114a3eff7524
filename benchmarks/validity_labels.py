"""What labels of failed runs are worth: a goal drawn at random, the original one, the first request, and that one where the
verdict accepts it. BFCL's checker says of each whether the run does it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from validity_calls import Task
from validity_methods import by_replay, first_request_of
from validity_pairs import NEAR_MISS, OTHER, Bfcl, Pair, laid_out

RANDOM, ORIGINAL, FIRST, ACCEPTED = (
    "random goal",
    "goal = original",
    "first request",
    "first request, where replay accepts",
)


@dataclass(frozen=True)
class Labelled:
    """A label of a failed run."""

    task: str
    method: str
    right: bool


def label(pairs: Iterable[Pair], tasks: Sequence[Task], bfcl: Bfcl, seed: int) -> Iterator[Labelled]:
    """Yield the labels of the runs that fail their own task."""
    by_id = {task.id: task for task in tasks}
    for pair in pairs:
        if pair.valid or pair.kind in (NEAR_MISS, OTHER) or not pair.run.agent_steps:
            continue
        task, rng = by_id[pair.task], random.Random(f"{seed} {pair.task} {pair.kind} label")
        other = rng.choice([one for one in tasks if one is not task])
        told = bfcl.check(other, laid_out(pair.turns, len(other.question)))
        yield Labelled(pair.task, RANDOM, bool(told["valid"]))
        yield Labelled(pair.task, ORIGINAL, pair.valid)
        if not pair.turns[0]:
            continue
        first = replace(task, question=task.question[:1], gold=task.gold[:1])
        right = bool(bfcl.check(first, pair.turns[:1])["valid"])
        yield Labelled(pair.task, FIRST, right)
        if by_replay(first_request_of(pair)).verdict == "accepted":
            yield Labelled(pair.task, ACCEPTED, right)
