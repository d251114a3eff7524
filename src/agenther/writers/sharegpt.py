"""Rows in FastChat's ShareGPT dialect: `human` and `gpt` in strict turn, everything plain text.

FastChat trains every `gpt` turn and has no mask, no tools and no weights. So an example with masked turns is set aside;
tools and system text stand in `system`, results in human turns, calls in the agent's text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import cast

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, NUMBER, TEXT, Kind, Row, Trainable, check_json, json_text
from agenther.writers.sidecars import Files
from agenther.writers.turns import bind_calls, calls_of, check_turns, function_of

COLUMNS = {"id": TEXT, "system": TEXT, "conversations": MESSAGES, "weight": NUMBER, "metadata": TEXT}
"""The columns of a row, each with its type as a dataset card writes it."""

_TOOLS_INTRO = (
    'Tools (call one by writing Action: {"name": ..., "arguments": {...}}; its result comes back as Observation: ...):'
)

REFUSES: Mapping[Kind, str] = {
    "dpo": "FastChat trains by imitation only; `swift` and `trl` have pairs",
    "kto": "FastChat trains by imitation only; `swift` and `trl` have labelled runs",
    "goal_contrast": "FastChat trains by imitation only; write it with `--for swift`, or train it with "
    "`agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class ShareGptWriter:
    """Writes `conversations` of {from, value}."""

    consumer = "sharegpt"
    kinds: tuple[Kind, ...] = ("sft",)
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ()

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render an example as one conversation."""
        if not isinstance(record, Example):
            raise WriteError(f"{record.id}: expected an example, found a record that this dialect has no row for")
        masked = masked_steps(record)
        if masked:
            raise WriteError(f"{record.id} steps {masked}: expected loss on every agent turn, found masked ones")
        messages = bind_calls(record.messages)
        check_turns(messages, record.id)
        system = [str(m["content"]) for m in messages if m["role"] == "system"]
        if record.tools != "[]":
            system.append(f"{_TOOLS_INTRO}\n{record.tools}")
        yield {
            "id": record.id,
            "system": "\n\n".join(system),
            "conversations": cast(Json, _conversation(messages)),
            "weight": float(record.weight),
            "metadata": json_text(
                {
                    "trajectory_id": record.trajectory_id,
                    "task_id": record.task_id,
                    "origin": record.origin,
                    "domain": record.domain,
                    "strategy": record.strategy,
                }
            ),
        }

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS

    def check(self, row: Row) -> None:
        """Raise WriteError unless turns alternate from human to gpt, end on gpt, and every agent turn says something."""
        if row.keys() != COLUMNS.keys():
            raise WriteError(f"row: expected the columns of a conversation, found {sorted(row)}")
        if not isinstance(row["weight"], float):
            raise WriteError(f"weight: expected float, found {row['weight']!r}")
        turns = row["conversations"]
        if not isinstance(turns, list) or not turns or len(turns) % 2:
            raise WriteError("conversations: expected pairs of a human and a gpt turn")
        for number, turn in enumerate(turns):
            expected = ("human", "gpt")[number % 2]
            if not isinstance(turn, dict) or turn.get("from") != expected or not isinstance(turn.get("value"), str):
                raise WriteError(f"conversations[{number}]: expected a {expected} turn, found {turn!r:.60}")
            if expected == "gpt" and not str(turn["value"]).strip():
                raise WriteError(f"conversations[{number}]: expected text, found a blank agent turn")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return nothing: FastChat takes its settings from the command line alone."""
        return {}


def masked_steps(example: Example) -> list[Json]:
    """Return the agent steps of an example that carry no loss."""
    agent = {cast(int, m.get("step")) for m in example.messages if m.get("role") == "assistant"}
    return cast(list[Json], sorted(agent - set(example.train_on)))


def _conversation(messages: list[JsonObject]) -> list[JsonObject]:
    turns: list[JsonObject] = []
    for message in messages:
        match message["role"]:
            case "system":
                continue
            case "assistant":
                turns.append({"from": "gpt", "value": _agent_text(message)})
                continue
            case "tool":
                text = f"Observation: {message['content']}"
            case _:
                text = str(message["content"])
        if turns and turns[-1]["from"] == "human":
            turns[-1]["value"] = f"{turns[-1]['value']}\n\n{text}"
        else:
            turns.append({"from": "human", "value": text})
    return turns


def _agent_text(message: JsonObject) -> str:
    """Return an agent turn as text: its thinking, its words, its calls, a line each."""
    lines = [f"Thought: {message['reasoning_content']}"] if message.get("reasoning_content") else []
    lines += [str(message["content"])] if message["content"] else []
    lines += [f"Action: {_call_text(function_of(call))}" for call in calls_of(message)]
    return "\n".join(lines)


def _call_text(function: JsonObject) -> str:
    """Return a call as JSON, its arguments as the agent wrote them; text that is no JSON stays a string."""
    written = str(function.get("arguments", ""))
    try:
        json.loads(written)
    except (ValueError, RecursionError):
        written = json.dumps(written, ensure_ascii=False)
    return f'{{"name": {json.dumps(function.get("name"), ensure_ascii=False)}, "arguments": {written}}}'
