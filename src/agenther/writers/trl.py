"""Rows for TRL's SFTTrainer, DPOTrainer and KTOTrainer.

TRL renders through chat templates, most of which want arguments as objects, and needs a `datasets` that keeps objects
as they are; so here, and only here, arguments are objects. All rows of a kind have the same columns and types.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import orjson

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, NUMBER, TEXT, Kind, Row, Trainable, check_json, json_text
from agenther.writers.dialects import about_pair
from agenther.writers.sidecars import Files
from agenther.writers.turns import bind_calls, calls_of, check_says_something, check_turns, function_of

COLUMNS: dict[Kind, dict[str, str]] = {
    "sft": {"prompt": MESSAGES, "completion": MESSAGES, "tools": TEXT, "weight": NUMBER, "metadata": TEXT},
    "dpo": {
        "prompt": MESSAGES, "chosen": MESSAGES, "rejected": MESSAGES, "tools": TEXT, "weight": NUMBER, "metadata": TEXT
    },
    "kto": {
        "prompt": MESSAGES, "completion": MESSAGES, "label": "dtype: bool", "tools": TEXT, "weight": NUMBER, "metadata": TEXT
    },
}  # fmt: skip
"""Kind to the columns of its rows, each with its type as a dataset card writes it."""

REFUSES: Mapping[Kind, str] = {
    "goal_contrast": "its two sides have different prompts, here a pair has one; write it with `--for swift`, or train it "
    "with `agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class TrlWriter:
    """Writes `prompt` and `completion` (SFT, KTO) or `prompt`, `chosen` and `rejected` (DPO), all lists of messages."""

    consumer = "trl"
    kinds: tuple[Kind, ...] = ("sft", "dpo", "kto")
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ("sft", "dpo", "kto")

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record; an example gives one row for each unbroken stretch of agent turns that carry loss."""
        match record:
            case Example():
                yield from _sft(record)
            case Pair():
                yield _dpo(record)
            case Unpaired():
                yield _kto(record)
            case Contrast():
                raise WriteError(f"{record.id}: {REFUSES['goal_contrast']}")

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS[kind]

    def check(self, row: Row) -> None:
        """Raise WriteError if a trainer would refuse the row, drop it or train on what is no agent turn."""
        kind = next((kind for kind, columns in COLUMNS.items() if columns.keys() == row.keys()), None)
        if kind is None:
            raise WriteError(f"row: expected the columns of sft, dpo or kto, found {sorted(row)}")
        if not isinstance(row["weight"], float):
            raise WriteError(f"weight: expected float, found {row['weight']!r}")
        for column in ("tools", "metadata"):
            _check_json_text(row, column)
        if kind == "kto" and not isinstance(row["label"], bool):
            raise WriteError(f"label: expected true or false, found {row['label']!r}")
        continuations = ("chosen", "rejected") if kind == "dpo" else ("completion",)
        for column in continuations:
            _check_continuation(row, column)
        if kind == "dpo" and row["chosen"] == row["rejected"]:
            raise WriteError("rejected: expected another continuation than the chosen one, found the same")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return nothing: the settings of TRL's trainers are code."""
        return {}


def _sft(example: Example) -> Iterator[Row]:
    messages = _trl_messages(example.messages)
    steps = [message.get("step") for message in example.messages]
    for start, end in stretches(example):
        yield {
            "prompt": _column(messages[:start]),
            "completion": _column(messages[start:end]),
            "tools": example.tools,
            "weight": float(example.weight),
            "metadata": json_text(
                {
                    "id": example.id,
                    "trajectory_id": example.trajectory_id,
                    "task_id": example.task_id,
                    "origin": example.origin,
                    "domain": example.domain,
                    "strategy": example.strategy,
                    "steps": [s for s, m in zip(steps[start:end], messages[start:end], strict=True) if _is_agent(m)],
                }
            ),
        }


def stretches(example: Example) -> Iterator[tuple[int, int]]:
    """Yield the bounds of each run of messages whose agent turns all carry loss, from its first to its last agent turn."""
    start = end = -1
    for number, message in enumerate(example.messages):
        if not _is_agent(message):
            continue
        if message.get("step") in example.train_on:
            start, end = number if start < 0 else start, number + 1
        elif start >= 0:
            yield start, end
            start = -1
    if start >= 0:
        yield start, end


def _dpo(pair: Pair) -> Row:
    n = len(pair.prompt)
    chosen = _trl_messages((*pair.prompt, *pair.chosen))
    rejected = _trl_messages((*pair.prompt, *pair.rejected))
    return {
        "prompt": _column(chosen[:n]),
        "chosen": _column(chosen[n:]),
        "rejected": _column(rejected[n:]),
        "tools": pair.tools,
        "weight": float(pair.weight),
        "metadata": json_text(
            {
                "id": pair.id,
                "task_id": pair.task_id,
                **about_pair(pair),
            }
        ),
    }


def _kto(record: Unpaired) -> Row:
    n = len(record.prompt)
    messages = _trl_messages((*record.prompt, *record.completion))
    return {
        "prompt": _column(messages[:n]),
        "completion": _column(messages[n:]),
        "label": record.label,
        "tools": record.tools,
        "weight": float(record.weight),
        "metadata": json_text(
            {
                "id": record.id,
                "kind": record.kind,
                "trajectory_id": record.trajectory_id,
                "task_id": record.task_id,
            }
        ),
    }


def _is_agent(message: JsonObject) -> bool:
    return message.get("role") == "assistant"


def _column(messages: Sequence[JsonObject]) -> Json:
    return cast(Json, list(messages))


def _trl_messages(messages: Sequence[JsonObject]) -> list[JsonObject]:
    bound = bind_calls(messages)
    for message in bound:
        if calls := calls_of(message):
            message["tool_calls"] = cast(Json, [_with_object(call) for call in calls])
    return bound


def _with_object(call: JsonObject) -> JsonObject:
    """Return a call with its arguments as an object; broken ones stay text, for the check to refuse."""
    function = function_of(call)
    try:
        parsed: Json = json.loads(str(function.get("arguments", "")))
    except (ValueError, RecursionError):
        return call
    return {**call, "function": {**function, "arguments": parsed}}


def _check_json_text(row: Row, column: str) -> None:
    try:
        orjson.loads(cast(str, row[column]))
    except ValueError as error:
        raise WriteError(f"{column}: expected one JSON string, found {row[column]!r:.60}") from error


def _check_continuation(row: Row, column: str) -> None:
    prompt, continuation = row["prompt"], row[column]
    for name, messages in (("prompt", prompt), (column, continuation)):
        if not isinstance(messages, list) or not messages:
            raise WriteError(f"{name}: expected at least one message, found {messages!r:.60}")
    assert isinstance(prompt, list)
    assert isinstance(continuation, list)
    first = continuation[0]
    if not isinstance(first, dict) or not _is_agent(first):
        raise WriteError(f"{column}[0]: expected an agent turn, found {first!r:.60}")
    whole = [*prompt, *continuation]
    check_turns(whole, f"prompt+{column}")
    check_says_something(continuation, column)
    for number, message in enumerate(whole):
        for call in calls_of(cast(JsonObject, message)):
            arguments = function_of(call).get("arguments")
            if not isinstance(arguments, dict):
                raise WriteError(
                    f"prompt+{column}[{number}].tool_calls: expected arguments that are a JSON object, found {arguments!r:.60}"
                )
            if (lossy := next(_lossy_numbers(arguments), None)) is not None:
                raise WriteError(
                    f"prompt+{column}[{number}].tool_calls: expected numbers that `datasets` keeps, found {lossy!r}"
                )


def _lossy_numbers(value: Json) -> Iterator[float]:
    """Yield the numbers that `datasets` would change on the way from the file to the chat template."""
    match value:
        case dict():
            yield from (n for member in value.values() for n in _lossy_numbers(member))
        case list():
            yield from (n for member in value for n in _lossy_numbers(member))
        case float() if not _kept_by_datasets(value):
            yield value
        case int() if not -(2**63) <= value < 2**63:
            yield value
        case _:
            return


def _kept_by_datasets(number: float) -> bool:
    """Tell whether a number comes through the JSON columns of `datasets` unchanged.

    They are read with pandas' ujson, which writes ten decimals and reads a fraction as digits times a power of ten:
    0.3 comes back as 0.30000000000000004, and a chat template would print that.
    """
    if not abs(number) < 1e15:
        return False
    whole, decimals = f"{abs(number):.10f}".split(".")
    decimals = decimals.rstrip("0")
    return float(whole) + float(decimals or "0") * float(f"1e-{len(decimals)}") == abs(number)
