"""Checks of goals that a model named: what it cites shows something, the answer stands there, and the goal is a user's request.

That the citations exist is asked of every goal (`grounding`); whether they mean what the goal says is for judges.
"""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.fence import escape
from agenther.stages.language.outcomes import is_error
from agenther.stages.language.requests import wants_answer, why_no_request
from agenther.stages.language.shell.calls import answer_index, command_of
from agenther.stages.language.shell.effects import Effect, effect_of
from agenther.stages.language.words import content_stems
from agenther.stages.quotes import bare
from agenther.stages.recording import error_code
from agenther.stages.verify.grounding import contains, hard_facts
from agenther.stages.verify.leaks import text_of_call
from agenther.trajectory import Span, Step, Trajectory

LEAST_BOUND = 0.5
"""Least share of the goal's content words that stand in its bound parts: what is not cited nobody has looked up."""
_AROUND = 300
"""Characters of a line on each side of a quote that are read with it."""


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
        if (code := error_code(run, run.step(span.step))) is not None:
            return refused(by, Reason.EVIDENCE_FAILED, f"the call of step {span.step} has the code {code}", [span])
        if span.field.startswith("tool_calls["):
            why = _why_no_result(run.step(span.step), span)
            if why is not None:
                return refused(by, Reason.EVIDENCE_FAILED, f"the cited call of step {span.step} {why}", [span])
        elif not span.field.startswith("observations["):
            return refused(by, Reason.UNGROUNDED, f"step {span.step}: the agent's own words are no evidence", [span])
        elif is_error(run.step(span.step).text_of(span.field)):
            return refused(by, Reason.EVIDENCE_FAILED, f"the cited observation of step {span.step} is an error", [span])
        elif is_echo(run, span):
            why = f"step {span.step}: {bare(run.text_at(span))[:80]!r} only repeats the call or the task"
            return refused(by, Reason.UNGROUNDED, why, [span])
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


def is_echo(trajectory: Trajectory, span: Span) -> bool:
    """Tell whether the line of an observation around a place says nothing that the call, the goal or the prompt did not say."""
    step = trajectory.step(span.step)
    text = step.text_of(span.field)
    start = max(text.rfind("\n", 0, span.start) + 1, span.start - _AROUND)
    end = min(_line_end(text, span.end), span.end + _AROUND)
    line = text[start:end]
    calls = (f"{call.function_name} {call.arguments} {text_of_call(call)}" for call in step.tool_calls)
    if not content_stems(line) - content_stems(" ".join((trajectory.goal, *calls))):
        return True
    told = bare(line)
    return any(told in bare(s.message) for s in trajectory.steps if s.source != "agent" and s.step_id < span.step)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


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


def _why_no_result(step: Step, span: Span) -> str | None:
    """Return why a cited call shows nothing; None when it came back with something, or only went to another directory."""
    number = int(span.field.partition("[")[2].partition("]")[0])
    index = answer_index(step, number)
    answers = step.observations if index is None else step.observations[index : index + 1]
    if any(is_error(observation.content) for observation in answers):
        return "came back with an error"
    command = command_of(step.tool_calls[number])
    moves = command is not None and effect_of(command, "") is Effect.MOVES
    return None if moves or any(o.content.strip() for o in answers) else "came back with nothing"


def _cited(rewritten: Rewritten) -> list[Span]:
    parts = (span for part in rewritten.proposal.parts for span in part.evidence)
    claims = (span for claim in rewritten.proposal.claims for span in claim.evidence)
    return list(dict.fromkeys((*parts, *claims)))
