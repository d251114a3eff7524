"""The paper's contrasts of goals (`stages/package/contrast`) as our trainer takes them: from an output folder, as samples."""

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
from agenther.stages.package.contrast import goal_contrast
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
    made = goal_contrast(example, run)
    if isinstance(made, str):
        return made
    try:
        sides = (
            _side(list(made.chosen), made.chosen_train_on, example),
            _side(list(made.rejected), made.rejected_train_on, example),
        )
    except WriteError:
        return "a turn that trainers would refuse"
    kind = SAME if made.sides == "same_turns" else WHOLE
    return Sample(example.id, sides, orjson.loads(made.tools), made.weight, kind=kind)


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
