"""A task from an accepted example: what decides its goal, in which environment, and what the run did there.

What a replay showed goes first; then what was recorded. Where neither decides the goal the example is set aside with the reason.
"""

from __future__ import annotations

import re
from typing import Any

from agenther.conclusions import Example
from agenther.record import JsonObject, canonical_json
from agenther.replay import Replay, Setting
from agenther.tasks.answers import find_answer
from agenther.tasks.base import ORIGINAL, RECORDED, Checker, Oracle, SetAside, Task, TaskCall, TaskSource, Unfit
from agenther.tasks.controls import controlled
from agenther.tasks.recording import PLACEHOLDER, changes_something, effects_of, kept_calls, oracle_calls, recording_of
from agenther.tasks.visits import find_target
from agenther.trajectory import GoalHolder, Span, Trajectory

_NO_STATE = {
    "household": "the state of the household was not recorded, and its calls are program text",
    "code": "the repository in which tests were run was not recorded",
    "files": "the file system in which files were made was not recorded",
}


def derive(example: Example, run: Trajectory) -> Task | SetAside:
    """Return the task that an accepted example makes, with its controls passed; or why it makes none.

    Args:
        example: an accepted example.
        run: the run as stored, redacted.
    """
    if example.origin != "hindsight":
        return SetAside(Unfit.OWN_GOAL, "the run reached its own goal, for which there is a task already")
    task = _task(example, run)
    if isinstance(task, SetAside):
        return task
    if PLACEHOLDER.search(canonical_json([task.goal, task.checker.spec, task.oracle]).decode()) is not None:
        return SetAside(Unfit.REDACTED, "the goal or its solution holds what was redacted")
    return controlled(task, run)


def _task(example: Example, run: Trajectory) -> Task | SetAside:
    replay = _shown(example)
    if replay is not None:
        return _of_replay(example, run, replay)
    if example.domain in _NO_STATE:
        return SetAside(Unfit.NO_STATE, _NO_STATE[example.domain])
    if example.domain == "shopping":
        return SetAside(Unfit.SEVERAL_WAYS, "other goods fulfil the request as well as the one that was bought")
    if example.domain == "web" or _is_browsing(run):
        return _of_web(example, run)
    if example.domain == "dialogue":
        return _of_dialogue(example, run)
    return _of_answer(example, run)


def _shown(example: Example) -> Replay | None:
    """Return the replay by which a vote consents: it changed something, and the goal asks for all that was done."""
    consenting = (score.replay for score in example.verdict.scores if score.value == 1)
    return next((replay for replay in consenting if replay is not None and replay.changes), None)


def _make(example: Example, run: Trajectory, **fields: Any) -> Task:
    asked = run.goal_holder is GoalHolder.SIMULATED_USER or example.domain == "dialogue"
    return Task(
        id=f"hindsight-{example.id}",
        goal=example.hindsight_goal,
        told_to="simulated_user" if asked else "agent",
        domain=example.domain,
        tools=run.tools,
        controls={},
        source=TaskSource(
            trajectory_id=example.trajectory_id,
            example_id=example.id,
            original_goal=example.desired_goal,
            task_id=example.task_id,
            format=example.source.format,
        ),
        **fields,
    )


def _of_replay(example: Example, run: Trajectory, replay: Replay) -> Task | SetAside:
    if example.answers:
        return SetAside(
            Unfit.OPEN_ANSWER, "the goal asks for a change and for an answer, and the state decides one of them"
        )
    chosen = (replay.calls[place] for place in replay.oracle)
    calls = tuple(TaskCall(name=call.name, arguments=call.arguments) for call in chosen)
    changes = [change.model_dump(mode="json") for change in replay.changes]
    spec: JsonObject = {"calls": [call.model_dump(mode="json") for call in calls], "changes": [*changes]}
    return _make(
        example,
        run,
        environment=replay.setting,
        checker=Checker(kind="state_diff", spec=spec),
        oracle=Oracle(calls=calls),
        evidence="replay",
    )


def _original(example: Example, run: Trajectory, why: str) -> Setting:
    initial: JsonObject = {"task_id": example.task_id, "format": run.source.format, "not_recorded": why}
    return Setting(kind=ORIGINAL, initial=initial)


def _setting(example: Example, run: Trajectory) -> Setting:
    """Return the environment that the recorded calls make, else the one that the run's benchmark sets up."""
    recording = recording_of(example, run)
    return recording if isinstance(recording, Setting) else _original(example, run, recording.detail)


def _of_answer(example: Example, run: Trajectory) -> Task | SetAside:
    answer = find_answer(example, run)
    if isinstance(answer, SetAside):
        return answer
    return _make(
        example,
        run,
        answer_format=answer.form,
        environment=_setting(example, run),
        checker=answer.checker,
        oracle=Oracle(calls=oracle_calls(kept_calls(example, run)), answer=answer.value),
        evidence="observation",
    )


def _of_web(example: Example, run: Trajectory) -> Task | SetAside:
    found = find_target(example, run)
    if isinstance(found, SetAside):
        return found
    base = {"environment": _original(example, run, "a web site")}
    if example.answers:
        answer = find_answer(example, run)
        if isinstance(answer, SetAside):
            return answer
        oracle = Oracle(answer=answer.value, requests=found.requests)
        return _make(
            example,
            run,
            answer_format=answer.form,
            checker=answer.checker,
            oracle=oracle,
            evidence="observation",
            **base,
        )
    oracle = Oracle(requests=found.requests)
    return _make(example, run, checker=found.checker, oracle=oracle, evidence=found.evidence, **base)


def _of_dialogue(example: Example, run: Trajectory) -> Task | SetAside:
    change = _claimed_call(example, run)
    if change is None:
        return SetAside(Unfit.NOT_RECORDED, "the call that made the change has no arguments that can be read")
    setting = _setting(example, run)
    before = oracle_calls(kept_calls(example, run)) if setting.kind == RECORDED else ()
    looks = (call for call in before if not changes_something(call.name))
    spec: JsonObject = {"calls": [change.model_dump(mode="json")], "effects": [*effects_of(run)]}
    return _make(
        example,
        run,
        environment=setting,
        checker=Checker(kind="calls", spec=spec),
        oracle=Oracle(calls=(*looks, change)),
        evidence="recorded_calls",
    )


def _claimed_call(example: Example, run: Trajectory) -> TaskCall | None:
    """Return the call on which the claim rests."""
    at: Span = example.claims[0].evidence[0]
    found = re.fullmatch(r"tool_calls\[(\d+)\]\.arguments", at.field)
    if found is None:
        return None
    call = run.step(at.step).tool_calls[int(found[1])]
    return TaskCall(name=call.function_name, arguments=call.values) if call.values else None


def _is_browsing(run: Trajectory) -> bool:
    return run.labels.get("environment") == "webarena-verified" or run.source.format in _BROWSERS


_BROWSERS = frozenset({"webarena-verified", "webarena-html", "webarena-json", "agentlab", "agent-reward-bench"})
