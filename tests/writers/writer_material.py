"""Well-formed examples of every shape, for the tests of writers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from agenther.conclusions import Detection, Example, Outcome, Verdict
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import JsonObject
from agenther.trajectory import Source
from agenther.writers.lengths import Measure

MANY = settings(max_examples=int(os.environ.get("WRITER_EXAMPLES", "300")), deadline=None)
"""How many runs a property is tried on; `make test-writers` tries thousands."""
TEXT = st.text(max_size=20)
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
"""Names of arguments: one with a NUL is refused, for Arrow would cut it."""
WORDS = TEXT.filter(str.strip)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**9), 10**9).map(lambda n: n / 8)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAME, inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(NAME, VALUES, max_size=3)
SQL_TOOLS = '[{"type":"function","function":{"name":"sql","parameters":{"type":"object","properties":{}}}}]'


def pair(prompt: list[JsonObject], chosen: list[JsonObject], rejected: list[JsonObject]) -> Pair:
    return Pair(
        id="p1",
        prompt=tuple(prompt),
        chosen=tuple(chosen),
        rejected=tuple(rejected),
        tools="[]",
        kind="same_goal",
        why="one succeeded",
        chosen_trajectory="a/1",
        rejected_trajectory="a/2",
        task_id=None,
        weight=1.0,
    )


def contrast(**changes: Any) -> Contrast:
    told = [user(1, "Count the crates"), query(2, "SELECT COUNT(*) FROM crate")]
    recorded = [user(1, "Count the buoys"), *told[1:], result(2, "7", "call_2"), agent(3, "There are 7.")]
    fields: dict[str, Any] = {
        "id": "c1",
        "chosen": tuple(told),
        "chosen_train_on": (2,),
        "rejected": tuple(recorded),
        "rejected_train_on": (3,),
        "tools": SQL_TOOLS,
        "sides": "whole_run",
        "trajectory_id": "a/1",
        "task_id": None,
        "weight": 0.5,
    }
    return Contrast(**(fields | changes))


def unpaired(prompt: list[JsonObject], completion: list[JsonObject], label: bool) -> Unpaired:
    return Unpaired(
        id="k1",
        prompt=tuple(prompt),
        completion=tuple(completion),
        label=label,
        tools="[]",
        kind="hindsight",
        trajectory_id="a/1",
        task_id=None,
        weight=1.0,
    )


def example(messages: list[JsonObject], train_on: tuple[int, ...] | None = None, **changes: Any) -> Example:
    agent = tuple(m["step"] for m in messages if m["role"] == "assistant")
    fields: dict[str, Any] = {
        "id": "e1",
        "trajectory_id": "runs/1",
        "task_id": None,
        "origin": "hindsight",
        "source": Source(path="runs.json", format="openai-chat", index=0),
        "desired_goal": "old",
        "hindsight_goal": "new",
        "strategy": "final",
        "domain": "rest",
        "detection": Detection(outcome=Outcome.FAILED, by="label:test"),
        "claims": (),
        "verdict": Verdict(accepted=True, support=1.0, scores=()),
        "weight": 0.5,
        "messages": tuple(messages),
        "tools": "[]",
        "train_on": agent if train_on is None else train_on,
        "repairs": (),
        "provenance": {},
    }
    return Example(**(fields | changes))


def tokens_of(measure: Measure, messages: Sequence[JsonObject], tools: str) -> int:
    """Return the tokens of a conversation."""
    return measure.around(tools) + sum(map(measure.message, messages))


def user(step: int, text: str = "count the crates") -> JsonObject:
    return {"role": "user", "content": text, "step": step}


def agent(step: int, text: str = "", *calls: JsonObject, **more: Any) -> JsonObject:
    message: JsonObject = {"role": "assistant", "content": text, "step": step, **more}
    return message | {"tool_calls": list(calls)} if calls else message


def call(name: str = "search", arguments: Any = None, call_id: str = "c1") -> JsonObject:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": text}}


def query(step: int, text: str) -> JsonObject:
    return agent(step, "", call("sql", json.dumps({"query": text}), f"call_{step}"))


def result(step: int, text: str = "7", call_id: str | None = "c1") -> JsonObject:
    message: JsonObject = {"role": "tool", "content": text, "step": step}
    return message if call_id is None else message | {"tool_call_id": call_id}


@st.composite
def examples(draw: st.DrawFn, *, masks: bool = True) -> Example:
    messages: list[JsonObject] = [{"role": "system", "content": draw(TEXT), "step": 1}] if draw(st.booleans()) else []
    messages.append(user(len(messages) + 1, draw(TEXT)))
    n_turns = draw(st.integers(1, 5))
    for number in range(n_turns):
        step = messages[-1]["step"] + 1
        messages += draw(_turn(step, last=number == n_turns - 1))
    agents = [m["step"] for m in messages if m["role"] == "assistant"]
    train_on = [s for s in agents[:-1] if not masks or draw(st.booleans())] + agents[-1:]
    return example(messages, tuple(train_on), tools=draw(st.sampled_from(["[]", '[{"type":"function"}]'])))


@st.composite
def _turn(draw: st.DrawFn, step: int, *, last: bool) -> list[JsonObject]:
    reasoning = {"reasoning_content": draw(TEXT)} if draw(st.booleans()) else {}
    n_calls = draw(st.integers(0, 2))
    if n_calls == 0:
        turn = [agent(step, draw(WORDS), **reasoning)]
        return turn if last else [*turn, user(step, draw(TEXT))]
    named = draw(st.booleans())
    ids = [f"id-{step}-{i}" if named else "" for i in range(n_calls)]
    calls = [call(draw(WORDS), draw(ARGUMENTS), i) for i in ids]
    results = [result(step, draw(TEXT), i or None) for i in ids]
    return [agent(step, draw(TEXT), *calls, **reasoning), *([] if last else results)]
