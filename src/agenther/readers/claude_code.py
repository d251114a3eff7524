"""Sessions of Claude Code: the JSONL files that it keeps, their web export (`loglines`), and the lines of `stream-json`.

A session is one run; its goal is the first request that a person typed, and what the person asks later are user turns.
Each subagent (side chain) is a run of its own, with its prompt as the goal. Prompts that were taken back and written anew
are left out with all that followed them, and so is what only the program said to itself: echoes of its commands,
reminders, titles. What is left out is counted in the labels. Where the program summed up an earlier part of the session, the
goal is told again in other words: it then has no place.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, locate_goal, run_id, source
from agenther.readers.chat import placed_chat_steps
from agenther.readers.records import records
from agenther.record import Json, JsonObject
from agenther.trajectory import Trajectory

_TURN = re.compile(rb'"type"\s*:\s*"(?:user|assistant)"')
_MARKS = (b'"parentUuid"', b'"sessionId"', b'"session_id"', b'"loglines"', b'"leafUuid"', b'"messageId"')
_FIRST = re.compile(
    rb'\s*\{\s*"type"\s*:\s*"(?:summary|file-history-snapshot|queue-operation|permission-mode|custom-title)"\s*,'
)
_NOISE = re.compile(
    r"\s*(?:<(?:system-reminder|local-command-\w+|command-(?:name|message|args|contents))>|Caveat: The messages below were)"
)
"""How texts begin that the program wrote in the user's name and that ask for nothing."""
_NO_REQUEST = re.compile(
    r"\s*(?:<(?:bash-(?:input|stdout|stderr)|task-notification|user-prompt-submit-hook|ide_\w+)>|\[Request interrupted by user"
    r"|This session is being continued from a previous conversation)"
)
"""How texts begin that the agent got in the user's name and that are no request."""
_COMMAND = re.compile(r"\s*<command-(?:name|message)>")
_TURN_LIMIT = "error_max_turns"
_Key = tuple[str, str]
"""A session, and the side chain in it: empty for the main chain."""


class ClaudeCodeReader:
    """Reads Claude Code sessions."""

    format = "claude-code"
    about = "Claude Code sessions, JSONL or export; no outcome: give it with --labels"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for lines of a session, or for the lines that can stand before them."""
        turns = _TURN.search(head) is not None and b'"message"' in head
        return (turns or _FIRST.match(head) is not None) and any(mark in head for mark in _MARKS)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield a run for each session of a file, and one for each of its side chains."""
        sessions = _Sessions(path)
        for item in records(path):
            if isinstance(item, ReadError):
                yield item
                continue
            place, _, value = item
            yield from build_one(place, lambda p=place, v=value: sessions.add_all(p, v))
        for index, (key, lines) in enumerate(sessions.lines.items()):
            yield from build_one(lines[0].place, lambda i=index, k=key: sessions.run(k, i))


class _Line:
    """One turn of a session."""

    def __init__(self, place: Place, entry: JsonObject, parent: str) -> None:
        self.place, self.entry, self.parent = place, entry, parent
        self.uuid = _name(entry, "uuid")
        self.message: JsonObject = place.at("message").obj(entry.get("message"))
        content = self.message.get("content")
        parts = content if isinstance(content, list) else [content]
        texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
        self.texts = [text for text in texts if isinstance(text, str)]
        self.has_result = any(isinstance(part, dict) and part.get("type") == "tool_result" for part in parts)
        self.by_agent = entry.get("type") == "assistant"
        self.is_error = entry.get("isApiErrorMessage") is True
        self.is_synthetic = self.is_error or self.message.get("model") == "<synthetic>"

    @property
    def request(self) -> str:
        """What a person asks here; empty where nobody does."""
        wanted = [
            text for text in self.texts if text.strip() and not _NOISE.match(text) and not _NO_REQUEST.match(text)
        ]
        silent = self.by_agent or self.has_result or self.entry.get("isCompactSummary") is True
        return "" if silent else "\n".join(wanted)

    @property
    def is_prompt(self) -> bool:
        """A person typed it."""
        return bool(self.request) and self.entry.get("isMeta") is not True

    @property
    def has_place(self) -> bool:
        """The log says what came before it, or that nothing did."""
        return bool(self.parent) or ("parentUuid" in self.entry and self.entry["parentUuid"] is None)

    @property
    def is_command(self) -> bool:
        """A person called a command of the program; what the command stands for may follow."""
        return not self.by_agent and any(_COMMAND.match(text) for text in self.texts)


class _Sessions:
    """Sorts the lines of a file into sessions and side chains."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: dict[_Key, list[_Line]] = {}
        self._keys: dict[str, _Key] = {}
        self._passed: dict[str, Counter[str]] = {}
        self._parents: dict[str, str] = {}
        self._ended: dict[str, str] = {}
        self._broken: dict[str, str] = {}

    def add_all(self, place: Place, value: Json) -> None:
        """Add a line, or all lines of an export."""
        entry = place.obj(value)
        if "loglines" not in entry:
            self._add(place, entry)
            return
        where = place.at("loglines")
        for i, line in enumerate(where.list(entry["loglines"])):
            self._add(where.at(i), where.at(i).obj(line))

    def _add(self, place: Place, entry: JsonObject) -> None:
        session = _name(entry, "sessionId") or _name(entry, "session_id")
        kind, parent, uuid = entry.get("type"), _name(entry, "parentUuid"), _name(entry, "uuid")
        chain = _chain(entry, uuid)
        known = self._keys.get(parent) or self._keys.get(_name(entry, "logicalParentUuid"))
        key = known if known is not None and bool(known[1]) == bool(chain) else (session, chain)
        if uuid:
            self._keys[uuid] = key
        if kind in ("user", "assistant"):
            line = _Line(place, entry, self._parents.get(parent, parent))
            self.lines.setdefault(key, []).append(line)
            return
        if uuid:
            self._parents[uuid] = self._parents.get(parent, parent)
        self._passed.setdefault(session, Counter())[str(kind)] += 1
        if kind == "result" and (ended := _name(entry, "subtype")):
            self._ended[session] = ended
            if entry.get("is_error") is True and ended != _TURN_LIMIT:
                self._broken[session] = _name(entry, "result") or ended

    def run(self, key: _Key, index: int) -> Trajectory | None:
        """Build the run of a chain; None where nobody asked and nobody answered."""
        lines = self.lines[key]
        live = _without_rewound(lines)
        heard = [line for line in live if not _is_noise(line)]
        goal = _goal(live)
        if not goal and not any(line.by_agent for line in heard):
            return None
        steps, labels = placed_chat_steps(_joined(heard))
        session, chain = key
        counts = {"rewound_lines": len(lines) - len(live), "noise_lines": len(live) - len(heard)}
        counts["compactions"] = sum(line.entry.get("isCompactSummary") is True for line in live)
        labels |= {name: n for name, n in counts.items() if n}
        if not chain:
            labels |= self._told(session)
        labels |= _ending(live)
        name = "/".join(filter(None, (session, chain)))
        model = next((line.message.get("model") for line in heard if line.by_agent), None)
        return Trajectory(
            id=name or run_id(self._path, index),
            source=source(self._path, "claude-code", index),
            goal=goal,
            goal_at=() if "compactions" in labels else locate_goal(steps, goal),
            steps=steps,
            labels=labels,
            agent=model if isinstance(model, str) else None,
        )

    def _told(self, session: str) -> JsonObject:
        """Return what the lines beside the turns say: how many there are of each kind, and how the program ended."""
        counts: JsonObject = dict(self._passed.get(session, Counter[str]()) + self._passed.get("", Counter[str]()))
        labels: JsonObject = {"other_lines": counts} if counts else {}
        ended = self._ended.get(session)
        labels |= {"terminate_reason": ended} if ended is not None else {}
        labels |= {"harness_error": self._broken[session]} if session in self._broken else {}
        return labels | ({"truncated": True} if ended == _TURN_LIMIT else {})


def _name(entry: JsonObject, field: str) -> str:
    value = entry.get(field)
    return value if isinstance(value, str) else ""


def _chain(entry: JsonObject, uuid: str) -> str:
    """Name the side chain that an entry belongs to, or opens; empty for the main chain."""
    caller = _name(entry, "parent_tool_use_id")
    if entry.get("isSidechain") is not True and not caller:
        return ""
    return _name(entry, "agentId") or caller or uuid or "side"


def _without_rewound(lines: list[_Line]) -> list[_Line]:
    """Return the lines without prompts that were replaced by a later one at the same place, and what followed those."""
    last = {line.parent: line.uuid for line in lines if line.is_prompt and line.uuid and line.has_place}
    gone: set[str] = set()
    kept: list[_Line] = []
    for line in lines:
        is_placed = line.is_prompt and bool(line.uuid) and line.has_place
        replaced = is_placed and last[line.parent] != line.uuid
        if replaced or (line.parent and line.parent in gone):
            gone.add(line.uuid)
        else:
            kept.append(line)
    return kept


def _is_noise(line: _Line) -> bool:
    if line.is_synthetic:
        return True
    return not line.by_agent and bool(line.texts) and not line.has_result and all(_NOISE.match(t) for t in line.texts)


def _goal(lines: list[_Line]) -> str:
    """Return the first request that the agent went to work on: typed, or what a command that was called stands for."""
    called = False
    for line in lines:
        if line.is_prompt or (called and line.request):
            return line.request
        called = line.is_command or (called and not line.by_agent)
    return ""


def _joined(lines: list[_Line]) -> list[tuple[Place, JsonObject]]:
    """Return messages; the lines of one answer, which the program writes block by block, are joined again."""
    open_at: dict[str, int] = {}
    made: list[tuple[Place, JsonObject]] = []
    for line in lines:
        role = "assistant" if line.by_agent else "user"
        name = _name(line.message, "id") if line.by_agent else ""
        content = line.message.get("content")
        if name in open_at:
            first = made[open_at[name]][1]
            known = _blocks(first["content"])
            first["content"] = [*known, *(block for block in _blocks(content) if block not in known)]
            continue
        if name:
            open_at[name] = len(made)
        elif line.request:
            open_at.clear()
        heard = content if line.by_agent else _heard(content)
        made.append((line.place.at("message"), {"role": role, "content": heard}))
    return made


def _blocks(content: Json) -> list[Json]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if isinstance(content, str) else []


def _heard(content: Json) -> Json:
    """Return a user's content without the texts that only the program wrote."""
    if not isinstance(content, list):
        return content
    return [part for part in content if not (isinstance(part, dict) and _is_reminder(part.get("text")))]


def _is_reminder(text: Json) -> bool:
    return isinstance(text, str) and _NOISE.match(text) is not None


def _ending(lines: list[_Line]) -> JsonObject:
    """Return the error of the provider in which a chain ends, and whether the user broke it off."""
    last = lines[-1] if lines else None
    if last is None:
        return {}
    text = "\n".join(last.texts)
    if last.is_error:
        return {"harness_error": text}
    return {"interrupted": True} if text.lstrip().startswith("[Request interrupted by user") else {}
