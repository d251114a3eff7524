"""Hypothesis strategies: any JSON, any trajectory, any file content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import orjson
from hypothesis import strategies as st

from agenther.record import Json, JsonObject
from agenther.trajectory import GoalHolder, Observation, Source, Span, Step, ToolCall, Trajectory

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Short texts of any characters that UTF-8 can hold."""

_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_SPANS = st.tuples(st.integers(0, 9), st.integers(0, 9))


def json_values(max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """Return a strategy of JSON values."""
    leaves = st.none() | st.booleans() | _NUMBERS | TEXT
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=max_leaves,
    )


def json_objects() -> st.SearchStrategy[JsonObject]:
    """Return a strategy of JSON objects."""
    return st.dictionaries(TEXT, json_values(4), max_size=3)


def tool_calls() -> st.SearchStrategy[ToolCall]:
    """Return a strategy of structured calls, also with broken arguments."""
    arguments = json_objects().map(lambda o: orjson.dumps(o).decode()) | TEXT
    return st.builds(ToolCall, tool_call_id=TEXT, function_name=TEXT, arguments=arguments, at=st.none())


def observations() -> st.SearchStrategy[Observation]:
    """Return a strategy of observations; those in user turns refer to no call."""
    answer = st.builds(Observation, content=TEXT, source_call_id=st.none() | TEXT, name=st.none() | TEXT)
    turn = st.builds(Observation, content=TEXT, role=st.just("user"), name=st.none() | TEXT)
    return answer | turn


@st.composite
def steps(draw: st.DrawFn, max_size: int = 5) -> tuple[Step, ...]:
    """Draw steps as chat messages can hold them: calls and observations on agent steps alone."""
    made: list[Step] = []
    for number in range(1, draw(st.integers(1, max_size)) + 1):
        source = draw(st.sampled_from(("system", "user", "agent")))
        agent = source == "agent"
        step = Step(
            step_id=number,
            source=source,
            message=draw(TEXT),
            reasoning=draw(st.none() | TEXT) if agent else None,
            tool_calls=tuple(draw(st.lists(tool_calls(), max_size=2))) if agent else (),
            observations=tuple(draw(st.lists(observations(), max_size=2))) if agent else (),
            name=draw(st.none() | TEXT),
        )
        made.append(step)
    return tuple(made)


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """Draw trajectories, with text calls and places as well."""
    made = draw(steps())
    if draw(st.booleans()):
        made = tuple(_with_places(draw, step) for step in made)
    goal_at = st.builds(Span, step=st.integers(1, 5), field=st.just("message"), start=st.just(0), end=st.integers(0, 9))
    return Trajectory(
        id=draw(TEXT.filter(bool)),
        source=Source(path="runs.json", format="atif", index=0),
        task_id=draw(st.none() | TEXT),
        goal=draw(TEXT),
        goal_at=tuple(draw(st.lists(goal_at, max_size=2))),
        goal_holder=draw(st.sampled_from(GoalHolder)),
        answer_by=draw(st.sampled_from(("message", "action"))),
        tools=tuple(draw(st.lists(json_objects(), max_size=2))),
        steps=made,
        success=draw(st.none() | st.booleans()),
        reward=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        label_source=draw(st.none() | TEXT),
        labels=draw(json_objects()),
        agent=draw(st.none() | TEXT),
    )


def _with_places(draw: st.DrawFn, step: Step) -> Step:
    if step.source != "agent":
        return step
    calls = tuple(call.model_copy(update={"at": draw(st.none() | _SPANS)}) for call in step.tool_calls)
    return step.model_copy(update={"tool_calls": calls, "thought_at": tuple(draw(st.lists(_SPANS, max_size=2)))})


@st.composite
def changed_json(draw: st.DrawFn, value: Json) -> Json:
    """Draw a JSON value in which one to three places are missing, doubled, or hold something else."""
    made = orjson.loads(orjson.dumps(value))
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(made))
        if not places:
            return draw(json_values())
        parent, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(("put", "move", "remove", "double"))):
            case "remove":
                del parent[key]
            case "double" if isinstance(parent, list):
                cast(list[Json], parent).insert(key, orjson.loads(orjson.dumps(parent[key])))
            case "move":
                other, name = draw(st.sampled_from(places))
                parent[key] = orjson.loads(orjson.dumps(other[name])) if name in _keys(other) else None
            case _:
                parent[key] = draw(json_values(4))
    return made


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in _keys(value):
        yield value, key
        yield from _places(value[key])


def _keys(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(cast(dict[str, Any], value))
    return list(range(len(cast(list[Any], value)))) if isinstance(value, list) else []


@st.composite
def file_contents(draw: st.DrawFn) -> bytes:
    """Draw what a file may hold: any bytes, any JSON, JSON lines, or records that come close to a run."""
    near = st.fixed_dictionaries(
        {},
        optional={
            "messages": st.lists(_messages(), max_size=4) | json_values(),
            "traj": st.lists(_messages(), max_size=4) | json_values(),
            "steps": st.lists(_atif_steps(), max_size=3) | json_values(),
            "schema_version": st.sampled_from(("ATIF-v1.0", "ATIF-v1.8", "ATIF-v9")) | json_values(),
            "reward": _NUMBERS | json_values(2),
            "task_id": _NUMBERS | json_values(2),
            "info": st.fixed_dictionaries({"task": st.fixed_dictionaries({"instruction": TEXT})}) | json_values(),
            "tools": json_values(),
            "goal": TEXT | json_values(2),
            "extra": st.fixed_dictionaries({"agenther": json_objects()}) | json_values(2),
        },
    )
    values = json_values() | near | st.lists(near, max_size=3)
    lines = st.lists(values, max_size=3).map(lambda many: b"\n".join(orjson.dumps(one) for one in many))
    return draw(st.binary(max_size=60) | values.map(orjson.dumps) | lines)


def _messages() -> st.SearchStrategy[object]:
    role = st.sampled_from(("system", "developer", "user", "assistant", "tool", "function"))
    known = st.fixed_dictionaries(
        {"role": role, "content": TEXT | json_values(3)},
        optional={"tool_calls": st.lists(json_objects(), max_size=2), "name": TEXT, "tool_call_id": TEXT},
    )
    return known | json_values(3)


def _atif_steps() -> st.SearchStrategy[object]:
    source = st.sampled_from(("system", "user", "agent"))
    known = st.fixed_dictionaries(
        {"source": source, "message": TEXT | json_values(3)},
        optional={"tool_calls": json_values(3), "observation": json_values(3), "extra": json_values(3)},
    )
    return known | json_values(3)
