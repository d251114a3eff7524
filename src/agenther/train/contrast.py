"""The paper's contrast of goals: one run under the goal it reached and under the goal it failed.

The pair says that the run is worse under its own goal, so it must be the whole recorded run that failed: a cut prefix
might have succeeded. And both sides must train the same words of the agent, or the difference would be in what it did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import orjson
from pydantic import ValidationError

from agenther.conclusions import Example
from agenther.errors import UserError, WriteError
from agenther.jobs.store import Store
from agenther.preferences import Unpaired
from agenther.record import Json, JsonObject
from agenther.stages.package.preferences import is_own_failure, whole_run
from agenther.stages.recording import cut_log
from agenther.texts import path_text
from agenther.train.rows import Sample, Side, data_file, read_lines
from agenther.trajectory import Trajectory
from agenther.writers import WRITERS, checked_rows


def read_contrasts(out: Path, refused: Counter[str]) -> Iterator[Sample]:
    """Yield the contrasts that an output folder holds on the train side, in the order of its examples.

    Args:
        out: folder of a finished job.
        refused: counts, by reason, the examples that give none.

    Raises:
        UserError: the folder holds no finished job.
    """
    with Store(out / "run.sqlite", _results_key(out), read_only=True) as store:
        for example in _examples(out):
            found = store.find(example.trajectory_id)
            made = "its run is not in the store" if found is None else contrast(example, found.trajectory)
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
    if not ours or max(theirs, default=0) > max(ours):
        return "a part of the run, which might have succeeded"
    if ours.keys() != theirs.keys():
        return "steps of the run are left out"
    if any(ours[step] != theirs[step] for step in example.train_on):
        return "trained turns were edited"
    try:
        sides = tuple(_side(turns, example) for turns in (relabelled, recorded))
    except WriteError:
        return "a turn that trainers would refuse"
    if sides[0].messages == sides[1].messages:
        return "both goals give the same conversation"
    return Sample(example.id, sides, orjson.loads(example.tools), example.weight)


def _agent_turns(messages: list[JsonObject]) -> dict[int, JsonObject]:
    return {int(cast(int, m["step"])): m for m in messages if m["role"] == "assistant"}


def _side(messages: list[JsonObject], example: Example) -> Side:
    """Return a conversation as TRL takes it, through the writer and its checks."""
    first = next(n for n, message in enumerate(messages) if message["role"] == "assistant")
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
    trained = (n for n, m in enumerate(messages) if m["role"] == "assistant" and m["step"] in example.train_on)
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
