"""Validate rows with the types of the `openai` package, with its Python, and print a JSON line for each row that is right.

    python check_openai.py ROWS sft|dpo

`weight`, which the types of conversations lack, must be 0 or 1 of an agent's message; no other unknown key may stand anywhere.
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from typing import Any, NotRequired

from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict


class Conversation(TypedDict):
    messages: list[ChatCompletionMessageParam]
    tools: NotRequired[list[ChatCompletionToolParam]]
    parallel_tool_calls: NotRequired[bool]


class Preference(TypedDict):
    input: Conversation
    preferred_output: list[ChatCompletionMessageParam]
    non_preferred_output: list[ChatCompletionMessageParam]


def without_weights(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the weights of agent messages."""
    messages = row.get("messages", [])
    weights = [m.pop("weight") for m in messages if m["role"] == "assistant" and "weight" in m]
    if any(weight not in (0, 1) for weight in weights) or (weights and 1 not in weights):
        raise ValueError(f"weights {weights}")
    return row


def main() -> None:
    """Validate a file."""
    path, kind = sys.argv[1:]
    adapter = TypeAdapter(Preference if kind == "dpo" else Conversation)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file):
            try:
                given = json.loads(line)
                row = without_weights(json.loads(line))
                made = json.loads(json.dumps(adapter.validate_python(row), default=list))
            except (ValueError, ValidationError) as error:
                sys.stderr.write(f"row {number}: {error!s:.600}\n")
                continue
            if made != row:
                sys.stderr.write(f"row {number}: keys that the types lack in {given!s:.300}\n")
                continue
            print(json.dumps({"row": number}))


if __name__ == "__main__":
    main()
