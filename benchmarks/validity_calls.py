"""Calls as BFCL's gold writes them, and the runs that `validity.py` makes of them."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

from agenther.trajectory import Source, Trajectory, make_steps

Turns = tuple[tuple["Call", ...], ...]
"""Calls, turn by turn of the user."""


@dataclass(frozen=True)
class Call:
    """A call with named arguments."""

    name: str
    arguments: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """Return it as BFCL's side takes it."""
        return {"name": self.name, "arguments": self.arguments}


@dataclass(frozen=True)
class Task:
    """An entry: what a person asked, in turns, the calls that are right, and the tools at hand."""

    id: str
    question: tuple[str, ...]
    gold: Turns
    tools: dict[str, dict[str, Any]]
    classes: tuple[str, ...]
    initial: dict[str, Any]


def parse_call(text: str, tools: dict[str, dict[str, Any]]) -> Call:
    """Read a call whose arguments are literals; positional ones get the names that the schema has.

    Raises:
        ValueError: it is anything else.
    """
    tree = ast.parse(text.strip(), mode="eval").body
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name)):
        raise ValueError(text)
    schema = tools.get(tree.func.id)
    names = list(schema["parameters"]["properties"]) if schema else []
    if len(tree.args) > len(names):
        raise ValueError(text)
    values = {name: ast.literal_eval(value) for name, value in zip(names, tree.args, strict=False)}
    named = {str(one.arg): ast.literal_eval(one.value) for one in tree.keywords}
    return Call(tree.func.id, {**values, **named})


def read_task(entry: dict[str, Any]) -> Task:
    """Make a task of an entry as `validity_bfcl.py` tells it."""
    tools = {tool["name"]: tool for tool in entry["tools"]}
    return Task(
        id=entry["id"],
        question=tuple("\n".join(m["content"] for m in turn if m["role"] == "user") for turn in entry["question"]),
        gold=tuple(tuple(parse_call(text, tools) for text in turn) for turn in entry["gold"]),
        tools=tools,
        classes=tuple(entry["involved_classes"]),
        initial=entry["initial_config"],
    )


def as_run(task: Task, question: tuple[str, ...], turns: Turns, observations: list[list[str]]) -> Trajectory:
    """Return the record of a run: each user turn, then a step for each call with what came back."""
    steps: list[dict[str, Any]] = []
    for said, calls, shown in zip(question, turns, observations, strict=True):
        steps.append({"source": "user", "message": said})
        for call, text in zip(calls, shown, strict=True):
            number = f"call_{len(steps)}"
            made = {"tool_call_id": number, "function_name": call.name, "arguments": json.dumps(call.arguments)}
            seen = {"content": text, "source_call_id": number}
            steps.append({"source": "agent", "tool_calls": [made], "observations": [seen]})
    return Trajectory(
        id=task.id,
        source=Source(path="validity", format="bfcl", index=0),
        task_id=task.id,
        goal="\n".join(question),
        tools=tuple({"type": "function", "function": tool} for tool in task.tools.values()),
        steps=make_steps(steps),
        labels={"environment": setting(task)},
    )


def setting(task: Task) -> dict[str, Any]:
    """Return the environment of a task and its initial state, as a run names it."""
    return {
        "kind": "bfcl_multi_turn",
        "initial": {"involved_classes": list(task.classes), "initial_config": task.initial},
    }
