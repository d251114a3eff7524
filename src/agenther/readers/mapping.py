"""The map of a file that no reader knows: where each thing lies, as JMESPath expressions in a TOML file.

Owns what a map may say, and its errors with their line. What is made of the values that it finds belongs to `mapped`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from agenther.errors import ConfigError
from agenther.record import Json, Record
from agenther.texts import path_text
from agenther.trajectory import GoalHolder

Role = Literal["system", "developer", "user", "assistant", "tool"]
_CONDITIONS = frozenset({"comparator", "not_expression"})


@lru_cache(maxsize=256)
def compiled(expression: str) -> Any:
    """Return a JMESPath expression ready for searching.

    Raises:
        ValueError: it does not parse, or calls a function that does not exist.
    """
    try:
        made = cast(Any, jmespath).compile(expression)
        names = _functions(made.parsed)
    except RecursionError:
        raise ValueError(f"{expression[:40]!r}… is nested too deeply") from None
    except JMESPathError as error:
        reason = " ".join(str(error).partition("\n")[0].split()).rstrip(":")
        raise ValueError(f"{expression!r} is no JMESPath expression: {reason}") from None
    if unknown := next((name for name in names if name not in Functions.FUNCTION_TABLE), None):
        raise ValueError(f"{expression!r}: JMESPath has no function {unknown}()")
    return made


def _functions(node: dict[str, Any]) -> list[str]:
    own = [cast(str, node["value"])] if node["type"] == "function_expression" else []
    return own + [name for child in node["children"] for name in _functions(child)]


def _parses(expression: str) -> str:
    compiled(expression)
    return expression


def _is_no_condition(expression: str) -> str:
    if _compares(compiled(expression).parsed):
        raise ValueError(
            "a condition would call a run failed that has no such field; give `path` and a condition beside it"
        )
    return expression


def _compares(node: dict[str, Any]) -> bool:
    """Tell whether a comparison may decide what an expression gives; one that only picks members of a list does not."""
    children = node["children"][:2] if node["type"] == "filter_projection" else node["children"]
    return node["type"] in _CONDITIONS or any(_compares(child) for child in children)


def _as_table(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


def _as_several(value: Any) -> Any:
    return cast(Any, value) if isinstance(value, list | tuple) else (value,)


Expression = Annotated[StrictStr, AfterValidator(_parses)]
Values = Annotated[tuple[StrictStr | StrictBool | StrictInt | StrictFloat, ...], BeforeValidator(_as_several)]


class SuccessMap(Record):
    """Which value means success. Where the path finds nothing, nothing is known."""

    path: Annotated[Expression, AfterValidator(_is_no_condition)]
    equals: Values | None = Field(default=None, description="values that mean success; any other is a failure")
    fails: Values | None = Field(
        default=None, description="values that mean failure; those in neither list say nothing"
    )
    at_least: StrictInt | StrictFloat | None = Field(default=None, description="the least number that means success")
    at_most: StrictInt | StrictFloat | None = Field(default=None, description="the greatest number that means success")
    inverted: StrictBool = Field(default=False, description="success where the above says failure")

    @model_validator(mode="after")
    def _has_one_condition(self) -> SuccessMap:
        named, bounded = (self.equals, self.fails), (self.at_least, self.at_most)
        if any(v is not None for v in named) and any(v is not None for v in bounded):
            raise ValueError("either values (equals, fails) or bounds (at_least, at_most)")
        return self


class MessagesMap(Record):
    """Where a chat lies. What is left out has the name that OpenAI gives it."""

    path: Expression
    role: Expression | None = None
    content: Expression | None = None
    name: Expression | None = None
    reasoning: Expression | None = None
    tool_calls: Expression | None = None
    call_id: Expression | None = None
    call_name: Expression | None = None
    call_arguments: Expression | None = None
    answers: Expression | None = Field(default=None, description="the id of the call that a tool message answers")
    roles: dict[str, Role] = Field(default_factory=dict, description="their names of roles to OpenAI's")


class StepsMap(Record):
    """Where the agent's steps lie: what it thought, said and did, and what came back."""

    path: Expression
    thought: Expression | None = None
    message: Expression | None = None
    call_name: Expression | None = None
    call_arguments: Expression | None = None
    action: Expression | None = Field(default=None, description="the whole action as one text")
    tool: StrictStr | None = Field(default=None, description="the tool that takes every action; None for `Name[text]`")
    argument: StrictStr = Field(default="input", description="the argument of the tool that is the action's text")
    observation: Expression | None = None

    @model_validator(mode="after")
    def _acts_in_one_way(self) -> StepsMap:
        if self.action is not None and (self.call_name is not None or self.call_arguments is not None):
            raise ValueError("either `action`, one text, or `call_name` with `call_arguments`")
        if self.action is None and self.call_name is None:
            raise ValueError("what the agent did is missing: `action` or `call_name`")
        if self.tool is not None and self.action is None:
            raise ValueError("`tool` goes with `action`; a name found in the record is `call_name`")
        return self


class RunMap(Record):
    """Where a file holds its runs, and a run its parts. Exactly one of `messages` and `steps` is given."""

    records: Expression | None = Field(default=None, description="the list of runs; None: lines, or a list at the top")
    id: Expression | None = None
    task_id: Expression | None = None
    agent: Expression | None = None
    goal: Expression | None = Field(default=None, description="None: the first user message")
    system: Expression | None = Field(default=None, description="the system text, where it lies apart")
    prompt: Expression | None = Field(default=None, description="the first user turn, where it lies apart")
    tools: Expression | None = None
    reward: Expression | None = None
    success: Annotated[SuccessMap | None, BeforeValidator(_as_table)] = None
    messages: Annotated[MessagesMap | None, BeforeValidator(_as_table)] = None
    steps: StepsMap | None = None
    answer: Expression | None = Field(default=None, description="the last message, where steps leave it out")
    labels: dict[str, Expression] = Field(default_factory=dict, description="what else to keep, by name")
    goal_holder: GoalHolder = GoalHolder.AGENT
    answer_by: Literal["message", "action"] = "message"

    @model_validator(mode="after")
    def _has_one_shape(self) -> RunMap:
        if (self.messages is None) == (self.steps is None):
            raise ValueError("exactly one of the tables [messages] and [steps] is needed")
        if self.steps is not None and self.goal is None:
            raise ValueError("steps need `goal`: the path of what the agent was asked")
        if self.messages is not None and self.answer is not None:
            raise ValueError("`answer` goes with [steps]; a chat holds its answer")
        return self


def load_map(path: Path) -> RunMap:
    """Read a map.

    Raises:
        ConfigError: the file is no TOML, a key is unknown, missing or of the wrong type, or an expression does not parse.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"{path_text(path)}: expected a map in TOML, found {error}", "`agenther formats --map-template` prints one"
        ) from error
    try:
        return RunMap.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        keys = tuple(part for part in first["loc"] if isinstance(part, str))
        line = _line_of(text, keys)
        place = path_text(path) if line is None else f"{path_text(path)}:{line}"
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{place} {'.'.join(keys) or 'map'}: {reason}", _hint(table, keys, first["type"])) from error


_HEADER = re.compile(r"\s*\[\s*([\w.\- ]+?)\s*\]")
_ASSIGNMENT = re.compile(r"\s*([\w.\-]+)\s*=")
_TABLES: dict[str, type[Record]] = {"success": SuccessMap, "messages": MessagesMap, "steps": StepsMap}


def _line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """Return the 1-based line that comes nearest to a key: its own, else that of a table around it."""
    table: tuple[str, ...] = ()
    found, depth = None, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            here = table = tuple(header.group(1).split("."))
        elif assignment := _ASSIGNMENT.match(line):
            here = (*table, *assignment.group(1).split("."))
        else:
            continue
        if len(here) > depth and keys[: len(here)] == here:
            found, depth = number, len(here)
    return found


def _hint(table: Mapping[str, Json], keys: tuple[str, ...], kind: str) -> str:
    if kind in ("extra_forbidden", "missing"):
        return f"known: {', '.join(_TABLES.get(keys[0] if len(keys) > 1 else '', RunMap).model_fields)}"
    if kind == "value_error" and keys:
        return "paths are JMESPath (jmespath.org); a key with other signs than letters, digits and _ stands in double quotes"
    return "`agenther formats --map-template` prints a map with every key explained"
