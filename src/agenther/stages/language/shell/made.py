"""What a run created, proved by a later listing. A silent `mkdir` or `touch` alone is no evidence.

Only `mkdir` without options (which fails where something is) and `touch` inside a directory so made count: of these it is
sure that nothing was there before.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass

from agenther.stages.language.shell.calls import command_of, command_span, observation_of
from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.shell.options import read_options
from agenther.stages.language.shell.output import is_clean, rows_of
from agenther.stages.language.shell.parse import Refused, parse_pipeline
from agenther.trajectory import Span, Step, Trajectory, whole_field

_PATH = re.compile(r"[\w./@+-]+\Z")

CREATORS = ("mkdir", "touch")
"""Commands that create, and nothing else."""


@dataclass(frozen=True)
class Made:
    """One thing that a command created."""

    path: str
    is_directory: bool
    at: Span
    """Where the command names it."""

    @property
    def parent(self) -> str:
        """Directory that holds it; empty for a bare name."""
        return posixpath.dirname(self.path)


@dataclass(frozen=True)
class Creation:
    """All that a run created up to a listing that shows it."""

    made: tuple[Made, ...]
    listing: Span

    @property
    def leaves(self) -> tuple[Made, ...]:
        """What holds nothing else that was created."""
        parents = {one.parent for one in self.made}
        return tuple(one for one in self.made if one.path not in parents)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps that created something."""
        return tuple(dict.fromkeys(one.at.step for one in self.made))


def creation_shown(trajectory: Trajectory, last: Step) -> Creation | None:
    """Return what was created before a step whose listing shows all of it; None when anything else may have changed."""
    listing = _listing(last)
    if listing is None:
        return None
    made: list[Made] = []
    for step in trajectory.agent_steps:
        if step.step_id >= last.step_id:
            break
        for number, call in enumerate(step.tool_calls):
            command, seen = command_of(call), observation_of(step, number)
            if command is None or seen is None:
                return None
            effect = effect_of(command, seen[1])
            if effect is Effect.MOVES or (effect is Effect.CHANGES and seen[1].strip()):
                return None
            if effect is Effect.CHANGES:
                try:
                    made += _read_made(step, number, command, made)
                except Refused:
                    return None
    if not made:
        return None
    creation = Creation(tuple(made), listing[0])
    return creation if all(one.path in listing[1] for one in creation.leaves) else None


def _read_made(step: Step, number: int, command: str, before: list[Made]) -> list[Made]:
    commands = parse_pipeline(command)
    name = commands[0].name
    if len(commands) != 1 or name not in CREATORS:
        raise Refused("a change that is no creation")
    operands = read_options(commands[0]).operands
    made: list[Made] = []
    for word in operands:
        if word.glob or not _PATH.match(word.text) or ".." in word.text:
            raise Refused("a path that is not plain")
        span = command_span(step, number, command, word.start, word.end)
        made.append(Made(posixpath.normpath(word.text), name == "mkdir", span))
    directories = {one.path for one in before if one.is_directory}
    if not made or (name == "touch" and any(one.parent not in directories for one in made)):
        raise Refused("a file that may have been there before")
    return made


def _listing(step: Step) -> tuple[Span, frozenset[str]] | None:
    """Return the paths that a plain `ls` or `find` of one directory shows; a choice of rows serves another purpose."""
    if len(step.tool_calls) != 1:
        return None
    command, seen = command_of(step.tool_calls[0]), observation_of(step, 0)
    if command is None or seen is None or not is_clean(seen[1]):
        return None
    try:
        commands = parse_pipeline(command)
        operands = read_options(commands[0], flags="1aAlhR").operands if commands[0].name == "ls" else ()
    except Refused:
        return None
    span = whole_field(step, f"observations[{seen[0]}].content")
    if len(commands) != 1 or any(word.glob for word in operands):
        return None
    if commands[0].name == "find" and len(commands[0].arguments) == 1:
        return span, frozenset(posixpath.normpath(row) for row in rows_of(seen[1]))
    if commands[0].name == "ls" and len(operands) == 1:
        names = (row.split()[-1] for row in rows_of(seen[1]) if row.split())
        return span, frozenset(posixpath.join(posixpath.normpath(operands[0].text), name) for name in names)
    return None
