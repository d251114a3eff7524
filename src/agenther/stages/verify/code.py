"""Checks of coding goals: the tests failed before the edit and pass after it, nobody touched them, and the repair was not a
patch for something else."""

from __future__ import annotations

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.extract.code import data_of
from agenther.stages.language.code.fixes import Fix, find_fix
from agenther.stages.language.words import content_stems
from agenther.stages.protocols import Check
from agenther.stages.relabel.code import fix_fault, same_request, stems_seen, unexplained, unseen_edit, write_goal

_GONE = "the run does not show the repair"


def _fix(rewritten: Rewritten) -> Fix | None:
    """Return the repair as the run shows it now; None when it is not the one of the claim."""
    fix = find_fix(rewritten.trajectory)
    data = rewritten.proposal.claims[0].data
    return fix if fix is not None and data_of(fix) == data and fix.after.step == rewritten.proposal.last_step else None


def check_tests_pass(rewritten: Rewritten) -> Score:
    """Refuse when the same tests are not shown to fail before the edits and to pass at the cut."""
    by, fix = "check:code_tests_pass", _fix(rewritten)
    if fix is None:
        return refused(by, Reason.EVIDENCE_FAILED, _GONE)
    asked = write_goal(rewritten.trajectory, fix).text
    if rewritten.proposal.goal != asked:
        return refused(by, Reason.NOT_TRUE, f"the run shows another goal: {asked!r}")
    kept = {step.step_id for step in rewritten.steps}
    if not {fix.before.step, fix.after.step, *fix.edit_steps} <= kept:
        return refused(by, Reason.SIDE_EFFECT, "a run of the tests or an edit was left out")
    return passed(
        by, "the same tests fail before the edits and pass after them", [fix.before.printed, fix.after.printed]
    )


def check_untouched(rewritten: Rewritten) -> Score:
    """Refuse when the agent edited tests or settings, left tests out, or when they fail again without a change."""
    by, fix = "check:code_untouched", _fix(rewritten)
    if fix is None:
        return refused(by, Reason.EVIDENCE_FAILED, _GONE)
    if (why := fix_fault(rewritten.trajectory, fix)) is not None:
        return refused(by, *why)
    return passed(by, "only the named files were edited, and no test among them")


def check_request(rewritten: Rewritten) -> Score:
    """Refuse when the old goal already asks for these tests."""
    by, fix = "check:code_request", _fix(rewritten)
    why = (Reason.EVIDENCE_FAILED, _GONE) if fix is None else same_request(rewritten.trajectory.goal, fix)
    return passed(by, "the old goal does not ask for these tests") if why is None else refused(by, *why)


def check_seen(rewritten: Rewritten) -> Score:
    """Refuse when an edit comes from nowhere: the kept steps before it do not show what it changes."""
    by, fix = "check:code_seen", _fix(rewritten)
    if fix is None:
        return refused(by, Reason.EVIDENCE_FAILED, _GONE)
    kept = {step.step_id for step in rewritten.steps}
    for edit in fix.edits:
        before = [s for s in rewritten.trajectory.agent_steps if s.step_id < edit.at.step and s.step_id in kept]
        if (why := unseen_edit(edit, before)) is not None:
            return refused(by, Reason.BY_CHANCE, why, [edit.at])
    return passed(by, "what was edited had been looked at")


def check_words(rewritten: Rewritten) -> Score:
    """Refuse when a trained call uses a word that only the old goal could have given."""
    by, goal = "check:code_words", rewritten.proposal.goal
    kept = {step.step_id for step in rewritten.steps}
    seen = content_stems(goal)
    for step in rewritten.trajectory.agent_steps:
        if step.step_id not in kept:
            continue
        strange = unexplained(rewritten.trajectory, step, goal, seen)
        if strange and step.step_id in rewritten.train_on:
            return refused(
                by,
                Reason.STILL_SPEAKS_OF_OLD_GOAL,
                f"step {step.step_id} uses {sorted(strange)[:5]}, which nothing showed",
            )
        seen |= stems_seen(step)
    return passed(by, "each word of the calls stands in the goal or in what the agent saw")


CHECKS: tuple[Check, ...] = (check_tests_pass, check_untouched, check_request, check_seen, check_words)
"""All checks of the domain."""
