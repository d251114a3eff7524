"""Whether a shown repair is the doing of its edits: what the fixed tests tell, what raised, and where relative paths lie."""

from __future__ import annotations

import posixpath
import re

from agenther.stages.language.code.edits import Edit, same_file
from agenther.stages.language.code.fixes import Fix
from agenther.stages.language.shell.calls import command_of
from agenther.trajectory import Step, Trajectory

_BLOCK = re.compile(r"^_{2,} (?P<name>\S.*?) _{2,}$|^=+(?: .*)?$", re.MULTILINE)
_FRAME = re.compile(r"^(?P<path>[^\s:]+):\d+: ", re.MULTILINE)
_MOVES = re.compile(r"(?:\A|[;&|(\n])\s*(?:cd|pushd|popd)\b[ \t]*(?P<place>[^\s;&|)]*)")
_COMMENT = re.compile(r"\s*(?:#|//)")


def told_of(fix: Fix) -> str:
    """Return what the failing run tells of the tests that pass now; all of it when all of them pass."""
    if not fix.names:
        return f"{fix.before.suite.command}\n{fix.before.text}"
    return "\n".join(told_by_test(fix, name) for name in sorted(fix.names))


def told_by_test(fix: Fix, name: str) -> str:
    """Return a test's id, and the part of the failing run's output that pytest heads with its name."""
    return "\n".join([name, *_blocks(fix, frozenset([name]))])


def _blocks(fix: Fix, names: frozenset[str]) -> list[str]:
    wanted = {".".join(name.split("::")[1:]) for name in names}
    heads = list(_BLOCK.finditer(fix.before.text))
    ends = [head.start() for head in heads[1:]] + [len(fix.before.text)]
    return [
        fix.before.text[head.end() : end]
        for head, end in zip(heads, ends, strict=False)
        if head["name"] and head["name"].removeprefix("ERROR at setup of ") in wanted
    ]


def speaks_of(text: str, path: str) -> bool:
    """Tell whether an output names a file by its stem, or a package by its folder."""
    base = posixpath.splitext(posixpath.basename(path))[0].casefold().strip("_")
    folder = posixpath.basename(posixpath.dirname(path)).casefold()
    name = folder if base in ("init", "index", "main", "mod", "lib") else base
    return bool(name) and name in text.casefold()


def raised_nothing(fix: Fix, paths: tuple[str, ...]) -> str | None:
    """Return an edited file in which none of the fixed tests' errors was raised; None when each has one."""
    raised = [
        frames[-1]["path"]
        for block in _blocks(fix, fix.names or fix.before.count.failing)
        if (frames := list(_FRAME.finditer(block)))
    ]
    return next((path for path in paths if not any(same_file(path, other) for other in raised)), None)


def is_comment(edit: Edit) -> bool:
    """Tell whether an edit surely changes no code: only comments and empty lines."""
    return not edit.whole and not edit.silent and _code(edit.removed) == _code(edit.added)


def _code(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip() and not _COMMENT.match(line)]


def is_adrift(trajectory: Trajectory, edit: Edit, home: str = "") -> bool:
    """Tell whether a shell's edit has a relative path and nobody can say from where it is to be read.

    Args:
        trajectory: the run; its shell may have kept the directory to which an earlier command went.
        edit: an edit.
        home: where the command of the goal goes first; empty when it stays.
    """
    if not edit.silent or edit.path.startswith("/"):
        return False
    return any(moves_from(step, home) for step in trajectory.agent_steps if step.step_id <= edit.at.step)


def moves_from(step: Step, home: str) -> bool:
    """Tell whether a step's commands go to another directory than `home`, where a shell may stay."""
    commands = (command_of(call) or "" for call in step.tool_calls)
    places = (match["place"] for command in commands for match in _MOVES.finditer(command))
    return any(place.rstrip("/") != home.rstrip("/") for place in places)
