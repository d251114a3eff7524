"""What a framework must make of a conversation, written down by hand: the text of each turn, and whether it trains.

Neither our writers nor the frameworks' templates are used: turns come from `examples.jsonl` and, for preferences, from the
neutral messages of the `trl` rows. What stands before the first user's turn (system text, schemas) is the framework's affair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

Message = dict[str, Any]


class Turn(NamedTuple):
    """A stretch of text that has one speaker."""

    role: str
    text: str
    trained: bool


def joined_users(messages: Sequence[Message]) -> Iterator[tuple[int, Message]]:
    """Yield messages but system ones with their places; user turns in a row are one, a blank line between them."""
    held: tuple[int, Message] | None = None
    for number, message in enumerate(messages):
        if message["role"] == "system":
            continue
        if message["role"] == "user" and held is not None:
            held = (number, {**message, "content": f"{held[1]['content']}\n\n{message['content']}"})
        elif message["role"] == "user":
            held = (number, message)
        else:
            if held is not None:
                yield held
                held = None
            yield number, message
    if held is not None:
        yield held


def qwen(messages: Sequence[Message], trained: set[int], before_call: str, mark: str = "<|im_end|>") -> Iterator[Turn]:
    """Yield the turns of Qwen 2.5 after the system turn, results of one turn joined."""
    whole = list(joined_users(messages))
    for place, (number, message) in enumerate(whole):
        role = message["role"]
        if role == "assistant":
            said = _words(message)
            calls = "\n".join(f"<tool_call>\n{_call(call)}\n</tool_call>" for call in message.get("tool_calls") or [])
            text = f"{said}{before_call if said and calls else ''}{calls}"
            yield Turn("agent", f"{text}{mark}\n", number in trained)
            continue
        first = place == 0 or whole[place - 1][1]["role"] != role
        last = place + 1 == len(whole) or whole[place + 1][1]["role"] != role
        opening = "<|im_start|>user\n" if first else "\n"
        text = f"<tool_response>\n{message['content']}\n</tool_response>" if role == "tool" else message["content"]
        yield Turn(role, f"{opening}{text}" + (f"{mark}\n<|im_start|>assistant\n" if last else ""), False)


def tiny(messages: Sequence[Message], trained: set[int], *, joined: bool, plain: bool = False) -> Iterator[Turn]:
    """Yield the turns of the tiny model's template; `joined` where user turns in a row are one, `plain` without tools."""
    whole = list(joined_users(messages)) if joined else [(n, m) for n, m in enumerate(messages)]
    start = next(n for n, (_, m) in enumerate(whole) if m["role"] == "user")
    for number, message in whole[start:]:
        role = message["role"]
        yield Turn("mark", f"<|start|>{role}\n", False)
        text = message["content"]
        if role == "assistant":
            thought = message.get("reasoning_content")
            text = _words(message) if plain else (f"({thought}) " if thought else "") + text
            for call in message.get("tool_calls") or []:
                text += f" CALL {call['function']['name']} {_dumps(_arguments(call))}"
        yield Turn("agent" if role == "assistant" else role, f"{text}<|end|>", number in trained)
        if not (plain and number == whole[-1][0]):
            yield Turn("mark", "\n", False)


def vicuna(messages: Sequence[Message], trained: set[int]) -> Iterator[Turn]:
    """Yield the turns of Vicuna 1.5 after the system text, calls and results as text."""
    asked: list[str] = []
    for number, message in enumerate(messages):
        match message["role"]:
            case "system":
                continue
            case "assistant":
                yield Turn("user", f"USER: {chr(10).join(asked)} ASSISTANT: ", False)
                lines = [f"Thought: {message['reasoning_content']}"] if message.get("reasoning_content") else []
                lines += [message["content"]] if message["content"] else []
                lines += [f"Action: {_call(call, written=True)}" for call in message.get("tool_calls") or []]
                yield Turn("agent", "\n".join(lines) + "</s>", number in trained)
                asked = []
            case role:
                text = f"Observation: {message['content']}" if role == "tool" else message["content"]
                asked += ["", text] if asked else [text]


def _words(message: Message) -> str:
    thought = message.get("reasoning_content")
    return (f"<think>\n{thought}\n</think>\n\n" if thought else "") + message["content"]


def _arguments(call: Message) -> Any:
    written = call["function"]["arguments"]
    return json.loads(written) if isinstance(written, str) else written


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _call(call: Message, *, written: bool = False) -> str:
    text = call["function"]["arguments"] if written else _dumps(_arguments(call))
    return f'{{"name": {_dumps(call["function"]["name"])}, "arguments": {text}}}'


RENDER: dict[tuple[str, str], Callable[[Sequence[Message], set[int]], Iterator[Turn]]] = {
    ("trl", ""): lambda messages, trained: tiny(messages, trained, joined=False),
    ("axolotl", "sft"): lambda messages, trained: tiny(messages, trained, joined=True),
    ("axolotl", "dpo"): lambda messages, trained: tiny(messages, trained, joined=True, plain=True),
    ("llamafactory", ""): lambda messages, trained: qwen(messages, trained, "\n"),
    ("swift", ""): lambda messages, trained: qwen(messages, trained, ""),
    ("sharegpt", ""): vicuna,
}
"""How a consumer renders a kind; "" is any other."""


def turns_of(consumer: str, kind: str, messages: Sequence[Message], trained: set[int]) -> list[Turn]:
    """Return the turns that a consumer must make of a conversation."""
    render = RENDER.get((consumer, kind)) or RENDER[consumer, ""]
    return list(render(messages, trained))
