"""Rows for LLaMA-Factory 0.9.5, in its sharegpt dialect: strict turns, everything text, calls as JSON inside a turn.

It trains every agent turn of an SFT row and only the last turn of a DPO or KTO row, has no mask for single turns, and
skips what is out of order without a word. So preferences over several turns are set aside, and an example with masked turns
becomes a row for each turn that carries loss, in a file that is trained with `mask_history`: the last turn of a row alone.
Its `openai` dialect drops words beside calls and is not used.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from agenther.conclusions import Example
from agenther.errors import WriteError
from agenther.preferences import Contrast, Pair, Unpaired
from agenther.record import Json, JsonObject
from agenther.writers.base import MESSAGES, TEXT, Kind, Row, Trainable, check_json
from agenther.writers.dialects import (
    bound_turns,
    call_json,
    is_agent,
    last_turn,
    list_of,
    masked_steps,
    metadata,
    one_turn,
    refuse_results_before_user,
    system_text,
    trained_part,
    words_of,
)
from agenther.writers.presets import preset_commands, preset_files
from agenther.writers.sidecars import Files, guide, length_limit, readme, refusals_text, test_file, trained_kinds
from agenther.writers.turns import calls_of, check_says_something, check_turns, function_of
from agenther.writers.weights import weights_text

_SHARED = {"conversations": MESSAGES, "system": TEXT, "tools": TEXT}
COLUMNS: dict[Kind, dict[str, str]] = {
    "sft": {**_SHARED, "metadata": TEXT},
    "sft_last": {**_SHARED, "step": "dtype: int64", "metadata": TEXT},
    "dpo": {**_SHARED, "chosen": "dtype: json", "rejected": "dtype: json", "metadata": TEXT},
    "kto": {**_SHARED, "label": "dtype: bool", "metadata": TEXT},
}
"""Kind to the columns of its rows, each with its type as a dataset card writes it."""

_ASKING, _ANSWERING = ("human", "observation"), ("gpt", "function_call")
_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_JOIN_RESULTS = "\n</tool_response>\n<tool_response>\n"
"""What stands between the results of parallel calls where LLaMA-Factory itself joins them."""
_INSTEAD = "swift and trl"

REFUSES: Mapping[Kind, str] = {
    "goal_contrast": "its two sides have different prompts, here a pair has one; write it with `--for swift`, or train it "
    "with `agenther train goal-contrast`",
}
"""Why there are no files of other kinds, and what to take instead."""


class LlamaFactoryWriter:
    """Writes `conversations` of {from, value}, with `system` and `tools` apart."""

    consumer = "llamafactory"
    kinds: tuple[Kind, ...] = ("sft", "sft_last", "dpo", "kto")
    refuses: Mapping[Kind, str] = REFUSES
    weighted: tuple[Kind, ...] = ()

    def rows(self, record: Trainable) -> Iterator[Row]:
        """Render a record as one row; an example with masked turns as one row for each turn that carries loss."""
        match record:
            case Example():
                part = trained_part(record)
                if not masked_steps(record, part):
                    yield {**_shared(record, part), "metadata": metadata(record)}
                    return
                for until, step in _trained_turns(record, part):
                    yield {**_shared(record, part[:until]), "step": step, "metadata": metadata(record)}
            case Pair():
                sides = {
                    name: (*record.prompt, one_turn(record, side, _INSTEAD))
                    for name, side in (("chosen", record.chosen), ("rejected", record.rejected))
                }
                last = {name: _conversation(side, record.id)[-1] for name, side in sides.items()}
                shared = _shared(record, sides["chosen"], without_last=True)
                yield {**shared, **cast(JsonObject, last), "metadata": metadata(record)}
            case Unpaired():
                before, last = last_turn(record, _INSTEAD)
                yield {**_shared(record, (*before, last)), "label": record.label, "metadata": metadata(record)}
            case Contrast():
                raise WriteError(f"{record.id}: {REFUSES['goal_contrast']}")

    def columns(self, kind: Kind) -> dict[str, str]:
        """Return the columns of a kind with their types."""
        return COLUMNS[kind]

    def check(self, row: Row) -> None:
        """Raise WriteError if LLaMA-Factory would skip the row, stop at it, or train another text than the agent's."""
        kind = next((kind for kind, columns in COLUMNS.items() if columns.keys() == row.keys()), None)
        if kind is None:
            raise WriteError(f"row: expected the columns of {', '.join(COLUMNS)}, found {sorted(row)}")
        if kind == "kto" and not isinstance(row["label"], bool):
            raise WriteError(f"label: expected true or false, found {row['label']!r}")
        turns = row["conversations"]
        if not isinstance(turns, list) or not turns or len(turns) % 2 != (kind == "dpo"):
            raise WriteError("conversations: expected human and agent turns in pairs, and one more before a preference")
        for number, turn in enumerate(turns):
            _check_turn(turn, _ANSWERING if number % 2 else _ASKING, f"conversations[{number}]")
        if kind == "dpo":
            for name in ("chosen", "rejected"):
                _check_turn(row[name], _ANSWERING, name)
            if row["chosen"] == row["rejected"]:
                raise WriteError("rejected: expected another turn than the chosen one, found the same")
        _check_tools(str(row["tools"]))
        check_json(row)

    def sidecars(self, files: Files) -> dict[str, str]:
        """Return dataset_info.json, the settings of each kind, and a README with the commands."""
        if not files:
            return {}
        info = {
            f"agenther_{kind}{'' if side == 'train' else '_test'}": _info(kind, name)
            for side, kind in files
            if (name := f"{kind}.jsonl" if side == "train" else test_file(files, self.consumer, kind)) is not None
        }
        made = {f"{kind}.yaml": _settings(kind, files) for kind in trained_kinds(files)}
        commands = "\n".join(
            f"llamafactory-cli train {kind}.yaml model_name_or_path=MODEL template=qwen output_dir=OUTPUT/{kind}"
            for kind in trained_kinds(files)
        )
        text = guide(
            self.consumer,
            commands=commands or "# no file has rows to train on",
            weights=weights_text(files, "LLaMA-Factory", self.consumer),
            refuses=refusals_text(self.refuses),
        )
        return {
            "dataset_info.json": json.dumps(info, indent=2) + "\n",
            **made,
            **preset_files(self.consumer, made, files),
            "README.md": readme("Rows for LLaMA-Factory", files, [text, preset_commands(self.consumer, files)]),
        }


def _trained_turns(example: Example, messages: Sequence[JsonObject]) -> Iterator[tuple[int, Json]]:
    """Yield for each turn that carries loss the place after it and its step."""
    for number, message in enumerate(messages, start=1):
        if is_agent(message) and message.get("step") in example.train_on:
            yield number, message.get("step")


def _shared(record: Trainable, messages: Sequence[JsonObject], *, without_last: bool = False) -> Row:
    turns = _conversation(messages, record.id)
    return {
        "conversations": list_of(turns[:-1] if without_last else turns),
        "system": system_text(messages),
        "tools": _tools(record.tools),
    }


def _conversation(messages: Sequence[JsonObject], where: str) -> list[JsonObject]:
    turns = bound_turns(messages)
    check_turns(turns, where)
    check_says_something(turns, where)
    refuse_results_before_user(turns, where)
    made: list[JsonObject] = []
    for turn in turns:
        match turn["role"]:
            case "system":
                continue
            case "assistant":
                made.append(_agent_turn(turn, where))
            case "tool" if made and made[-1]["from"] == "observation":
                made[-1]["value"] = f"{made[-1]['value']}{_JOIN_RESULTS}{turn['content']}"
            case "tool":
                made.append({"from": "observation", "value": turn["content"]})
            case _:
                made.append({"from": "human", "value": turn["content"]})
    return made


def _agent_turn(turn: JsonObject, where: str) -> JsonObject:
    """Return words as `gpt`; calls as `function_call`, what is said beside them before the tags in which it looks for calls."""
    words = words_of(turn)
    calls = [call_json(call, where) for call in calls_of(turn)]
    if not calls:
        return {"from": "gpt", "value": words}
    if _OPEN in words or _CLOSE in words:
        raise WriteError(
            f"{where}: expected words without {_OPEN}, found a turn whose call could not be told from them"
        )
    value = (calls[0] if len(calls) == 1 else f"[{', '.join(calls)}]").replace("<", "\\u003c")
    return {"from": "function_call", "value": f"{words}\n{_OPEN}{value}{_CLOSE}" if words else value}


def _tools(text: str) -> str:
    """Return tool schemas as bare functions, each with the parameters that every template looks for; "" for none."""
    tools: Json = json.loads(text)
    functions: list[Json] = []
    for tool in tools if isinstance(tools, list) else []:
        function = function_of(tool) if isinstance(tool, dict) and "function" in tool else tool
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise WriteError(f"tools: expected functions with a name, found {tool!r:.60}")
        parameters = function.get("parameters")
        given = parameters if isinstance(parameters, dict) else {}
        own = {key: value for key, value in function.items() if key != "parameters"}
        described: JsonObject = {"description": "", **own, "parameters": {"type": "object", "properties": {}, **given}}
        functions.append(described)
    return json.dumps(functions, ensure_ascii=False) if functions else ""


def _check_turn(turn: Json, expected: tuple[str, ...], where: str) -> None:
    if not isinstance(turn, dict) or turn.get("from") not in expected or not isinstance(turn.get("value"), str):
        raise WriteError(f"{where}: expected a turn of {' or '.join(expected)}, found {turn!r:.60}")
    value = str(turn["value"])
    if turn["from"] == "gpt" and not value.strip():
        raise WriteError(f"{where}: expected text, found a blank agent turn")
    if turn["from"] == "function_call":
        _check_call(value, where)


def _check_call(value: str, where: str) -> None:
    """Raise WriteError unless the loader finds calls in a turn: the first pair of tags, or all of the text."""
    _, tag, after = value.partition(_OPEN)
    text = after.partition(_CLOSE)[0] if tag else value
    try:
        parsed: Json = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WriteError(f"{where}: expected calls as JSON, found {text!r:.60}") from error
    for call in parsed if isinstance(parsed, list) else [parsed]:
        if (
            not isinstance(call, dict)
            or call.keys() != {"name", "arguments"}
            or not isinstance(call["arguments"], dict)
        ):
            raise WriteError(f"{where}: expected calls of name and arguments, found {call!r:.60}")


def _check_tools(text: str) -> None:
    if text and not isinstance(json.loads(text), list):
        raise WriteError(f"tools: expected a JSON list, found {text!r:.60}")


def _info(kind: Kind, name: str) -> JsonObject:
    columns: JsonObject = {"messages": "conversations", "system": "system", "tools": "tools"}
    more: JsonObject = {}
    match kind:
        case "sft" | "sft_last" | "goal_contrast":
            pass
        case "dpo":
            columns |= {"chosen": "chosen", "rejected": "rejected"}
            more = {"ranking": True}
        case "kto":
            columns |= {"kto_tag": "label"}
    return {"file_name": name, "formatting": "sharegpt", **more, "columns": columns}


def _settings(kind: Kind, files: Files) -> str:
    limit = length_limit(files, kind)
    lines = [f"stage: {kind.removesuffix('_last')}", "do_train: true", "dataset_dir: .", f"dataset: agenther_{kind}"]
    if test_file(files, "llamafactory", kind) is not None:
        lines.append(f"eval_dataset: agenther_{kind}_test")
    lines += [
        "template: qwen  # of your model: the name in LLaMA-Factory's list of templates",
        f"cutoff_len: {limit.tokens}  # {limit.why}; the default of 2048 cuts silently",
        *_LOSS.get(kind, []),
        *(["pref_loss: sigmoid"] if kind == "dpo" else []),
        "packing: false",
        "finetuning_type: lora",
    ]
    return "\n".join(lines) + "\n"


_LOSS: dict[Kind, list[str]] = {
    "sft": ["train_on_prompt: false", "mask_history: false"],
    "sft_last": ["train_on_prompt: false", "mask_history: true  # the last turn of a row alone carries loss"],
}
