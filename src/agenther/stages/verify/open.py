"""Checks of goals that a model named: what it cites shows something, the answer stands there, and the goal is a user's request.

That the citations exist is asked of every goal (`grounding`); whether they mean what the goal says is for judges.
"""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.citations import why_no_evidence
from agenther.stages.fence import escape
from agenther.stages.language.requests import wants_answer, why_no_request
from agenther.stages.language.words import content_stems
from agenther.stages.verify.grounding import contains, hard_facts
from agenther.trajectory import Span, Trajectory

LEAST_BOUND = 0.5
"""Least share of the goal's content words that stand in its bound parts: what is not cited nobody has looked up."""


def check_request(rewritten: Rewritten) -> Score:
    """Refuse what no user would ask: no request, a vague one, one that speaks of the run, one with hidden characters."""
    by, goal, old = "check:open.request", rewritten.proposal.goal, rewritten.trajectory.goal
    if escape(goal) != goal:
        return refused(by, Reason.UNNATURAL, "the goal holds hidden characters or marks of a chat template")
    if (why := why_no_request(goal, old)) is not None:
        return refused(by, Reason.UNNATURAL, f"no request of a user: {why}")
    return passed(by, "the goal reads as a request")


def check_bound(rewritten: Rewritten) -> Score:
    """Refuse when most of what the goal says is bound to nothing."""
    by, goal = "check:open.bound", rewritten.proposal.goal
    rest = goal
    for part in rewritten.proposal.parts:
        rest = rest[: part.start] + " " * (part.end - part.start) + rest[part.end :]
    words = content_stems(goal)
    unbound = words & content_stems(rest)
    if len(unbound) > len(words) * (1 - LEAST_BOUND):
        return refused(by, Reason.UNGROUNDED, f"nothing is cited for {sorted(unbound)}")
    return passed(by, f"{len(words) - len(unbound)} of {len(words)} words stand in parts with a citation")


def check_citations(rewritten: Rewritten) -> Score:
    """Refuse citations that show nothing: of calls that failed or came back with nothing, and of mere echoes."""
    by, run = "check:open.citations", rewritten.trajectory
    for span in (spans := _cited(rewritten)):
        if (found := why_no_evidence(run, span)) is not None:
            return refused(by, *found, [span])
    return passed(by, f"{len(spans)} citations show something", spans)


def check_result(rewritten: Rewritten) -> Score:
    """Refuse when no cited observation shows the result or an answer, and when a question is called a change."""
    by, proposal = "check:open.result", rewritten.proposal
    shown = [span for span in _cited(rewritten) if span.field.startswith("observations[")]
    if not shown:
        return refused(by, Reason.UNGROUNDED, "no observation is cited that shows the result")
    if proposal.effect:
        if wants_answer(proposal.goal):
            return refused(by, Reason.NO_RECORDED_ANSWER, "the goal asks to be told something, and is called a change")
        return passed(by, "an observation shows the change", shown)
    if not any(answer.strip() for answer in proposal.answers):
        return refused(by, Reason.UNGROUNDED, "no value is named that answers the goal")
    texts = [rewritten.trajectory.text_at(span) for span in shown]
    for answer in proposal.answers:
        if not any(contains(text, answer.strip()) for text in texts):
            return refused(by, Reason.UNGROUNDED, f"the answer {answer!r} stands in no cited observation", shown)
    return passed(by, "every answer stands in a cited observation", shown)


def check_known_before(rewritten: Rewritten) -> Score:
    """Refuse a question with a hard fact that stands nowhere before its answer came back: nobody could have asked it."""
    by, proposal = "check:open.known_before", rewritten.proposal
    if proposal.effect:
        return passed(by, "a change is asked for")
    answered = [
        span.step
        for span in _cited(rewritten)
        if span.field.startswith("observations[") and _holds_any(rewritten.trajectory, span, proposal.answers)
    ]
    known = list(_said_before(rewritten, min(answered, default=proposal.last_step)))
    for start, end in hard_facts(proposal.goal, whole_paths=True):
        fact = proposal.goal[start:end].strip('"“”.,')
        if not any(contains(text, fact) for text in known):
            return refused(
                by, Reason.ANSWER_IN_GOAL, f"{fact!r} came back only with the answer: the goal gives it away"
            )
    return passed(by, "all that the question names was known before its answer")


CHECKS = (check_request, check_bound, check_citations, check_result, check_known_before)


def _holds_any(trajectory: Trajectory, span: Span, answers: tuple[str, ...]) -> bool:
    return any(contains(trajectory.text_at(span), answer.strip()) for answer in answers)


def _said_before(rewritten: Rewritten, answered: int) -> Iterator[str]:
    """Yield what was known before the call of a step came back: the task, prompts, calls up to it, earlier results."""
    yield rewritten.trajectory.goal
    for kept in rewritten.steps:
        if kept.step_id > answered:
            return
        if kept.source != "agent":
            yield rewritten.trajectory.step(kept.step_id).message
            continue
        step = rewritten.trajectory.step(kept.step_id)
        yield from (call.arguments for call in step.tool_calls)
        if kept.step_id < answered:
            yield from (observation.content for observation in step.observations)


def _cited(rewritten: Rewritten) -> list[Span]:
    parts = (span for part in rewritten.proposal.parts for span in part.evidence)
    claims = (span for claim in rewritten.proposal.claims for span in claim.evidence)
    return list(dict.fromkeys((*parts, *claims)))
