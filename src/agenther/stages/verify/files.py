"""Checks of goals that ask for a short file: it was written as asked, it was shown, and nothing else was changed."""

from __future__ import annotations

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.extract.files import data_of
from agenther.stages.language.code.edits import Kind, deed_of
from agenther.stages.language.code.written import Written, find_written
from agenther.stages.protocols import Check
from agenther.stages.relabel.files import file_fault, write_goal

_GONE = "the run does not show the file"


def _written(rewritten: Rewritten) -> Written | None:
    found = find_written(rewritten.trajectory)
    return found if found is not None and data_of(found) == rewritten.proposal.claims[0].data else None


def check_shown(rewritten: Rewritten) -> Score:
    """Refuse when the output does not show just what the goal asks to write, in the file that it names."""
    by, written = "check:files_shown", _written(rewritten)
    if written is None or written.shown.step != rewritten.proposal.last_step:
        return refused(by, Reason.EVIDENCE_FAILED, _GONE)
    asked = write_goal(written).text
    if rewritten.proposal.goal != asked:
        return refused(by, Reason.NOT_TRUE, f"the run shows another goal: {asked!r}")
    return passed(by, "the output shows what was written", [written.shown])


def check_alone(rewritten: Rewritten) -> Score:
    """Refuse when the write was left out, or a step that was left out may have changed something."""
    by, written = "check:files_alone", _written(rewritten)
    if written is None:
        return refused(by, Reason.EVIDENCE_FAILED, _GONE)
    kept = {step.step_id for step in rewritten.steps}
    for step in rewritten.trajectory.agent_steps:
        changed = any(deed_of(step, n).kind is Kind.EDIT for n in range(len(step.tool_calls)))
        if changed and step.step_id < written.call.step:
            return refused(by, Reason.SIDE_EFFECT, f"step {step.step_id} wrote something else first")
    if not {written.call.step, written.shown.step} <= kept:
        return refused(by, Reason.SIDE_EFFECT, "the writing or the showing was left out")
    return passed(by, "nothing else was written")


def check_request(rewritten: Rewritten) -> Score:
    """Refuse when the old goal already asks for this file or this text, or nobody can say where the file lies."""
    by, written = "check:files_request", _written(rewritten)
    why = (Reason.EVIDENCE_FAILED, _GONE) if written is None else file_fault(rewritten.trajectory, written)
    return (
        passed(by, "the old goal does not ask for this file, and its path is plain")
        if why is None
        else refused(by, *why)
    )


CHECKS: tuple[Check, ...] = (check_shown, check_alone, check_request)
"""All checks of the domain."""
