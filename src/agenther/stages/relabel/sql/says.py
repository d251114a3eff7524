"""Fragments of a request, and what a condition says of its column. Knows values and operators, no tables."""

from __future__ import annotations

from dataclasses import dataclass

from agenther.stages.language.sql.shape import Column, Condition, Operator, Unspeakable, Value
from agenther.stages.language.sql.words import is_date

TIE = " If there is a tie, one is enough."
FUNCTION_WORDS = {"avg": "average", "sum": "total", "min": "lowest", "max": "highest"}
COUNTED = frozenset("cylinders doors seats floors rooms beds employees passengers wins losses goals pages".split())
"""Columns whose plural name says how many."""
COMPARED: dict[Operator, str] = {
    "=": "is",
    "!=": "is not",
    ">": "is above",
    ">=": "is at least",
    "<": "is below",
    "<=": "is at most",
}
_DATED: dict[Operator, str] = {"=": "is", "!=": "is not", ">": "is after", "<": "is before"}

_YES, _NO = frozenset({"t", "y", "yes", "true", "1"}), frozenset({"f", "n", "no", "false", "0"})


@dataclass(frozen=True)
class Said:
    """A fragment of a goal: its text, what kind of part it is, and the words of the query that it says."""

    text: str
    kind: str = ""
    says: tuple[str, ...] = ()


Phrase = tuple[Said, ...]


def plain(text: str) -> Phrase:
    """Return a fragment that states nothing."""
    return (Said(text),)


def join_phrases(phrases: list[Phrase], last: str = "and") -> Phrase:
    """Return `a, b and c`."""
    joined: list[Said] = []
    for i, phrase in enumerate(phrases):
        if i:
            joined.append(Said(f" {last} " if i == len(phrases) - 1 else ", "))
        joined += phrase
    return tuple(joined)


def owned(owner: str, phrase: str) -> str:
    """Say a column of another table: country name, country's population."""
    if phrase.startswith(owner) or owner == "person" or set(phrase.split(" ")) <= set(owner.split(" ")):
        return phrase
    if owner.split(" ")[-1] == phrase.split(" ")[0] and " " in phrase:
        return f"{owner} {phrase.split(' ', 1)[1]}"
    return f"{owner} {phrase}" if phrase in ("name", "code", "id", "full name") else f"{owner}'s {phrase}"


def predicate(condition: Condition, column: Column) -> str:
    """Return what a condition says of its column."""
    values = [shown(value) for value in condition.values]
    dated = is_date(column.name)
    match condition.operator:
        case "like" | "not like":
            return _pattern(condition.values[0].text, negated=condition.operator == "not like")
        case "in" | "not in":
            if condition.operator == "in":
                return f"is {listed(values, 'or')}"
            return f"is not {listed(values, 'or')}" if len(values) == 1 else f"is neither {listed(values, 'nor')}"
        case "between":
            return f"is between {values[0]} and {values[1]}"
        case ">=" | "<=" if dated:
            return f"is {values[0]} or {'later' if condition.operator == '>=' else 'earlier'}"
        case operator:
            if operator in ("!=", "=") or (operator in _DATED and dated):
                return f"{_DATED[operator]} {values[0]}"
            if condition.values[0].quoted:
                raise Unspeakable("compares the order of texts")
            return f"{COMPARED[operator]} {values[0]}"


def listed(values: list[str], last: str) -> str:
    """Return a few values in a row."""
    if len(values) > 4:
        raise Unspeakable("a long list of values")
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} {last} {values[-1]}"


def shown(value: Value) -> str:
    """Return a value as the request shows it: texts in quotes."""
    if '"' in value.text or "\n" in value.text or len(value.text) > 60 or (value.quoted and not value.text.strip()):
        raise Unspeakable("a value that cannot be quoted")
    return f'"{value.text}"' if value.quoted else value.text


def _pattern(pattern: str, *, negated: bool) -> str:
    inside = pattern.strip("%")
    if not inside.strip() or "%" in inside or "_" in inside or "\\" in inside or '"' in inside:
        raise Unspeakable("a pattern with holes")
    match (pattern.startswith("%"), pattern.endswith("%")):
        case (True, True):
            verb = ("does not contain", "contains")
        case (False, True):
            verb = ("does not start with", "starts with")
        case (True, False):
            verb = ("does not end with", "ends with")
        case _:
            verb = ("is not", "is")
    return f'{verb[not negated]} "{inside}"'


def is_flag_value(value: Value) -> bool:
    """Tell whether a value says yes or no."""
    return value.quoted and flag_says(value) is not None


def flag_says(value: Value) -> bool | None:
    """Return what a value of a flag says; None where it is neither yes nor no."""
    word = value.text.strip().lower()
    return True if word in _YES else False if word in _NO else None
