"""Checks of goals that a model named: what it cites shows something, the answer stands there, and the goal is a user's request.

That the citations exist is asked of every goal (`grounding`); whether they mean what the goal says is for judges.
"""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.citations import answered_by, cited_calls, why_no_evidence
from agenther.stages.fence import escape
from agenther.stages.language.deeds import why_no_change
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.outcomes import failed, is_error
from agenther.stages.language.requests import Deed, may_want_answer, wants_answer, why_no_request
from agenther.stages.language.words import content_stems, split_name, stem, stems
from agenther.stages.recording import error_code
from agenther.stages.verify.grounding import contains, hard_facts
from agenther.stages.verify.leaks import text_of_call, texts_in
from agenther.trajectory import Span, Step, Trajectory, whole_field

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
    """Refuse when no cited observation shows the result or an answer, and when question and change are taken for each other."""
    by, proposal = "check:open.result", rewritten.proposal
    shown = [span for span in _cited(rewritten) if span.field.startswith("observations[")]
    if not shown:
        return refused(by, Reason.UNGROUNDED, "no observation is cited that shows the result")
    if proposal.effect:
        if wants_answer(proposal.goal, _deeds(rewritten)):
            return refused(by, Reason.NO_RECORDED_ANSWER, "the goal asks to be told something, and is called a change")
        return passed(by, "an observation shows the change", shown)
    if not may_want_answer(proposal.goal):
        return refused(by, Reason.NOT_TRUE, "the goal asks for a change, and is called a question: set effect to true")
    if not any(answer.strip() for answer in proposal.answers):
        return refused(by, Reason.UNGROUNDED, "no value is named that answers the goal")
    texts = [rewritten.trajectory.text_at(span) for span in shown]
    for answer in proposal.answers:
        if not any(contains(text, answer.strip()) for text in texts):
            return refused(by, Reason.UNGROUNDED, f"the answer {answer!r} stands in no cited observation", shown)
    return passed(by, "every answer stands in a cited observation", shown)


def check_change(rewritten: Rewritten) -> Score:
    """Refuse a change without a cited call that may have made it, that came back well, and of which the goal speaks."""
    by, run, cited = "check:open.change", rewritten.trajectory, _cited(rewritten)
    if not rewritten.proposal.effect:
        return passed(by, "no change is asked for")
    calls = cited_calls(run, cited)
    if not calls:
        return refused(by, Reason.UNGROUNDED, "no call is cited that made the change: quote its arguments")
    looks = {(step.step_id, number): why_no_change(run, step, number) for step, number in calls}
    made = [(step, number) for step, number in calls if looks[step.step_id, number] is None]
    if not made:
        (at, _), why = next(iter(looks.items()))
        hint = "cite a call that changes something, or ask a question that what came back answers"
        return refused(by, Reason.NOT_TRUE, f"the cited call of step {at} is no change, {why}: {hint}")
    for step, number in made:
        if (found := why_no_evidence(run, whole_field(step, f"tool_calls[{number}].arguments"))) is not None:
            return refused(by, *found)
    first = made[0][0].step_id
    if not any(span.step >= first for span in cited if span.field.startswith("observations[")):
        why = f"what is cited came back before step {first} made the change, and cannot show it: quote what came after"
        return refused(by, Reason.UNGROUNDED, why)
    if not content_stems(rewritten.proposal.goal) & content_stems(
        " ".join(text for one in made for text in _said_in(*one))
    ):
        return refused(by, Reason.NOT_TRUE, f"the goal has no word of the call of step {first}, which made the change")
    return passed(by, f"the call of step {first} may have changed something, and came back without an error")


def check_known_before(rewritten: Rewritten) -> Score:
    """Refuse what names things that only came back: a question those of its answer, a change all that no call says."""
    by = "check:open.known_before"
    if rewritten.proposal.effect:
        return _check_change_known(by, rewritten)
    proposal = rewritten.proposal
    answered = [
        span.step
        for span in _cited(rewritten)
        if span.field.startswith("observations[") and _holds_any(rewritten.trajectory, span, proposal.answers)
    ]
    known = list(_said_before(rewritten, min(answered, default=proposal.last_step)))
    for fact in _facts(proposal.goal):
        if not any(contains(text, fact) for text in known):
            return refused(
                by, Reason.ANSWER_IN_GOAL, f"{fact!r} came back only with the answer: the goal gives it away"
            )
    return passed(by, "all that the question names was known before its answer")


def _check_change_known(by: str, rewritten: Rewritten) -> Score:
    """Refuse a change that names a fact no call says, a word that only came back, or mostly words of no call."""
    goal = rewritten.proposal.goal
    calls = list(_said_in_calls(rewritten))
    for fact in _facts(goal):
        if not any(contains(text, fact) for text in calls):
            why = f"{fact!r} stands in no call that worked: name a change in the words of the calls that made it"
            return refused(by, Reason.ANSWER_IN_GOAL, why)
    words, called = content_stems(goal), content_stems(" ".join(calls))
    told = content_stems(" ".join(_told(rewritten)))
    came = (o.content for step in _worked(rewritten) for o in step.observations)
    if only := (words - called - told) & content_stems(" ".join(came)):
        why = f"{sorted(only)} only came back, and neither the calls nor the task say it: leave it out"
        return refused(by, Reason.ANSWER_IN_GOAL, why)
    if len(words & called) < len(words) * LEAST_BOUND:
        why = (
            f"the calls say only {sorted(words & called)} of what the goal says: ask for what they did, in their words"
        )
        return refused(by, Reason.UNGROUNDED, why)
    return passed(by, f"{len(words & called)} of {len(words)} words stand in calls, and none in what came back alone")


CHECKS = (check_request, check_bound, check_citations, check_result, check_change, check_known_before)


def _facts(goal: str) -> Iterator[str]:
    return (goal[start:end].strip('"“”.,') for start, end in hard_facts(goal, whole_paths=True))


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


def _worked(rewritten: Rewritten) -> Iterator[Step]:
    """Yield the agent's steps up to the achieving one whose calls did not fail, as they were recorded."""
    run = rewritten.trajectory
    for kept in rewritten.steps:
        if kept.source == "agent" and kept.step_id <= rewritten.proposal.last_step:
            step = run.step(kept.step_id)
            if not failed(step) and error_code(run, step) is None:
                yield step


def _said_in_calls(rewritten: Rewritten) -> Iterator[str]:
    for step in _worked(rewritten):
        for number in range(len(step.tool_calls)):
            index = answered_by(step, number)
            if index is None or not is_error(step.observations[index].content):
                yield from _said_in(step, number)


def _deeds(rewritten: Rewritten) -> Iterator[Deed]:
    """Yield the cited calls that may have changed something, in words."""
    run = rewritten.trajectory
    for step, number in cited_calls(run, _cited(rewritten)):
        if why_no_change(run, step, number) is None:
            call = step.tool_calls[number]
            verb, *things = [word for part in call.function_name.split("_") for word in split_name(part)] or [""]
            yield Deed(verb.casefold(), frozenset(map(stem, things)) | stems(text_of_call(call)))


def _said_in(step: Step, number: int) -> tuple[str, str, str]:
    """Return the texts of a call: its name, its arguments as they were written, and without escapes."""
    call = step.tool_calls[number]
    return call.function_name, call.arguments, text_of_call(call)


def _told(rewritten: Rewritten) -> Iterator[str]:
    """Yield what was said before any call: the task, prompts without shown pages, and the schemas of the tools called."""
    run = rewritten.trajectory
    yield run.goal
    for step in run.steps:
        if step.source != "agent" and step.step_id <= rewritten.proposal.last_step:
            yield _without_pages(run, step)
    called = {call.function_name for step in _worked(rewritten) for call in step.tool_calls}
    yield from (" ".join(texts_in(tool)) for tool in run.tools if description_of(tool)[0] in called)


def _without_pages(run: Trajectory, step: Step) -> str:
    """Return a prompt without the pages that it shows, which are what came back."""
    text = step.message
    for span in run.shown_at:
        if (span.step, span.field) == (step.step_id, "message"):
            text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text


def _cited(rewritten: Rewritten) -> list[Span]:
    parts = (span for part in rewritten.proposal.parts for span in part.evidence)
    claims = (span for claim in rewritten.proposal.claims for span in claim.evidence)
    return list(dict.fromkeys((*parts, *claims)))
