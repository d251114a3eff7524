"""Tasks that ask for an answer: the values that the run found, when they stand in what it saw and are the whole answer.

The form of the answer is part of the task, so that one spelling is right: a value, a list of values, rows of a table, or named
members of a document. Where a goal leaves open what belongs to the answer, there is no task.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agenther.conclusions import Example
from agenther.literals import literal_value, printed_rows
from agenther.record import Json, JsonObject, is_storable
from agenther.tasks.base import Checker, SetAside, Unfit, kept_steps
from agenther.trajectory import Step, Trajectory

MOST_VALUES = 19
"""With one row more, a harness may have cut the table."""
LONGEST_VALUE = 200
_TIE = re.compile(r"\btie\b", re.IGNORECASE)
_SORTED = re.compile(r"\b(?:sorted|ordered|order of|descending|ascending|alphabetical)", re.IGNORECASE)
_NAMED = re.compile(r"(?:What (?:is|are)|Show|List|Find) the (?P<named>[\w ,]+?) (?:of|for) ")
_EACH = re.compile(
    r"For each [\w ]+?(?: with at least one [\w ]+)?, (?:how many|count|find the|what is the) (?P<what>[^.?]*)"
)
_VALUE = "a JSON string or number, the value alone; numbers as exactly as the tools give them"


@dataclass(frozen=True)
class Answer:
    """An answer with its form."""

    value: Json
    form: str
    ordered: bool = False

    @property
    def checker(self) -> Checker:
        """What decides it."""
        return Checker(kind="answer", spec={"answer": self.value, "ordered": self.ordered})


def find_answer(example: Example, run: Trajectory) -> Answer | SetAside:
    """Return what an example's goal asks for, in a form that can be told; or why it cannot.

    Args:
        example: an accepted example with the values that answer its goal.
        run: the run as stored.
    """
    if not example.answers:
        return _open("no value answers the goal: what it asks for can be written in many ways")
    if any(len(value) > LONGEST_VALUE for value in example.answers):
        return _open("the answer is a text, not a value")
    if _TIE.search(example.hindsight_goal):
        return SetAside(Unfit.SEVERAL_WAYS, "the goal allows any one of several answers")
    text = _shown(example, run)
    if example.domain == "sql":
        rows = printed_rows(text)
        return _open("the result is no table of plain values") if rows is None else _table(example, rows)
    seen = _observed(example, run)
    if (unseen := next((v for v in example.answers if not _stands(v, seen)), None)) is not None:
        return SetAside(Unfit.NOT_OBSERVED, f"{unseen[:60]!r} stands in no kept observation that is no echo")
    match example.domain:
        case "rest":
            return _members(example, text)
        case "shell":
            return _output(example, text)
        case _:
            return _single(example)


def _open(detail: str) -> SetAside:
    return SetAside(Unfit.OPEN_ANSWER, detail)


def _observed(example: Example, run: Trajectory) -> list[tuple[Step, str]]:
    """Return the observations of the kept steps with their steps."""
    return [(step, seen.content) for step in kept_steps(example, run) for seen in step.observations]


def _stands(value: str, seen: list[tuple[Step, str]]) -> bool:
    """Tell whether a value stands as a whole in an observation whose calls do not say it."""
    pattern = re.compile(rf"(?<![^\W_]){re.escape(value)}(?![^\W_])", re.IGNORECASE)
    return any(
        pattern.search(text) is not None and not any(pattern.search(call.arguments) for call in step.tool_calls)
        for step, text in seen
    )


def _shown(example: Example, run: Trajectory) -> str:
    """Return the kept observation that the claim rests on; empty when it rests on none."""
    kept = {step.step_id: step for step in kept_steps(example, run)}
    spans = (span for span in example.claims[0].evidence if span.field.startswith("observations["))
    return next((kept[span.step].text_of(span.field) for span in spans if span.step in kept), "")


def _single(example: Example) -> Answer | SetAside:
    if len(example.answers) != 1:
        return _open("several values, and nothing says that they are all")
    return Answer(example.answers[0], _VALUE)


def _output(example: Example, text: str) -> Answer | SetAside:
    """Return what a command printed, when it is the value and nothing else."""
    if text.strip() != example.answers[0].strip():
        return _open("the output says more than the value that answers the goal")
    return _single(example)


def _table(example: Example, rows: list[list[Json]]) -> Answer | SetAside:
    if len(rows) > MOST_VALUES:
        return _open(f"the answer has {len(rows)} rows: a harness may have cut more")
    if any(cell is None for row in rows for cell in row):
        return _open("a cell is empty")
    if not is_storable(rows):
        return _open("a number is longer than JSON has room for")
    ordered = _SORTED.search(example.hindsight_goal) is not None
    if ordered and not any(_is_strict([row[place] for row in rows]) for place in range(len(rows[0]))):
        return SetAside(Unfit.SEVERAL_WAYS, "rows that are equal in what they are sorted by may come in any order")
    order = "in the order that is asked for" if ordered else "in any order"
    if len(rows[0]) > 1:
        named = _in_order_of_goal(example.hindsight_goal, rows)
        if named is None:
            return _open("the goal does not say which columns the answer has, in which order")
        form = f"a JSON array with an array for each row, its cells in the order in which the goal names them; rows {order}"
        return Answer([[*row] for row in named], form, ordered=ordered)
    values = [row[0] for row in rows]
    if len(values) == 1:
        return Answer(values[0], _VALUE)
    return Answer(values, f"a JSON array of the values, {order}", ordered=ordered)


def _in_order_of_goal(goal: str, rows: list[list[Json]]) -> list[list[Json]] | None:
    """Return the rows with their cells as the goal names them; None when it leaves open what they are."""
    if (listed := _NAMED.match(goal)) is not None:
        named = [one for one in re.split(r",| and ", listed["named"]) if one.strip()]
        return rows if len(named) == len(rows[0]) else None
    each = _EACH.match(goal)
    if each is None or " and " in each[0] or len(rows[0]) != 2:
        return None
    numeric = [all(_is_number(row[place]) for row in rows) for place in (0, 1)]
    match numeric:
        case [False, True]:
            return rows
        case [True, False]:
            return [[row[1], row[0]] for row in rows]
        case _:
            return None


def _is_strict(column: list[Json]) -> bool:
    """Tell whether a column alone decides the order of its rows: all its numbers or texts rise, or all fall."""
    if all(map(_is_number, column)):
        keys: list[Any] = [*column]
    elif all(isinstance(cell, str) for cell in column):
        keys = [str(cell).casefold() for cell in column]
    else:
        return False
    pairs = list(itertools.pairwise(keys))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)


def _is_number(cell: Json) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _members(example: Example, text: str) -> Answer | SetAside:
    """Return the members of a document that the run told, by their names: which of them are wanted is part of the task."""
    named: JsonObject = {}
    leaves = list(_leaves(literal_value(text)))
    for value in example.answers:
        holders = [(name, values) for name, values in leaves if value in values]
        if len(holders) != 1 or sum(name == holders[0][0] for name, _ in leaves) != 1 or not holders[0][0]:
            return _open(f"{value[:60]!r} is not the value of one named member of the document")
        name, values = holders[0]
        if not set(values) <= set(example.answers):
            return _open(f"the run told only a part of {name[:60]!r}")
        named[name] = values[0] if len(values) == 1 else [*values]
    names = ", ".join(f"`{name}`" for name in sorted(named))
    return Answer(named, f"a JSON object with the members {names}, named as in the tool's answer")


def _leaves(value: Json, name: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each text, number or list of such in a document, with the name of its member."""
    if isinstance(value, str):
        inner = literal_value(value) if value.lstrip()[:1] in ("{", "[") else None
        yield from _leaves(inner, name) if inner is not None else [(name, [value])]
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _leaves(member, key)
    elif isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        yield name, [str(one) for one in value]
    elif isinstance(value, list):
        for member in value:
            yield from _leaves(member, name)
    elif value is not None and not isinstance(value, bool):
        yield name, [str(value)]
