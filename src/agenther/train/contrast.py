"""The paper's contrast of goals: a run under the goal it reached, and under the goal it failed.

The pair says that the run is worse under its own goal. That is known of the whole recorded run only, for a part of it might
have succeeded. So where the label cuts or edits the run, the worse side is the whole run as recorded, not the part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, cast

import orjson
from pydantic import ValidationError

from agenther.conclusions import Example
from agenther.errors import UserError, WriteError
from agenther.jobs.store import Store
from agenther.preferences import Unpaired
from agenther.record import Json, JsonObject
from agenther.stages.package.candidates import is_own_failure, whole_run
from agenther.stages.recording import cut_log, shared_steps
from agenther.texts import path_text
from agenther.train.rows import Sample, Side, data_file, read_lines
from agenther.trajectory import Trajectory
from agenther.writers import WRITERS, checked_rows

SAME, WHOLE = "the same turns under both goals", "a part under the new goal, the whole run under its own"
"""What the sides of a contrast are."""


def read_contrasts(out: Path, refused: Counter[str], *, same_run: bool = False) -> Iterator[Sample]:
    """Yield the contrasts that an output folder holds on the train side, in the order of its examples.

    Args:
        out: folder of a finished job.
        refused: counts, by reason, the examples that give none.
        same_run: take only those whose sides train the same turns.

    Raises:
        UserError: the folder holds no finished job.
    """
    with Store(out / "run.sqlite", _results_key(out), read_only=True) as store:
        for example in _examples(out):
            found = store.find(example.trajectory_id)
            made = "its run is not in the store" if found is None else contrast(example, found.trajectory)
            if isinstance(made, Sample) and same_run and made.kind != SAME:
                made = "the sides are not the same run"
            if isinstance(made, Sample):
                yield made
            else:
                refused[made] += 1


def contrast(example: Example, run: Trajectory) -> Sample | str:
    """Return the contrast of a relabelled run with itself under its own goal, or why there is none.

    Args:
        example: the run as relabelled.
        run: the same run as recorded.
    """
    if cut_log(run) is not None or not is_own_failure(example.detection):
        return "its run does not fail its goal beyond doubt"
    relabelled, recorded = list(example.messages), whole_run(run)
    ours, theirs = _agent_turns(relabelled), _agent_turns(recorded)
    same = ours.keys() == theirs.keys() and all(ours[step] == theirs[step] for step in example.train_on)
    failed = example.train_on if same else tuple(theirs.keys() - shared_steps(run))
    try:
        sides = _side(relabelled, example.train_on, example), _side(recorded, failed, example)
    except WriteError:
        return "a turn that trainers would refuse"
    if not sides[1].trained:
        return "an earlier run has all of its turns"
    if sides[0].messages == sides[1].messages:
        return "both goals give the same conversation"
    return Sample(example.id, sides, orjson.loads(example.tools), example.weight, kind=SAME if same else WHOLE)


def _agent_turns(messages: list[JsonObject]) -> dict[int, JsonObject]:
    return {int(cast(int, m["step"])): m for m in messages if m["role"] == "assistant"}


def _side(messages: list[JsonObject], train_on: Collection[int], example: Example) -> Side:
    """Return a conversation as TRL takes it, through the writer and its checks."""
    first = next((n for n, message in enumerate(messages) if message["role"] == "assistant"), len(messages))
    record = Unpaired(
        id=example.id,
        prompt=tuple(messages[:first]),
        completion=tuple(messages[first:]),
        label=True,
        tools=example.tools,
        kind="hindsight",
        trajectory_id=example.trajectory_id,
        task_id=example.task_id,
        weight=example.weight,
    )
    (row,) = checked_rows(WRITERS["trl"], record)
    if isinstance(row, WriteError):
        raise row
    turns = cast(list[JsonObject], [*cast(list[Json], row["prompt"]), *cast(list[Json], row["completion"])])
    trained = (n for n, m in enumerate(messages) if m["role"] == "assistant" and m["step"] in train_on)
    return Side(turns, tuple(trained))


def _examples(out: Path) -> Iterator[Example]:
    path = data_file(out, "goal-contrast")
    for number, row in read_lines(path):
        try:
            if row["origin"] == "hindsight" and row["split"] == "train":
                yield Example.model_validate({k: v for k, v in row.items() if k in Example.model_fields})
        except (KeyError, TypeError, ValidationError) as error:
            raise UserError(f"{path_text(path)}:{number}: expected an example, found {error!r:.200}") from error


def _results_key(out: Path) -> str:
    try:
        manifest: dict[str, Any] = orjson.loads((out / "manifest.json").read_bytes())
        return str(manifest["results_key"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{path_text(out)}: expected the output of a finished job, found no readable manifest.json",
            "run `agenther run INPUT -o OUT` first, and name OUT as --data",
        ) from error
