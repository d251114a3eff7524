"""Calls of recorded runs as a name and arguments: JSON or Python's call syntax, parsed and never evaluated.

Hostile text is expected: what is not a plain call of literal values is a `ParseError`.
"""

from __future__ import annotations

import ast
import copy
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from agenther.errors import ParseError
from agenther.literals import LONGEST_LITERAL, json_value
from agenther.record import DEEPEST, Json, JsonObject, is_storable
from agenther.trajectory import ToolCall, Trajectory


class Call(NamedTuple):
    """A name and arguments by name."""

    name: str
    arguments: JsonObject


def arguments_of(call: ToolCall) -> JsonObject:
    """Return the arguments of a recorded call; each time a new object.

    Raises:
        ParseError: they are no JSON object, so that nobody knows what was called.
    """
    value = json_value(call.arguments) if call.arguments.strip() else {}
    if not isinstance(value, dict) or not is_storable(value):
        raise ParseError(f"the arguments of {_short(call.function_name)} are no JSON object: {_short(call.arguments)}")
    return value


def parse_call(text: str, parameters: Mapping[str, Sequence[str]] | None = None) -> Call:
    """Return what a call in Python's syntax says, such as `move(source='a', places=[1, 2])`.

    Args:
        text: one call; its arguments are literals.
        parameters: names of the parameters of each function, in order. Others are unknown then, and arguments by position
            take these names; without it, they have none.

    Raises:
        ParseError: it is no such call.
    """
    node = _call_node(text)
    if not isinstance(node.func, ast.Name) or node.func.id.startswith("_"):
        raise ParseError(f"no plain name of a function: {_short(text)}")
    name = node.func.id
    if parameters is not None and name not in parameters:
        raise ParseError(f"no such function: {_short(name)}")
    names = list((parameters or {}).get(name, ()))
    if len(node.args) > len(names):
        raise ParseError(f"arguments by position that have no name: {_short(text)}")
    arguments = {key: _literal(value, text) for key, value in zip(names, node.args, strict=False)}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in arguments:
            raise ParseError(f"an argument that has no name, or is given twice: {_short(text)}")
        arguments[keyword.arg] = _literal(keyword.value, text)
    if not is_storable(arguments):
        raise ParseError(f"a number that JSON has no room for: {_short(text)}")
    return Call(name, arguments)


def _call_node(text: str) -> ast.Call:
    if len(text) > LONGEST_LITERAL:
        raise ParseError(f"a call of more than {LONGEST_LITERAL} characters: {_short(text)}")
    node = _parsed(text.strip())
    if not isinstance(node, ast.Call):
        raise ParseError(f"no call in Python's syntax: {_short(text)}")
    return node


def _parsed(text: str) -> ast.expr | None:
    """Return the expression that a text is; None when it is none, or too deep for Python's parser."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _literal(node: ast.expr, text: str, depth: int = 0) -> Json:
    if depth < DEEPEST:
        match node:
            case ast.Constant(value=None | bool() | int() | str() as value):
                return value
            case ast.Constant(value=float() as value) if math.isfinite(value):
                return value
            case ast.UnaryOp(
                op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as value)
            ) if not isinstance(value, bool) and math.isfinite(value):
                return -value if isinstance(sign, ast.USub) else value
            case ast.List(elts=members) | ast.Tuple(elts=members):
                return [_literal(member, text, depth + 1) for member in members]
            case ast.Dict(keys=keys, values=values) if all(_is_text(key) for key in keys):
                names = [cast(str, cast(ast.Constant, key).value) for key in keys]
                return {name: _literal(value, text, depth + 1) for name, value in zip(names, values, strict=True)}
            case _:
                pass
    raise ParseError(f"an argument that is no literal value: {_short(text)}")


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _short(text: str) -> str:
    return repr(text[:80]) + ("…" if len(text) > 80 else "")


def call_places(text: str) -> list[tuple[int, int]]:
    """Return where each call stands in a text that is a list of calls, `[a(x=1), b(y=2)]`; none when it is something else."""
    inside = text.strip("` \n").removeprefix("[").removesuffix("]")
    whole = f"[{inside}]"
    node = _parsed(whole) if len(text) <= LONGEST_LITERAL else None
    places: list[tuple[int, int]] = []
    end = 0
    for call in node.elts if isinstance(node, ast.List) else ():
        own = ast.get_source_segment(whole, call) if isinstance(call, ast.Call) else None
        at = text.find(own, end) if own else -1
        if own is None or at < 0:
            return []
        end = at + len(own)
        places.append((at, end))
    return places


def gold_of(run: Trajectory) -> tuple[Call, ...] | None:
    """Return the calls that are known to reach the goal for which a run was recorded; None when they are not known.

    They stand under the label `gold_calls`, in tau-bench's runs under `actions`: names, with `arguments` or `kwargs`.
    """
    listed = run.labels.get("gold_calls", run.labels.get("actions"))
    if not isinstance(listed, list):
        return None
    calls: list[Call] = []
    for one in copy.deepcopy(listed):
        arguments = one.get("arguments", one.get("kwargs")) if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(name := one.get("name"), str) or not isinstance(arguments, dict):
            return None
        calls.append(Call(name, arguments))
    return tuple(calls)
