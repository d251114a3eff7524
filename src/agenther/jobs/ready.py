"""What the process that starts workers does before it starts any: they share its memory, and none does it again.

Importing this does the work; only `workers.PRELOAD` names it.
"""

from __future__ import annotations

from agenther.config import Config
from agenther.jobs import conclude as conclude
from agenther.jobs import lines as lines
from agenther.jobs.process import Processor
from agenther.trajectory import Source, Trajectory, make_steps, whole_field

_CALL = {"tool_call_id": "1", "function_name": "bash", "arguments": '{"command": "find /notes -name \'*.txt\'"}'}
_SEEN = {"content": "/notes/bread.txt\n/notes/2024/rye.txt\n", "source_call_id": "1"}


def example_run() -> Trajectory:
    """Return a run that the rules relabel: what they need for it, they need for most."""
    steps = make_steps(
        (
            {"source": "user", "message": "Mail the recipes of last year to Ada."},
            {"source": "agent", "message": "", "tool_calls": [_CALL], "observations": [_SEEN]},
        )
    )
    return Trajectory(
        id="ready",
        source=Source(path="", format="", index=0),
        goal=steps[0].message,
        goal_at=(whole_field(steps[0], "message"),),
        steps=steps,
        answer_by="action",
        success=False,
        label_source="ready",
    )


Processor(Config()).texts(example_run())
