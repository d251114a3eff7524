"""Turns of coding agents of the SWE-agent family: commands as calls, whether written as text or structured, and their outputs."""

from __future__ import annotations

import re

import orjson

from agenther.readers.base import Place
from agenther.readers.content import arguments_text, content_text
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall

_BLOCK = re.compile(r"^```(?:mswea_bash_command|bash)[ \t]*\n(?P<body>.*?)\n?^```", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"\s*(?:```\w*|<command>)?\s*\Z")
_INTERFACE = frozenset(
    "open goto scroll_up scroll_down create edit search_dir search_file find_file submit set_cursors insert append "
    "str_replace_editor exit_cost exit_context exit_format exit_forfeit".split()
)
"""Commands of the agent's own editor and harness; all others go to the shell."""
_FUNCTION_OPENS = "<function="
_FUNCTION = re.compile(r"<function=(?P<name>[\w.-]+)>(?P<body>.*)</function>", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=(?P<name>[\w.-]+)>\n?(?P<value>.*?)\n?</parameter>", re.DOTALL)


class RepairTurns:
    """Builds steps from messages; what follows an agent's turn, under whatever role, is what its call brought back.

    Attributes:
        steps: the steps so far.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._demonstrations = 0
        self._left_out: list[Json] = []
        self._last_action = ""

    @property
    def labels(self) -> JsonObject:
        """What was left out: messages of demonstrations, parts of contents that are no text."""
        labels: JsonObject = {"demonstrations_left_out": self._demonstrations} if self._demonstrations else {}
        if self._left_out:
            labels["non_text_parts"] = list(self._left_out)
        return labels

    def add(self, place: Place, message: JsonObject) -> None:
        """Add a message; ReadError when it is none."""
        role, text = message.get("role"), content_text(place.at("content"), message.get("content"), self._left_out)
        if message.get("is_demo"):
            self._demonstrations += 1
        elif role == "assistant":
            self._add_agent(place, message, text)
        elif role in ("user", "tool") and self.steps and self.steps[-1].source == "agent":
            self._observe(text, "tool" if role == "tool" else "user", message.get("tool_call_ids"))
        elif role in ("system", "user"):
            self.steps.append(Step(step_id=len(self.steps) + 1, source=role, message=text))
        else:
            raise place.at("role").error("system, user, assistant, or tool after an assistant", role)

    def complete(self, trajectory: Json) -> None:
        """Add what only `trajectory` knows: the answer to the last command, and commands after it."""
        entries = [e for e in trajectory if isinstance(e, dict)] if isinstance(trajectory, list) else []
        n = sum(step.source == "agent" for step in self.steps)
        if not 0 < n <= len(entries) or str(entries[n - 1].get("action")).strip() != self._last_action:
            return
        text_agent = not any(call.at is None for step in self.steps for call in step.tool_calls)
        self._answer(entries[n - 1], text_agent=text_agent)
        for entry in entries[n:]:
            action, response = entry.get("action"), entry.get("response")
            if not isinstance(action, str) or not action.strip():
                continue
            text = response if isinstance(response, str) else ""
            calls = (
                _text_calls(text, action, len(self.steps) + 1) if text_agent else (_call(action, len(self.steps) + 1),)
            )
            self.steps.append(
                Step(
                    step_id=len(self.steps) + 1,
                    source="agent",
                    message=text,
                    thought_at=_thoughts(text, calls),
                    tool_calls=calls,
                )
            )
            self._answer(entry, text_agent=text_agent)

    def _add_agent(self, place: Place, message: JsonObject, text: str) -> None:
        number, action = len(self.steps) + 1, message.get("action")
        self._last_action = action.strip() if isinstance(action, str) else ""
        listed = message.get("tool_calls")
        if listed:
            where = place.at("tool_calls")
            calls = tuple(_structured(where.at(i), c, number, i) for i, c in enumerate(where.list(listed)))
        else:
            calls = _text_calls(text, self._last_action, number)
        self.steps.append(
            Step(step_id=number, source="agent", message=text, thought_at=_thoughts(text, calls), tool_calls=calls)
        )

    def _observe(self, text: str, role: str, call_ids: Json = None) -> None:
        step = self.steps[-1]
        known = [call.tool_call_id for call in step.tool_calls]
        named = [i for i in call_ids if i in known] if isinstance(call_ids, list) else []
        ids = named or known
        seen = Observation(
            content=text,
            source_call_id=str(ids[0]) if len(ids) == 1 else None,
            role="tool" if role == "tool" else "user",
        )
        self.steps[-1] = step.model_copy(update={"observations": (*step.observations, seen)})

    def _answer(self, entry: JsonObject, *, text_agent: bool) -> None:
        seen = entry.get("observation")
        if isinstance(seen, str) and seen and not self.steps[-1].observations:
            self._observe(seen, "user" if text_agent else "tool")


def _structured(place: Place, value: Json, number: int, i: int) -> ToolCall:
    call = place.obj(value)
    function = place.at("function").obj(call.get("function"))
    call_id = call.get("id")
    return ToolCall(
        tool_call_id=call_id if isinstance(call_id, str) and call_id else f"call_{number}_{i + 1}",
        function_name=place.at("function").at("name").str(function.get("name")),
        arguments=arguments_text(function.get("arguments")),
    )


def _text_calls(text: str, action: str, number: int) -> tuple[ToolCall, ...]:
    """Return the command that a turn wrote: the logged action where it stands last, else the one call or shell block."""
    action = action.strip()
    start = text.rfind(action) if action else -1
    if start >= 0:
        return (_call(action, number, (start, start + len(action))),)
    if action:
        return ()
    written = _FUNCTION.search(text)
    if written is not None:
        return (_written_call(written, number),) if text.count(_FUNCTION_OPENS) == 1 else ()
    blocks = list(_BLOCK.finditer(text))
    return (_call(blocks[0]["body"], number, blocks[0].span("body")),) if len(blocks) == 1 else ()


def _written_call(match: re.Match[str], number: int) -> ToolCall:
    arguments = {found["name"]: found["value"] for found in _PARAMETER.finditer(match["body"])}
    return ToolCall(
        tool_call_id=f"call_{number}_1",
        function_name=match["name"],
        arguments=orjson.dumps(arguments).decode(),
        at=match.span(),
    )


def _thoughts(text: str, calls: tuple[ToolCall, ...]) -> tuple[tuple[int, int], ...]:
    """Return the place of what a turn says before its written command and the mark that opens it."""
    at = calls[0].at if calls else None
    end = len(_OPENING.sub("", text[: at[0]])) if at else 0
    return ((0, end),) if end else ()


def _call(action: str, number: int, at: tuple[int, int] | None = None) -> ToolCall:
    words = action.split(maxsplit=1)
    name = words[0] if words and words[0] in _INTERFACE else "bash"
    arguments = orjson.dumps({"command": action.strip() if at is None else action}).decode()
    return ToolCall(tool_call_id=f"call_{number}_1", function_name=name, arguments=arguments, at=at)
