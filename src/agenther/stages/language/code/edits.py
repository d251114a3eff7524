"""What a call does to the files of a project: it edits some, only reads, or nobody knows.

An edit counts as made only when its result says so, or when a shell command that writes printed nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from agenther.record import JsonObject
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.shell.calls import answer_index, command_of
from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.shell.parse import Refused, parse_pipeline
from agenther.stages.language.shell.wrappings import output_of
from agenther.trajectory import Span, Step, ToolCall, find_text


class Kind(StrEnum):
    """What a call did."""

    READ = "read"
    EDIT = "edit"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Edit:
    """A change of one file."""

    path: str
    """As the agent or the editor wrote it."""
    removed: str
    """Text that was replaced; empty when the call does not hold it."""
    added: str
    whole: bool
    """The whole file was written: nobody knows from the call what was there before."""
    silent: bool
    """Nothing was printed: that something changed is known only from what came later."""
    at: Span
    """Where the path stands: in the call, else in the editor's answer."""
    place: str = ""
    """Directory to which the command first went; empty when it stayed."""

    @property
    def full_path(self) -> str:
        """The path, seen from where the command began."""
        return posixpath.normpath(posixpath.join(self.place, self.path))


@dataclass(frozen=True)
class Deed:
    """What one call did."""

    kind: Kind
    edits: tuple[Edit, ...] = ()


_PATH = ("path", "file_path", "filePath", "filename", "file_name", "file", "target_file")
_OLD = ("old_str", "old_string", "oldString", "search", "old_text", "old")
_NEW = (
    "new_str",
    "new_string",
    "newString",
    "replace",
    "new_text",
    "new",
    "file_text",
    "content",
    "insert_text",
    "text",
)
_WHOLE = ("file_text", "content")
_PATCH = ("patch", "input", "diff")
_MATTER = frozenset({*_NEW, *_PATCH, "edits", "command"})
"""Arguments of which every edit by an editor has one."""
_READER = re.compile(
    r"(?:\A|_)(?:view|read|open|goto|scroll|search|find|grep|glob|ls|list|think|cat|lint)(?:_?(?:up|down|files?|dir|directory"
    r"|code|image))?\Z|\Atodo_?(?:write|read)\Z|\Aupdate_plan\Z",
    re.IGNORECASE,
)
_VERB = re.compile(r"(?:str_replace|replace|insert|create|write|edit)\b", re.IGNORECASE)
_SUBMITS = re.compile(r"submit|finish|complete_task|task_complete", re.IGNORECASE)
_DONE = re.compile(
    r"has been (?:edited|updated|modified)|updated successfully|\bFile updated\b|\bText replaced\b|\bReplaced \d+ occurrence"
    r"|\bFile created successfully\b|\bsuccessfully (?:edited|updated|replaced|applied|wrote|written|created)\b"
    r"|\bEdit applied successfully\b|\bWrote file successfully\b|\A\s*\{\s*\"success\":\s*true\b|\ASuccess\. Updated",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\bNo replacement was performed\b|\bproposed edit has introduced new syntax error|\bnot found in (?:the )?file\b"
    r"|\bdid not appear verbatim\b|\bMultiple occurrences of\b|\bString to replace not found\b|\bfound no match",
    re.IGNORECASE,
)
_OPENED = re.compile(r"\[File: (?P<path>\S+) \(\d+ lines total\)\]")
_LINES = re.compile(r"\s*(?:edit|insert) [\d: ]+\n(?P<text>.*?)\n?end_of_(?:edit|insert)\s*\Z", re.DOTALL)
_HEREDOC = re.compile(
    r"\s*cat\s*(?:>\s*(?P<path>[\w./-]+)\s*<<\s*(?P<q>['\"])(?P<end>\w+)(?P=q)"
    r"|<<\s*(?P<q2>['\"])(?P<end2>\w+)(?P=q2)\s*>\s*(?P<path2>[\w./-]+))\n(?P<text>.*?)\n(?P<last>\w+)\s*\Z",
    re.DOTALL,
)
_ECHO = re.compile(r"\s*echo\s+(?P<q>['\"])(?P<text>[^'\"$`\\!]*)(?P=q)\s*>\s*(?P<path>[\w./-]+)\s*\Z")
_PATCHED = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (?P<path>\S+)$", re.MULTILINE)
_CD = re.compile(r"\A\s*cd\s+(?P<place>[\w./-]+)\s*&&\s*")


def deed_of(step: Step, number: int) -> Deed:
    """Return what a call of a step did; `UNKNOWN` where its result does not say."""
    call = step.tool_calls[number]
    index = answer_index(step, number)
    if index is None:
        return Deed(Kind.UNKNOWN)
    content = step.observations[index].content
    command = command_of(call)
    if command is not None:
        return _of_command(step, number, command, output_of(content, command))
    if _SUBMITS.search(call.function_name):
        return Deed(Kind.UNKNOWN)
    if _READER.search(call.function_name) or call.values.get("command") == "view":
        return Deed(Kind.READ)
    verb = call.values.get("command")
    edits = tuple(_structured(step, number, index))
    if not edits or (isinstance(verb, str) and not _VERB.match(verb)):
        return Deed(Kind.UNKNOWN)
    printed = output_of(content)
    if _NOT_DONE.search(printed):
        return Deed(Kind.NOTHING)
    if _DONE.search(printed) and not is_error(printed):
        return Deed(Kind.EDIT, edits)
    return Deed(Kind.UNKNOWN)


def may_edit(call: ToolCall) -> bool:
    """Tell whether a call may edit files: a cheap look before asking what it did."""
    return command_of(call) is not None or not _MATTER.isdisjoint(call.values)


def may_write_whole(call: ToolCall) -> bool:
    """Tell whether a call may write a whole file: a cheap look before asking what it did."""
    command = command_of(call)
    return any(name in call.values for name in _WHOLE) if command is None else ">" in command


def is_silent_read(command: str, printed: str) -> bool:
    """Tell whether a shell command only read, a leading `cd` apart."""
    return effect_of(_CD.sub("", command, count=1), printed) in (Effect.READS, Effect.NOTHING)


def _of_command(step: Step, number: int, command: str, printed: str) -> Deed:
    went = _CD.match(command)
    bare, place = (command, "") if went is None else (command[went.end() :], went["place"])
    if is_silent_read(command, printed):
        return Deed(Kind.READ)
    if printed.strip():
        return Deed(Kind.UNKNOWN)
    written = _HEREDOC.fullmatch(bare)
    if written is not None and written["last"] == (written["end"] or written["end2"]):
        return _silent(step, number, written["path"] or written["path2"], written["text"], whole=True, place=place)
    if (echoed := _ECHO.fullmatch(bare)) is not None:
        return _silent(step, number, echoed["path"], echoed["text"], whole=True, place=place)
    try:
        commands = parse_pipeline(bare)
    except Refused:
        return Deed(Kind.UNKNOWN)
    words = [word.text for word in commands[0].arguments]
    if len(commands) == 1 and commands[0].name == "sed" and len(words) == 3 and words[0] == "-i":
        return _silent(step, number, words[2], words[1], whole=False, place=place)
    return Deed(Kind.UNKNOWN)


def _silent(step: Step, number: int, path: str, added: str, *, whole: bool, place: str) -> Deed:
    span = find_text(step, f"tool_calls[{number}].arguments", path)
    if span is None:
        return Deed(Kind.UNKNOWN)
    return Deed(Kind.EDIT, (Edit(path, "", added, whole=whole, silent=True, at=span, place=place),))


def _structured(step: Step, number: int, answer: int) -> Iterator[Edit]:
    """Yield the edits that the arguments of an editor's call describe."""
    call, field = step.tool_calls[number], f"tool_calls[{number}].arguments"
    patch = call.text(*_PATCH) or ""
    for match in _PATCHED.finditer(patch):
        span = find_text(step, field, match["path"])
        if span is not None:
            yield Edit(match["path"], _lines(patch, "-"), _lines(patch, "+"), whole=False, silent=False, at=span)
    path = call.text(*_PATH)
    changes = list(_changes(call))
    if not changes or patch:
        return
    span = find_text(step, field, path) if path else None
    if span is None:
        opened = list(_OPENED.finditer(step.observations[answer].content))
        if len({match["path"] for match in opened}) != 1:
            return
        place = f"observations[{answer}].content"
        path = opened[0]["path"]
        span = Span(step=step.step_id, field=place, start=opened[0].start("path"), end=opened[0].end("path"))
    whole = any(call.text(name) is not None for name in _WHOLE)
    for removed, added in changes:
        yield Edit(path or "", removed, added, whole=whole and not removed, silent=False, at=span)


def _changes(call: ToolCall) -> Iterator[tuple[str, str]]:
    """Yield what is taken out and what is put in, for each change in a call."""
    several = call.values.get("edits")
    for one in several if isinstance(several, list) else [call.values]:
        values = cast(JsonObject, one) if isinstance(one, dict) else {}
        old = _text(values, _OLD) or ""
        new = _text(values, _NEW)
        if new is not None:
            yield old, new
    typed = call.text("command") or ""
    if (match := _LINES.match(typed)) is not None:
        yield "", match["text"]


def _text(values: JsonObject, names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := values.get(name), str)), None)


def _lines(patch: str, sign: str) -> str:
    return "\n".join(line[1:] for line in patch.splitlines() if line.startswith(sign))


def same_file(one: str, other: str) -> bool:
    """Tell whether two paths may name one file: the shorter one is the other's end."""
    a, b = (posixpath.normpath(path).lstrip("/").split("/") for path in (one, other))
    n = min(len(a), len(b))
    return a[-n:] == b[-n:]
