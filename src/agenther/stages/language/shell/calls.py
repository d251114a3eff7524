"""Which tool calls are shell commands, where a command stands in its call, and which observation answers it."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from agenther.stages.language.shell.wrappings import output_of
from agenther.trajectory import Span, Step, ToolCall, whole_field

_SHELL_TOOL = re.compile(
    r"(?:\A|[_.\-])(?:bash|shell|sh|terminal|console|exec|cmd|command|commands|zsh|powershell)(?:\Z|[_.\-])"
    r"|run_?command|execute_?command|run_?in_?terminal|run_?shell",
    re.IGNORECASE,
)
_ARGUMENTS = ("command", "cmd", "bash_command", "script", "code", "input", "commands", "keystrokes")
_ENCODERS = (json.JSONEncoder(ensure_ascii=False), json.JSONEncoder())
"""The two ways in which agents and harnesses write a text as JSON."""
_NO_SHELL = re.compile(r"python|sql|ipython|jupyter|javascript", re.IGNORECASE)


def command_of(call: ToolCall) -> str | None:
    """Return the command line of a call; None when the call is no shell command."""
    if not _is_shell(call.function_name):
        return None
    command = call.text(*_ARGUMENTS)
    listed = None if command is not None else call.values.get("command")
    if isinstance(listed, list) and len(listed) == 3 and listed[1] in ("-c", "-lc"):
        command = listed[2] if isinstance(listed[2], str) else None
    return command if command and command.strip() else None


@lru_cache(maxsize=1024)
def _is_shell(tool: str) -> bool:
    return bool(_SHELL_TOOL.search(tool)) and not _NO_SHELL.search(tool)


def answer_index(step: Step, number: int) -> int | None:
    """Return the index of the observation that answers a call; None when none surely does."""
    call_id = step.tool_calls[number].tool_call_id
    if call_id:
        for index, observation in enumerate(step.observations):
            if observation.source_call_id == call_id:
                return index
    alone = len(step.tool_calls) == len(step.observations) == 1
    return 0 if alone and step.observations[0].source_call_id in (None, call_id) else None


def observation_of(step: Step, number: int) -> tuple[int, str] | None:
    """Return the index of the observation that answers a call and what its command printed; None when none surely does."""
    index = answer_index(step, number)
    if index is None:
        return None
    return index, output_of(step.observations[index].content, command_of(step.tool_calls[number]))


def command_span(step: Step, number: int, command: str, start: int, end: int) -> Span:
    """Return the place of `command[start:end]` in the call's arguments; all of them when the escapes are unusual."""
    field = f"tool_calls[{number}].arguments"
    arguments = step.tool_calls[number].arguments
    for encoder in _ENCODERS:
        at = arguments.find(_escaped(command, encoder))
        if at >= 0:
            before = len(_escaped(command[:start], encoder))
            length = len(_escaped(command[start:end], encoder))
            return Span(step=step.step_id, field=field, start=at + before, end=at + before + length)
    return whole_field(step, field)


def _escaped(text: str, encoder: json.JSONEncoder) -> str:
    return encoder.encode(text)[1:-1]


def words_of(call: ToolCall) -> str:
    """Return what of a command could speak of a goal: its arguments, without names of commands and options."""
    command = command_of(call) or ""
    return " ".join(word for word in command.split()[1:] if not word.startswith("-"))
