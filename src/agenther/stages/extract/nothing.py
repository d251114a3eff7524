"""Why a run gives no claim: what kind of acting it holds, and whether rules could ever tell what that achieved."""

from __future__ import annotations

import re

from agenther.stages.language.code.edits import Kind, deed_of, may_edit
from agenther.stages.language.shell.calls import command_of
from agenther.trajectory import Trajectory

NEEDS_MODEL = "needs a model"
"""Said of what no rule can tell, however the run went."""
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"sql", re.IGNORECASE),
        "no query returned rows that rules can ask for",
    ),
    (
        re.compile(r"python|ipython|jupyter|execute_code|run_code|code_interpreter", re.IGNORECASE),
        f"what a program computed is evidence of no other task: which one it would answer {NEEDS_MODEL}",
    ),
    (
        re.compile(r"search|look_?up|browse|wiki|retriev|edgar", re.IGNORECASE),
        f"what a search found answers no question that was put: but for the optional domain qa this {NEEDS_MODEL}",
    ),
)
_ENDS = re.compile(r"finish|submit|answer|task_complete|final_result|done|stop", re.IGNORECASE)
"""Calls that only hand something in."""
_MOST_NAMES = 3


def why_nothing(trajectory: Trajectory) -> str:
    """Return why no rule finds an achievement in a run, by the first kind of acting that it holds."""
    calls = [
        (step, number)
        for step in trajectory.agent_steps
        for number, call in enumerate(step.tool_calls)
        if not _ENDS.fullmatch(call.function_name)
    ]
    if not calls:
        if any(step.observations and not step.tool_calls for step in trajectory.agent_steps):
            return "no observation shows an achievement"
        return f"the agent called no tool: whether words alone achieve something {NEEDS_MODEL}"
    may_be_edits = ((step, number) for step, number in calls if may_edit(step.tool_calls[number]))
    if any(deed_of(step, number).kind is Kind.EDIT for step, number in may_be_edits):
        return f"files were edited, and no test is shown to fail before and to pass after: what the edit is worth {NEEDS_MODEL}"
    tools = [step.tool_calls[number] for step, number in calls]
    if any(command_of(call) for call in tools):
        return "no command printed an answer that rules can ask for"
    names = list(dict.fromkeys(call.function_name for call in tools))
    for pattern, why in _KINDS:
        if any(pattern.search(name) for name in names):
            return why
    told = ", ".join(name[:40] for name in names[:_MOST_NAMES])
    return f"no rule tells what {told} achieved: this {NEEDS_MODEL}"
