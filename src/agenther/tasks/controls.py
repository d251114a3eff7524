"""Controls: what must pass a task and what must not, tried before it is written.

The oracle passes; doing nothing fails; what another goal asks for fails; where the right solution of the original goal is
known, it fails too. A task that does not behave so checks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlunsplit

from agenther.environments.calls import gold_of
from agenther.record import Json, JsonObject
from agenther.tasks.base import Oracle, Request, SetAside, Task, TaskCall, Unfit
from agenther.tasks.check import check
from agenther.tasks.recording import changes_something
from agenther.texts import split_url
from agenther.trajectory import Trajectory

GOLD_ANSWERS = ("gold_answer", "reference", "answer", "ground_truth", "gt", "expected", "target", "correct_answer")
"""Labels under which readers keep the right answer of the original goal."""
ELSEWHERE = "/another-page"


def controlled(task: Task, run: Trajectory) -> Task | SetAside:
    """Return the task with what its controls said, or which of them came out otherwise."""
    found: dict[str, int] = {}
    for name, attempt, expected in attempts(task, run):
        score = check(task, calls=attempt.calls, answer=attempt.answer, requests=attempt.requests)
        if score.value is None:
            return SetAside(Unfit.NO_ENVIRONMENT, score.explanation)
        if score.value != expected:
            tells = "fails" if expected else "passes"
            return SetAside(Unfit.CONTROL_FAILED, f"{name} {tells}")
        found[name] = expected
    return task.model_copy(update={"controls": found})


def attempts(task: Task, run: Trajectory) -> Iterator[tuple[str, Oracle, int]]:
    """Yield what is tried on a task: a name, what is done, and the verdict that it must have."""
    yield "oracle", task.oracle, 1
    yield "noop", Oracle(requests=task.oracle.requests[:1] if task.checker.kind == "url" else ()), 0
    for other in _others(task):
        yield "wrong_goal", other, 0
    for gold in _golds(task, run):
        yield "original_gold", gold, 0


def _others(task: Task) -> Iterator[Oracle]:
    """Yield near misses: what a goal that differs in one value would have done."""
    oracle = task.oracle
    match task.checker.kind:
        case "answer":
            yield oracle.model_copy(update={"answer": _another(oracle.answer)})
            if isinstance(oracle.answer, list) and len(oracle.answer) > 1:
                yield oracle.model_copy(update={"answer": oracle.answer[1:]})
        case "url":
            yield oracle.model_copy(update={"requests": (*oracle.requests, _moved(oracle.requests[-1]))})
        case "network":
            last = oracle.requests[-1]
            changed = {k: f"{v} other" for k, v in last.sent.items()} if isinstance(last.sent, dict) else None
            yield Oracle(requests=(*oracle.requests[:-1], last.model_copy(update={"sent": changed})))
        case "calls" | "state_diff":
            for place, call in enumerate(oracle.calls):
                if task.checker.kind == "state_diff" or changes_something(call.name):
                    yield Oracle(calls=oracle.calls[:place] + oracle.calls[place + 1 :])
            if task.checker.kind == "calls":
                yield Oracle(calls=tuple(_other_call(one) for one in oracle.calls))


def _another(value: Json) -> Json:
    """Return an answer that differs in one value."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case list() if value:
            return [_another(value[0]), *value[1:]]
        case dict() if value:
            first = min(value)
            return {**value, first: _another(value[first])}
        case _:
            return f"{value} other"


def _moved(last: Request) -> Request:
    parts = split_url(last.url)
    return last.model_copy(update={"url": urlunsplit(parts._replace(path=parts.path.rstrip("/") + ELSEWHERE))})


def _other_call(call: TaskCall) -> TaskCall:
    changed: JsonObject = {k: _another(v) for k, v in call.arguments.items()} or {"other": "value"}
    return call.model_copy(update={"arguments": changed})


def _golds(task: Task, run: Trajectory) -> Iterator[Oracle]:
    """Yield the recorded right solutions of the original goal, as far as this kind of checker can be given them."""
    match task.checker.kind:
        case "answer":
            for name in GOLD_ANSWERS:
                gold = run.labels.get(name)
                if gold is not None and not isinstance(gold, dict):
                    yield Oracle(answer=gold)
        case "calls" | "state_diff":
            if gold := gold_of(run):
                yield Oracle(calls=tuple(TaskCall(name=call.name, arguments=call.arguments) for call in gold))
        case "url" | "network":
            return
