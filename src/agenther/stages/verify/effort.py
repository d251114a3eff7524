"""Reached is not demonstrated: the kept run must work towards the goal, and nothing trained on may have failed."""

from __future__ import annotations

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.language.outcomes import failed

LEAST_USEFUL = 0.5
"""Least share of the trained agent steps that must serve the goal; below it the goal was met by chance."""


def check_effort(rewritten: Rewritten) -> Score:
    """Refuse when too few of the trained steps serve the goal."""
    by = "check:effort"
    trained, useful = set(rewritten.train_on), set(rewritten.proposal.useful_steps)
    share = len(trained & useful) / len(trained) if trained else 0.0
    if share < LEAST_USEFUL:
        return refused(by, Reason.BY_CHANCE, f"{len(trained & useful)} of {len(trained)} trained steps serve the goal")
    return passed(by, f"{len(trained & useful)} of {len(trained)} trained steps serve the goal")


def check_no_trained_error(rewritten: Rewritten) -> Score:
    """Refuse when a step that carries loss met nothing but errors."""
    by = "check:no_trained_error"
    trained = frozenset(rewritten.train_on)
    for step in rewritten.trajectory.agent_steps:
        if step.step_id in trained and failed(step):
            return refused(by, Reason.EVIDENCE_FAILED, f"step {step.step_id} carries loss and its call failed")
    return passed(by, "no trained call failed")
