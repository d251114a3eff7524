"""SWE-agent `.traj` files and those of mini-swe-agent: a coding agent in a repository, with an issue to mend.

The goal is the issue's text inside the first user turn. Demonstrations (`is_demo`) are runs of others and are left out.
Older agents write their command as text, which the log repeats under `action`; newer ones call tools. The last command
often stands only in `trajectory`. Such files say how a run ended, not whether it was right: that is known only where the
report of the hidden tests lies beside the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, locate_goal, read_json, source
from agenther.readers.content import arguments_text
from agenther.record import Json, JsonObject, content_key
from agenther.texts import path_text
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_ISSUES = (
    re.compile(r"<pr_description>\s*(?P<issue>.+?)\s*</pr_description>", re.DOTALL),
    re.compile(r"^ISSUE:\s*(?P<issue>.+?)\s*^INSTRUCTIONS:", re.DOTALL | re.MULTILINE),
    re.compile(
        r"Please solve this issue:\s*(?P<issue>.+?)\s*(?:^You can execute|^## |^<instructions>)",
        re.DOTALL | re.MULTILINE,
    ),
)
_BLOCK = re.compile(r"^```(?:mswea_bash_command|bash)[ \t]*\n(?P<body>.*?)\n?^```", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"\s*(?:```\w*|<command>)?\s*\Z")
_INTERFACE = frozenset(
    "open goto scroll_up scroll_down create edit search_dir search_file find_file submit set_cursors insert append "
    "str_replace_editor exit_cost exit_context exit_format exit_forfeit".split()
)
"""Commands of the agent's own editor and harness; all others go to the shell."""
_HISTORY = re.compile(rb'"history"\s*:\s*\[\s*\{')
_ITEM = re.compile(rb'"(?:message_type|is_demo|thought)"\s*:')
_STEP = re.compile(rb'"trajectory"\s*:\s*\[\s*\{\s*"action"\s*:')
_MINI = (b"mswea_bash_command", b'"trajectory_format":"mini-swe-agent', b'"trajectory_format": "mini-swe-agent')


class SweAgentReader:
    """Reads SWE-agent and mini-swe-agent trajectories."""

    format = "swe-agent"
    about = "SWE-agent .traj and mini-swe-agent JSON (code repair); labelled where the tests' report lies beside it"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a trajectory of actions, a history with an agent's thoughts, or the marks of mini-swe-agent."""
        if _STEP.search(head) or any(mark in head for mark in _MINI):
            return True
        return _HISTORY.search(head) is not None and b'"agent"' in head and _ITEM.search(head) is not None

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a file."""
        whole = read_json(path)
        if isinstance(whole, ReadError):
            yield whole
        else:
            yield from build_one(Place(path), lambda: _run(Place(path), whole))


def _run(place: Place, value: Json) -> Trajectory:
    record: JsonObject = {"messages": value} if isinstance(value, list) else place.obj(value)
    key = "messages" if "history" not in record else "history"
    listed = place if isinstance(value, list) else place.at(key)
    builder = _Builder()
    for i, message in enumerate(listed.list(record.get(key))):
        builder.add(listed.at(i), listed.at(i).obj(message))
    if not any(step.source == "agent" for step in builder.steps):
        raise listed.error("at least one assistant message", record.get(key))
    builder.complete(record.get("trajectory"))
    steps = tuple(builder.steps)
    goal = issue_of(next((step.message for step in steps if step.source == "user"), ""))
    info = record.get("info")
    labels: JsonObject = {"demonstrations_left_out": builder.demonstrations} if builder.demonstrations else {}
    if isinstance(info, dict):
        labels |= {name: info[name] for name in ("exit_status", "submission") if info.get(name) is not None}
    resolved = _resolved(place.path)
    return Trajectory(
        id=_stem(place.path),
        source=source(place.path, "swe-agent", 0),
        task_id=f"swe-agent/{content_key(goal)[:12]}",
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=resolved,
        label_source=None if resolved is None else "swe-agent.report.resolved",
        labels=labels,
    )


def issue_of(prompt: str) -> str:
    """Return the issue inside a prompt, or all of the prompt where nothing marks one."""
    found = (pattern.search(prompt) for pattern in _ISSUES)
    return next((match["issue"] for match in found if match), prompt.strip())


def _stem(path: Path) -> str:
    return re.sub(r"(?:\.traj)?(?:\.json)?(?:\.gz|\.zst)?\Z", "", path_text(path.name), count=1)


def _resolved(path: Path) -> bool | None:
    """Return what the report of the hidden tests beside a file says; None without a report of this very run."""
    report = path.with_name(f"{_stem(path)}.report.json")
    found = read_json(report) if report.is_file() else None
    resolved = found.get("resolved") if isinstance(found, dict) else None
    return resolved if isinstance(resolved, bool) else None


class _Builder:
    """Builds steps from messages; what follows an agent's turn, under whatever role, is what its call brought back."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.demonstrations = 0
        self._last_action = ""

    def add(self, place: Place, message: JsonObject) -> None:
        role, text = message.get("role"), _text(place.at("content"), message.get("content"))
        if message.get("is_demo"):
            self.demonstrations += 1
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


def _text(place: Place, content: Json) -> str:
    """Return the text of a content: a text, nothing, or the text parts of a list one below the other."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return place.str(content)
    parts = [place.at(i).obj(part) for i, part in enumerate(content)]
    return "\n".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))


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
    """Return the command that a turn wrote: the logged action where it stands last, else the one block for the shell."""
    action = action.strip()
    start = text.rfind(action) if action else -1
    if start >= 0:
        return (_call(action, number, (start, start + len(action))),)
    blocks = [] if action else list(_BLOCK.finditer(text))
    return (_call(blocks[0]["body"], number, blocks[0].span("body")),) if len(blocks) == 1 else ()


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
