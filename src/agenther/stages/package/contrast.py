"""The paper's contrast of goals: a run under the goal it reached, and under the goal it failed.

The pair says that the run is worse under its own goal. That is known of the whole recorded run only, for a part of it might
have succeeded. So where the label cuts or edits the run, the worse side is the whole run as recorded, not the part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from agenther.conclusions import Example
from agenther.preferences import Contrast
from agenther.record import JsonObject, content_key
from agenther.stages.package.candidates import is_own_failure, plain, whole_run
from agenther.stages.recording import cut_log, shared_steps
from agenther.trajectory import Trajectory


def goal_contrast(example: Example, run: Trajectory) -> Contrast | str:
    """Return the contrast of a relabelled run with itself under its own goal, or why there is none.

    Args:
        example: the run as relabelled.
        run: the same run as recorded.
    """
    if cut_log(run) is not None or not is_own_failure(example.detection):
        return "its run does not fail its goal beyond doubt"
    recorded = whole_run(run)
    ours, theirs = _agent_turns(example.messages), _agent_turns(recorded)
    same = ours.keys() == theirs.keys() and all(ours[step] == theirs[step] for step in example.train_on)
    failed = example.train_on if same else tuple(step for step in theirs if step not in shared_steps(run))
    if not failed:
        return "an earlier run has all of its turns"
    if list(map(plain, example.messages)) == list(map(plain, recorded)):
        return "both goals give the same conversation"
    return Contrast(
        id=content_key([example.id, "goal_contrast"])[:16],
        chosen=example.messages,
        chosen_train_on=example.train_on,
        rejected=tuple(recorded),
        rejected_train_on=failed,
        tools=example.tools,
        sides="same_turns" if same else "whole_run",
        trajectory_id=example.trajectory_id,
        task_id=example.task_id,
        weight=example.weight,
    )


def _agent_turns(messages: Sequence[JsonObject]) -> dict[int, JsonObject]:
    return {int(cast(int, m["step"])): m for m in messages if m["role"] == "assistant"}
