"""What shell commands showed: read-only pipelines whose meaning is known and that printed something without an error,
and listings that prove what earlier commands created."""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Claim
from agenther.stages.language.shell.calls import command_of, command_span, observation_of
from agenther.stages.language.shell.made import CREATORS, creation_shown
from agenther.stages.language.shell.output import is_clean, is_cut
from agenther.stages.language.shell.parse import Refused
from agenther.stages.language.shell.query import understand
from agenther.trajectory import Trajectory, whole_field


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each command that answers a question about files, and one for what was created and listed."""
    yield from _created(trajectory)
    outputs = [observation.content for step in trajectory.agent_steps for observation in step.observations]
    for step in trajectory.agent_steps:
        for number, call in enumerate(step.tool_calls):
            command = command_of(call)
            seen = None if command is None else observation_of(step, number)
            if command is None or seen is None:
                continue
            index, output = seen
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


def _created(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield the first proof of each state of what was created."""
    commands = [command_of(call) or "" for step in trajectory.agent_steps for call in step.tool_calls]
    if not any(name in command for command in commands for name in CREATORS):
        return
    shown: set[tuple[str, ...]] = set()
    for step in trajectory.agent_steps:
        creation = creation_shown(trajectory, step) if any(command_of(call) for call in step.tool_calls) else None
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
