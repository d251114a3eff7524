"""Which part of a goal asks for which calls: one part for a goal in one place, one for each user turn where they are the goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenther.stages.verify.replay.perform import Performed
from agenther.stages.verify.replay.request import Request


@dataclass(frozen=True)
class Part:
    """What is asked at once, and the calls that follow."""

    request: Request
    before: Request
    """All that was asked earlier."""
    numbers: tuple[int, ...]
    """Positions of the calls up to the next part."""


def parts_of(goal: str, performed: Performed, turns: Sequence[tuple[int, str]] = ()) -> list[Part]:
    """Return the parts of a goal in order; calls before the first turn belong to it.

    Args:
        goal: the whole goal.
        performed: the calls.
        turns: step_id and text of each user turn, where several are the goal.
    """
    steps = [call.step for call in performed.replay.calls]
    if len(turns) < 2:
        return [Part(Request(goal), Request(""), tuple(range(len(steps))))]
    parts: list[Part] = []
    for number, (start, text) in enumerate(turns):
        end = turns[number + 1][0] if number + 1 < len(turns) else None
        own = (n for n, s in enumerate(steps) if (s > start or number == 0) and (end is None or s < end))
        said = "\n".join(earlier for _, earlier in turns[:number])
        parts.append(Part(Request(text), Request(said), tuple(own)))
    return parts
