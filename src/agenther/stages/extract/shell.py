"""What shell commands showed: read-only pipelines whose meaning is known and that printed something without an error,
and listings that prove what earlier commands created."""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Claim
from agenther.stages.language.shell.calls import answer_index, command_of, command_span
from agenther.stages.language.shell.made import CREATORS, creation_shown
from agenther.stages.language.shell.output import is_clean, is_cut
from agenther.stages.language.shell.parse import Refused
from agenther.stages.language.shell.query import understand
from agenther.stages.language.shell.wrappings import output_of
from agenther.stages.language.words import holds_any
from agenther.trajectory import Step, Trajectory, whole_field


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each command that answers a question about files, and one for what was created and listed."""
    commands = _commands(trajectory)
    if not commands:
        return
    yield from _created(trajectory, commands)
    outputs = [observation.content for step in trajectory.agent_steps for observation in step.observations]
    for step, number, command in commands:
        index = answer_index(step, number)
        if index is None:
            continue
        output = output_of(step.observations[index].content, command)
        if not is_clean(output) or is_cut(output, outputs):
            continue
        try:
            query = understand(command)
        except Refused:
            continue
        yield Claim(
            text=f"`{command}` printed {len(output.splitlines())} lines ({query.ask})",
            kind="shell.fact",
            evidence=(
                command_span(step, number, command, 0, len(command)),
                whole_field(step, f"observations[{index}].content"),
            ),
            data={"command": command, "call": number, "observation": index},
        )


def _commands(trajectory: Trajectory) -> list[tuple[Step, int, str]]:
    """Return each call that is a command: its step, its number there, and the command."""
    return [
        (step, number, command)
        for step in trajectory.agent_steps
        for number, call in enumerate(step.tool_calls)
        if (command := command_of(call)) is not None
    ]


def _created(trajectory: Trajectory, commands: list[tuple[Step, int, str]]) -> Iterator[Claim]:
    """Yield the first proof of each state of what was created."""
    if not any(holds_any(command, CREATORS) for _, _, command in commands):
        return
    shown: set[tuple[str, ...]] = set()
    for step, _, _ in commands:
        creation = creation_shown(trajectory, step)
        if creation is None:
            continue
        paths = tuple(one.path for one in creation.made)
        if paths in shown:
            continue
        shown.add(paths)
        yield Claim(
            text=f"created {', '.join(paths)}, and the listing shows it",
            kind="shell.effect",
            evidence=(*(one.at for one in creation.made), creation.listing),
            data={"paths": list(paths)},
        )
