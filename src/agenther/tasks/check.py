"""Decide a task: did calls, an answer or what a browser asked reach its goal. For users as well as for the controls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

from agenther.conclusions import Score
from agenther.environments.base import Environment
from agenther.environments.plugins import find_environment
from agenther.environments.session import Session
from agenther.errors import ReplayError, UserError
from agenther.record import Json
from agenther.tasks import harness
from agenther.tasks.base import ORIGINAL, RECORDED, Oracle, Request, Task, TaskCall
from agenther.tasks.visits import reached, was_sent


def check(
    task: Task,
    *,
    calls: Iterable[TaskCall] = (),
    answer: Json = None,
    requests: Iterable[Request] = (),
) -> Score:
    """Decide a task by what an agent did.

    Args:
        task: as `tasks.jsonl` has it, read by `Task.model_validate_json`.
        calls: the agent's tool calls, in order.
        answer: its answer as JSON, in the form that `answer_format` asks for; None when it gave none.
        requests: what its browser asked the sites, in order.

    Returns:
        1 when the goal was reached, 0 when it was not, None when the environment cannot be asked.
    """
    by = f"task:{task.checker.kind}"
    try:
        good = _passes(task, Oracle(calls=tuple(calls), answer=answer, requests=tuple(requests)))
    except (ReplayError, UserError) as error:
        return Score(by=by, value=None, explanation=str(error))
    return Score(by=by, value=float(good), explanation=_TELLS[good])


_TELLS = {True: "what was done reaches the goal", False: "what was done does not reach the goal"}


def _passes(task: Task, done: Oracle) -> bool:
    match task.checker.kind:
        case "url":
            return reached(task.checker.spec, done.requests)
        case "network":
            return was_sent(task.checker.spec, done.requests)
        case "state_diff":
            return _same_end(task, done.calls)
        case "answer" | "calls":
            calls = [one.model_dump(mode="json") for one in done.calls]
            return harness.passes(decision(task), calls, done.answer)


def decision(task: Task) -> dict[str, Json]:
    """Return what the harness needs to decide a task."""
    setting = task.environment.model_dump(mode="json", include={"kind", "initial"})
    return {"kind": task.checker.kind, "spec": task.checker.spec, "environment": setting}


def _same_end(task: Task, calls: tuple[TaskCall, ...]) -> bool:
    """Tell whether calls reach the state that the oracle reaches, each in a fresh environment.

    A call of the agent that the environment cannot make ends its attempt: the goal is not reached. One of the oracle's is
    a fault of the task.
    """
    wanted = _end(task, task.oracle.calls)
    try:
        found = _end(task, calls)
    except ReplayError:
        return False
    return harness.same_state(wanted, found)


def _end(task: Task, calls: tuple[TaskCall, ...]) -> Json:
    raw = [one.model_dump(mode="json") for one in calls]
    with Session(_maker(task.environment.kind)) as environment:
        return cast(Json, harness.run(environment, task.environment.initial, raw)[1])


def _maker(kind: str) -> Callable[[], Environment]:
    if kind == RECORDED:
        return harness.Recorded
    found = None if kind == ORIGINAL else find_environment(kind)
    if found is None:
        raise ReplayError(f"no installed package brings the environment {kind!r}")
    return found.make
