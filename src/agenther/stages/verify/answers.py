"""The answer: not given away by the goal, told where one is owed, and the answer to this goal."""

from __future__ import annotations

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.telling import answer_in
from agenther.stages.relabel.leakage import numbers_in
from agenther.stages.relabel.rewrite import untold
from agenther.stages.verify.grounding import contains


def check_answer_hidden(rewritten: Rewritten) -> Score:
    """Refuse when a value that answers the goal stands in the goal."""
    by, goal = "check:answer_hidden", rewritten.proposal.goal
    for answer in rewritten.proposal.answers:
        if answer.strip() and contains(goal, answer.strip()):
            return refused(by, Reason.ANSWER_IN_GOAL, f"the goal holds its answer {answer!r}")
    return passed(by, "no answer stands in the goal")


def check_answer_told(rewritten: Rewritten) -> Score:
    """Refuse when an answer is owed in words and none is kept, or the kept one lacks a value or invents a number."""
    by, proposal = "check:answer_told", rewritten.proposal
    if proposal.effect or rewritten.trajectory.answer_by == "action":
        return passed(by, "no worded answer is owed")
    if proposal.answer_step is None:
        return refused(by, Reason.NO_RECORDED_ANSWER, "the agent never tells the answer")
    told = next((answer_in(step) for step in rewritten.steps if step.step_id == proposal.answer_step), "")
    missing = [answer for answer in proposal.answers if not contains(told, answer.strip())]
    if not told.strip() or missing:
        return refused(by, Reason.ANSWER_MISSES_GOAL, f"the answer lacks {missing[:3]}")
    seen = untold(rewritten.steps, rewritten.trajectory.goal, proposal).numbers
    if invented := numbers_in(told) - seen:
        return refused(by, Reason.NOT_TRUE, f"the answer holds {sorted(invented)}, which stand nowhere in the kept run")
    return passed(by, f"step {proposal.answer_step} tells the answer")
