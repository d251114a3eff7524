"""Rows of OpenAI's fine-tuning JSONL, which Azure, Together and Fireworks read too.

Nothing but the keys of that schema may stand in a row: masks are `weight` 0 or 1 of an agent message, and where a row
comes from stays in examples.jsonl.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import cast

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Pair
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, Kind, Row, Trainable, check_json
from agenther.writers.dialects import arguments_of, bound_turns, is_agent, list_of, one_turn, trained_part, words_of
from agenther.writers.presets import FINE_TUNE, fine_tuning_job
from agenther.writers.sidecars import Files, guide, readme, refusals_text, trained_kinds
from agenther.writers.turns import calls_of, check_says_something, check_turns, function_of
from agenther.writers.weights import weights_text

COLUMNS: dict[Kind, dict[str, str]] = {
    "sft": {"messages": MESSAGES, "tools": MESSAGES, "parallel_tool_calls": "dtype: bool"},
    "dpo": {"input": "dtype: json", "preferred_output": MESSAGES, "non_preferred_output": MESSAGES},
}
"""Kind to the columns of its rows. Rows without tools lack the last two of `sft`: empty lists are refused."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_MOST_TOOLS = 128
_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "weight"},
    "tool": {"role", "content", "tool_call_id"},
}
_LEAST_ROWS = 10

REFUSES: Mapping[Kind, str] = {
    "kto": "OpenAI has no such training; `swift` and `trl` have it",
    "goal_contrast": "its two sides have different prompts, here a pair has one; write it with `--for swift`, or train it "
    "with `agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class OpenAiWriter:
    """Writes `messages` with `tools` (SFT), or `input` with two outputs of one turn (DPO)."""

    consumer = "openai"
    kinds: tuple[Kind, ...] = ("sft", "dpo")
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ()

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record as one row."""
        match record:
            case Example():
                part = trained_part(record)
                yield {"messages": list_of(_messages(part, record.id, record.train_on)), **_tools(record.tools)}
            case Pair():
                sides = [one_turn(record, side, "swift and trl") for side in (record.chosen, record.rejected)]
                chosen, rejected = (_messages((*record.prompt, side), record.id, ()) for side in sides)
                outputs = [{key: v for key, v in side[-1].items() if key != "weight"} for side in (chosen, rejected)]
                prompt = [{key: v for key, v in m.items() if key != "weight"} for m in chosen[:-1]]
                yield {
                    "input": {"messages": list_of(prompt), **_tools(record.tools)},
                    "preferred_output": [cast(Json, outputs[0])],
                    "non_preferred_output": [cast(Json, outputs[1])],
                }
            case _:
                raise WriteError(
                    f"{record.id}: expected an example or a pair, found a labelled run; swift and trl take those"
                )

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS[kind]

    def check(self, row: Row) -> None:
        """Raise WriteError if the upload would be refused, or an agent turn without text or call be trained."""
        if row.keys() == COLUMNS["dpo"].keys():
            _check_pair(row)
        elif "messages" in row:
            _check_conversation(row, ends_with_agent=True)
        else:
            raise WriteError(f"row: expected the keys of a conversation or of a preference, found {sorted(row)}")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return a README with the calls."""
        if not files:
            return {}
        commands = "\n".join(f"python fine_tune.py {kind}.job.json" for kind in trained_kinds(files))
        few = [
            f"`{kind}.jsonl`" for (side, kind), size in files.items() if side == "train" and size.n_rows < _LEAST_ROWS
        ]
        text = guide(
            self.consumer,
            commands=commands or "# no file has rows to train on",
            few=f"- Fewer than {_LEAST_ROWS} rows, which OpenAI refuses: {', '.join(few)}." if few else "",
            weights=weights_text(files, "OpenAI", self.consumer),
            refuses=refusals_text(self.refuses),
        )
        jobs = {f"{kind}.job.json": fine_tuning_job(kind, files) for kind in trained_kinds(files)}
        return {**jobs, "fine_tune.py": FINE_TUNE, "README.md": readme("Rows for OpenAI fine-tuning", files, [text])}


def _messages(messages: Sequence[JsonObject], where: str, train_on: Container[Json]) -> list[JsonObject]:
    weights = iter([int(m.get("step") in train_on) for m in messages if is_agent(m)])
    turns = bound_turns(messages)
    check_turns(turns, where)
    check_says_something(turns, where)
    return [_message(turn, weights, where) for turn in turns]


def _message(turn: JsonObject, weights: Iterator[int], where: str) -> JsonObject:
    content = words_of(turn, "", "\n\n") if is_agent(turn) else turn["content"]
    made: JsonObject = {"role": turn["role"], "content": content}
    if turn["role"] == "tool":
        made["tool_call_id"] = turn["tool_call_id"]
    if is_agent(turn):
        made["weight"] = next(weights)
    if calls := calls_of(turn):
        made["tool_calls"] = [_call(call, where) for call in calls]
    return made


def _call(call: JsonObject, where: str) -> JsonObject:
    arguments_of(call, where)
    function = function_of(call)
    named: JsonObject = {"name": function.get("name"), "arguments": function["arguments"]}
    return {"id": call.get("id"), "type": "function", "function": named}


def _tools(text: str) -> JsonObject:
    """Return tools and whether calls may be parallel; nothing where there are none, as the schema wants it."""
    tools: Json = json.loads(text)
    return {"tools": tools, "parallel_tool_calls": True} if isinstance(tools, list) and tools else {}


def _check_pair(row: Row) -> None:
    given = row["input"]
    if not isinstance(given, dict):
        raise WriteError(f"input: expected an object, found {given!r:.60}")
    _check_conversation(given, ends_with_agent=False)
    for name in ("preferred_output", "non_preferred_output"):
        output = row[name]
        turn = output[0] if isinstance(output, list) and len(output) == 1 else None
        if not isinstance(turn, dict) or turn.get("role") != "assistant" or not isinstance(turn.get("content"), str):
            raise WriteError(f"{name}: expected one agent turn, found {output!r:.60}")
        check_says_something([turn], name)
        _check_message(turn, name)
    if row["preferred_output"] == row["non_preferred_output"]:
        raise WriteError("non_preferred_output: expected another turn than the preferred one, found the same")


def _check_conversation(row: JsonObject, *, ends_with_agent: bool) -> None:
    if extra := row.keys() - COLUMNS["sft"].keys():
        raise WriteError(f"row: expected no other keys than {sorted(COLUMNS['sft'])}, found {sorted(extra)}")
    messages = row.get("messages")
    if not isinstance(messages, list) or not messages:
        raise WriteError(f"messages: expected messages, found {messages!r:.60}")
    answer: JsonObject = {"role": "assistant", "content": "."}
    check_turns(messages if ends_with_agent else [*messages, answer], "messages")
    weights = [_check_message(message, f"messages[{n}]") for n, message in enumerate(messages)]
    if ends_with_agent and 1 not in weights:
        raise WriteError("messages: expected an agent turn of weight 1, found none")
    tools = row.get("tools", [])
    if not isinstance(tools, list) or ("tools" in row and not 0 < len(tools) <= _MOST_TOOLS):
        raise WriteError(f"tools: expected 1 to {_MOST_TOOLS} functions, or no such key, found {tools!r:.60}")
    for number, tool in enumerate(tools):
        function = function_of(tool) if isinstance(tool, dict) and tool.get("type") == "function" else {}
        _check_name(function.get("name"), f"tools[{number}]")


def _check_message(message: Json, place: str) -> Json:
    assert isinstance(message, dict)
    if extra := message.keys() - _KEYS.get(str(message.get("role")), set[str]()):
        raise WriteError(f"{place}: expected no other keys than the schema's, found {sorted(extra)}")
    for call in calls_of(message):
        _check_name(function_of(call).get("name"), f"{place}.tool_calls")
        if not isinstance(function_of(call).get("arguments"), str):
            raise WriteError(f"{place}.tool_calls: expected arguments that are a JSON string")
    weight = message.get("weight")
    if weight is not None and (isinstance(weight, bool) or weight not in (0, 1)):
        raise WriteError(f"{place}.weight: expected 0 or 1, found {weight!r}")
    return weight


def _check_name(name: Json, place: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise WriteError(f"{place}: expected a name of 1 to 64 letters, digits, _ and -, found {name!r:.80}")
