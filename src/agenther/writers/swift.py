"""Rows for ms-swift 4.6: roles of its own, a mask and a weight on every agent message, two whole conversations a pair.

It is the one consumer that acts on severity weights by itself, in SFT, when it is told to.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, TEXT, Kind, Row, Trainable, check_json
from agenther.writers.dialects import (
    bound_turns,
    call_json,
    is_agent,
    list_of,
    metadata,
    refuse_results_before_user,
    system_text,
    trained_part,
    words_of,
)
from agenther.writers.presets import preset_commands, preset_files
from agenther.writers.sidecars import Files, guide, length_limit, readme, test_file, trained_kinds
from agenther.writers.turns import calls_of, check_says_something, check_turns
from agenther.writers.weights import W, weights_text

_TWO = {
    "messages": MESSAGES,
    "rejected_messages": MESSAGES,
    "tools": TEXT,
    "rejected_tools": TEXT,
    "metadata": TEXT,
}
COLUMNS: dict[Kind, dict[str, str]] = {
    "sft": {"messages": MESSAGES, "tools": TEXT, "channel": TEXT, "metadata": TEXT},
    "dpo": _TWO,
    "kto": {"messages": MESSAGES, "label": "dtype: bool", "tools": TEXT, "metadata": TEXT},
    "goal_contrast": _TWO,
}
"""Kind to the columns of its rows, each with its type as a dataset card writes it."""

_AFTER: dict[str, tuple[str, ...]] = {
    "start": ("system", "user"),
    "system": ("user",),
    "user": ("assistant", "tool_call"),
    "assistant": ("user", "tool_call"),
    "tool_call": ("tool_call", "tool_response"),
    "tool_response": ("tool_response", "assistant", "tool_call"),
}
"""Which roles may follow which."""

REFUSES: Mapping[Kind, str] = {}
"""Why there are no files of other kinds, and what to take instead."""


class SwiftWriter:
    """Writes `messages` with `loss` on each agent message and, for SFT, w as `loss_scale`."""

    consumer = "swift"
    kinds: tuple[Kind, ...] = ("sft", "dpo", "kto", "goal_contrast")
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ("sft",)

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record as one row."""
        match record:
            case Example():
                part = trained_part(record)
                yield {
                    "messages": list_of(_turns(part, record.id, record.train_on, float(record.weight))),
                    "tools": record.tools,
                    "channel": record.origin,
                    "metadata": metadata(record),
                }
            case Pair():
                yield {
                    "messages": list_of(_turns((*record.prompt, *record.chosen), record.id, _steps(record.chosen))),
                    "rejected_messages": list_of(
                        _turns((*record.prompt, *record.rejected), record.id, _steps(record.rejected))
                    ),
                    "tools": record.tools,
                    "rejected_tools": record.tools,
                    "metadata": metadata(record),
                }
            case Unpaired():
                whole = (*record.prompt, *record.completion)
                yield {
                    "messages": list_of(_turns(whole, record.id, _steps(record.completion))),
                    "label": record.label,
                    "tools": record.tools,
                    "metadata": metadata(record),
                }
            case Contrast():
                yield {
                    "messages": list_of(_turns(record.chosen, record.id, record.chosen_train_on)),
                    "rejected_messages": list_of(_turns(record.rejected, record.id, record.rejected_train_on)),
                    "tools": record.tools,
                    "rejected_tools": record.tools,
                    "metadata": metadata(record),
                }

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS[kind]

    def check(self, row: Row) -> None:
        """Raise WriteError if ms-swift would drop the row, read it wrongly or find nothing to train."""
        kind = next((kind for kind, columns in COLUMNS.items() if columns.keys() == row.keys()), None)
        if kind is None:
            raise WriteError(f"row: expected the columns of sft, dpo or kto, found {sorted(row)}")
        if kind == "kto" and not isinstance(row["label"], bool):
            raise WriteError(f"label: expected true or false, found {row['label']!r}")
        if not isinstance(json.loads(str(row["tools"])), list):
            raise WriteError(f"tools: expected a JSON list, found {row['tools']!r:.60}")
        for column in ("messages", "rejected_messages") if kind == "dpo" else ("messages",):
            _check_messages(row[column], column, weighted=kind == "sft")
        if kind == "dpo" and row["messages"] == row["rejected_messages"]:
            raise WriteError("rejected_messages: expected another conversation than the chosen one, found the same")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return a README with the commands, and the arguments of each kind as a file."""
        made = {f"{kind}.yaml": _arguments(kind, files) for kind in trained_kinds(files)}
        commands = "\n".join(f"swift {_COMMAND[kind]} {kind}.yaml --model MODEL" for kind in trained_kinds(files))
        text = guide(
            self.consumer, commands=commands or "# no file has rows to train on", weights=_weights(files, self.consumer)
        )
        parts = [text, preset_commands(self.consumer, files)]
        made |= preset_files(self.consumer, made, files)
        return {**made, "README.md": readme("Rows for ms-swift", files, parts)} if files else {}


def _steps(messages: Sequence[JsonObject]) -> list[Json]:
    return [message.get("step") for message in messages]


def _turns(
    messages: Sequence[JsonObject], where: str, train_on: Container[Json], weight: float | None = None
) -> list[JsonObject]:
    """Return messages in the roles of ms-swift, agent turns with their mask and, where they have one, their weight."""
    marks = [message.get("step") for message in messages if is_agent(message)]
    turns = bound_turns(messages)
    check_turns(turns, where)
    check_says_something(turns, where)
    refuse_results_before_user(turns, where)
    own = iter(marks)
    made: list[JsonObject] = [{"role": "system", "content": text}] if (text := system_text(turns)) else []
    for turn in turns:
        match turn["role"]:
            case "system":
                continue
            case "assistant":
                loss: JsonObject = {"loss": next(own) in train_on}
                scale: JsonObject = {} if weight is None else {"loss_scale": weight}
                made += [{**said, **loss, **scale} for said in _agent_turn(turn, where)]
            case "tool":
                made.append({"role": "tool_response", "content": turn["content"]})
            case _:
                made.append({"role": "user", "content": turn["content"]})
    return made


def _agent_turn(turn: JsonObject, where: str) -> Iterator[JsonObject]:
    words, calls = words_of(turn), calls_of(turn)
    if words or not calls:
        yield {"role": "assistant", "content": words}
    for call in calls:
        yield {"role": "tool_call", "content": call_json(call, where)}


def _check_messages(messages: Json, where: str, *, weighted: bool) -> None:
    if not isinstance(messages, list):
        raise WriteError(f"{where}: expected messages, found {messages!r:.60}")
    before, n_trained = "start", 0
    for number, message in enumerate(messages):
        place = f"{where}[{number}]"
        if not isinstance(message, dict) or not isinstance(message.get("content"), str):
            raise WriteError(f"{place}: expected a message with text, found {message!r:.60}")
        role = str(message.get("role"))
        if role not in _AFTER[before]:
            raise WriteError(f"{place}: expected a turn that may follow {before}, found role {role}")
        before = role
        if role not in ("assistant", "tool_call"):
            if message.keys() != {"role", "content"}:
                raise WriteError(f"{place}: expected no loss on a turn of role {role}, found {sorted(message)}")
            continue
        if not isinstance(message.get("loss"), bool):
            raise WriteError(f"{place}.loss: expected true or false, found {message.get('loss')!r}")
        scale = message.get("loss_scale")
        if weighted and not (isinstance(scale, float) and scale > 0):
            raise WriteError(f"{place}.loss_scale: expected a float above 0, found {scale!r}")
        n_trained += message["loss"] is True
    if before not in ("assistant", "tool_call"):
        raise WriteError(f"{where}: expected an agent turn at the end, found {before}")
    if not n_trained:
        raise WriteError(f"{where}: expected loss on an agent turn, found none")


_SCALES = {
    True: "is_binary_loss_scale: false  # without it `loss_scale` of the messages, which is w, is ignored",
    False: "is_binary_loss_scale: true  # `loss_scale` of the messages, which is w, is to be ignored",
}
"""Whether w is to act."""


def _weights(files: Files, consumer: str) -> str:
    sft = files.get(("train", "sft"))
    said = [
        f"{W} is the `loss_scale` of each agent message in `sft.jsonl`\n"
        "  and multiplies the loss of its tokens; the mark that ends a turn keeps 1. It needs `is_binary_loss_scale: false`."
        if sft is not None and sft.weights == "in_rows"
        else "",
        weights_text(files, "ms-swift outside SFT", consumer),
    ]
    return "\n".join(f"- {text}" for text in said if text)


_KTO_LOSS = "loss_type: apo_zero_unpaired  # kto's own loss stops where a row ends with a call, or two rows end alike"
_COMMAND: dict[Kind, str] = {"sft": "sft", "dpo": "rlhf", "kto": "rlhf", "goal_contrast": "rlhf"}


def _arguments(kind: Kind, files: Files) -> str:
    limit = length_limit(files, kind)
    lines = [f"dataset: {kind}.jsonl"]
    if (test := test_file(files, "swift", kind)) is not None:
        lines.append(f"val_dataset: {test}")
    if kind != "sft":
        lines.append(f"rlhf_type: {'kto' if kind == 'kto' else 'dpo'}")
    lines += [
        "strict: true  # a row that cannot be read stops the job instead of vanishing",
        "loss_scale: default  # all agent turns that `loss` allows; the default of rlhf is the last one alone",
        *([_SCALES[files["train", kind].weights == "in_rows"]] if kind == "sft" else []),
        f"max_length: {limit.tokens}  # {limit.why}; longer ones would be deleted",
        "truncation_strategy: delete",
        "split_dataset_ratio: 0",
        *([_KTO_LOSS] if kind == "kto" else []),
    ]
    return "\n".join(lines) + "\n"
