"""Rows for axolotl 0.21: OpenAI messages with `training` on every agent turn.

Its preference loader maps role and content only, so tools, calls and anything longer than one text turn would vanish: such
pairs are set aside. For labelled runs it has no chat template at all.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Pair
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, TEXT, Kind, Row, Trainable, check_json
from agenther.writers.dialects import (
    arguments_of,
    bound_turns,
    is_agent,
    list_of,
    metadata,
    one_turn,
    trained_part,
    words_of,
)
from agenther.writers.presets import preset_commands, preset_files
from agenther.writers.sidecars import (
    Files,
    guide,
    length_limit,
    readme,
    refusals_text,
    test_file,
    trained_kinds,
)
from agenther.writers.turns import calls_of, check_says_something, check_turns, function_of
from agenther.writers.weights import weights_text

COLUMNS: dict[Kind, dict[str, str]] = {
    "sft": {"messages": MESSAGES, "tools": TEXT, "metadata": TEXT},
    "dpo": {"messages": MESSAGES, "chosen": "dtype: json", "rejected": "dtype: json", "metadata": TEXT},
}
"""Kind to the columns of its rows, each with its type as a dataset card writes it."""

REFUSES: Mapping[Kind, str] = {
    "kto": "axolotl takes plain strings there, so results of tools would be trained; `swift` and `trl` have it",
    "goal_contrast": "its two sides have different prompts, here a pair has one; write it with `--for swift`, or train it "
    "with `agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class AxolotlWriter:
    """Writes `messages` and `tools` (SFT), or `messages`, `chosen` and `rejected` of one text turn (DPO)."""

    consumer = "axolotl"
    kinds: tuple[Kind, ...] = ("sft", "dpo")
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ()

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record as one row."""
        match record:
            case Example():
                part = trained_part(record)
                yield {
                    "messages": list_of(_messages(part, record.id, record.train_on)),
                    "tools": record.tools,
                    "metadata": metadata(record),
                }
            case Pair():
                sides = [one_turn(record, side, "swift and trl") for side in (record.chosen, record.rejected)]
                if record.tools != "[]" or any(m["role"] == "tool" or calls_of(m) for m in (*record.prompt, *sides)):
                    raise WriteError(
                        f"{record.id}: expected a pair of text alone, found tools; swift and trl take those"
                    )
                chosen, rejected = (_plain((*record.prompt, side), record.id) for side in sides)
                yield {
                    "messages": list_of(chosen[:-1]),
                    "chosen": chosen[-1],
                    "rejected": rejected[-1],
                    "metadata": metadata(record),
                }
            case _:
                raise WriteError(
                    f"{record.id}: expected an example or a pair, found a labelled run; swift and trl take those"
                )

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS[kind]

    def check(self, row: Row) -> None:
        """Raise WriteError if axolotl would refuse the row, lose a part of it, or find nothing to train."""
        if row.keys() == COLUMNS["sft"].keys():
            _check_conversation(row)
        elif row.keys() == COLUMNS["dpo"].keys():
            _check_pair(row)
        else:
            raise WriteError(f"row: expected the columns of sft or dpo, found {sorted(row)}")
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return the settings of each kind and a README with the commands."""
        if not files:
            return {}
        made = {f"{kind}.yaml": _settings(kind, files) for kind in trained_kinds(files)}
        commands = "\n".join(f"axolotl train {kind}.yaml --base-model MODEL" for kind in trained_kinds(files))
        text = guide(
            self.consumer,
            commands=commands or "# no file has rows to train on",
            weights=weights_text(files, "axolotl", self.consumer),
            refuses=refusals_text(self.refuses),
        )
        made |= preset_files(self.consumer, made, files)
        parts = [text, preset_commands(self.consumer, files)]
        return {**made, "README.md": readme("Rows for axolotl", files, parts)}


def _messages(messages: Sequence[JsonObject], where: str, train_on: Container[Json]) -> list[JsonObject]:
    carries = iter([m.get("step") in train_on for m in messages if is_agent(m)])
    turns = bound_turns(messages)
    check_turns(turns, where)
    check_says_something(turns, where)
    for turn in turns:
        if is_agent(turn):
            turn["training"] = next(carries)
        for call in calls_of(turn):
            arguments_of(call, where)
    return turns


def _plain(messages: Sequence[JsonObject], where: str) -> list[JsonObject]:
    turns = bound_turns(messages)
    check_turns(turns, where)
    check_says_something(turns, where)
    return [{"role": turn["role"], "content": words_of(turn) if is_agent(turn) else turn["content"]} for turn in turns]


def _check_conversation(row: Row) -> None:
    messages = row["messages"]
    if not isinstance(messages, list):
        raise WriteError(f"messages: expected messages, found {messages!r:.60}")
    check_turns(messages, "messages")
    marks: list[Json] = []
    for number, message in enumerate(messages):
        assert isinstance(message, dict)
        if is_agent(message):
            marks.append(message.get("training"))
        elif "training" in message:
            raise WriteError(
                f"messages[{number}]: expected `training` on agent turns only, found role {message['role']}"
            )
        if any(not isinstance(function_of(call).get("arguments"), str) for call in calls_of(message)):
            raise WriteError(f"messages[{number}].tool_calls: expected arguments that are a JSON string")
    if not all(isinstance(mark, bool) for mark in marks) or True not in marks:
        raise WriteError(f"messages: expected `training` on every agent turn, true on one, found {marks}")
    if not isinstance(row["tools"], str) or not isinstance(json.loads(row["tools"]), list):
        raise WriteError(f"tools: expected a JSON list as text, found {row['tools']!r:.60}")


def _check_pair(row: Row) -> None:
    prompt = row["messages"]
    if not isinstance(prompt, list) or not prompt:
        raise WriteError(f"messages: expected messages, found {prompt!r:.60}")
    for name in ("chosen", "rejected"):
        side = row[name]
        if not isinstance(side, dict) or not is_agent(side):
            raise WriteError(f"{name}: expected one agent turn, found {side!r:.60}")
        whole = [*prompt, side]
        check_turns(whole, f"messages+{name}")
        check_says_something(whole, f"messages+{name}")
        if any(isinstance(m, dict) and m.keys() != {"role", "content"} for m in whole):
            raise WriteError(f"messages+{name}: expected role and content alone, found other keys")
    if row["chosen"] == row["rejected"]:
        raise WriteError("rejected: expected another turn than the chosen one, found the same")


def _settings(kind: Kind, files: Files) -> str:
    limit = length_limit(files, kind)
    test = test_file(files, "axolotl", kind)
    lines = ["datasets:", *_dataset(f"{kind}.jsonl", kind)]
    if test is not None:
        lines += ["test_datasets:", *_dataset(test, kind)]
    lines += [
        "val_set_size: 0",
        "chat_template: tokenizer_default",
        f"sequence_len: {limit.tokens}  # {limit.why}; the default of 512 drops silently",
        "excess_length_strategy: raise",
        "sample_packing: false",
        *(["train_on_inputs: false"] if kind == "sft" else ["rl: dpo"]),
    ]
    return "\n".join(lines) + "\n"


def _dataset(path: str, kind: Kind) -> list[str]:
    split = ["    split: train"]
    if kind == "dpo":
        return [f"  - path: {path}", "    ds_type: json", *split, "    type: chat_template.default", *_FIELDS_DPO]
    return [f"  - path: {path}", "    ds_type: json", *split, "    type: chat_template", *_FIELDS_SFT]


_FIELDS_SFT = (
    "    field_messages: messages",
    "    field_tools: tools",
    "    roles_to_train: [assistant]",
    "    train_on_eos: turn",
    "    message_field_training: training  # without it masked turns are trained",
)
_FIELDS_DPO = ("    field_messages: messages", "    field_chosen: chosen", "    field_rejected: rejected")
