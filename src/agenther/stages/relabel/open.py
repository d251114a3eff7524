"""Goals of any domain, as a model names them: its citations looked up, and what is kept, masked and cut decided by rules.

Nothing is believed that can be looked up. Whether the goal is a good one is asked by `verify/open` and by judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import Field

from agenther.conclusions import Claim, GoalPart, Proposal, Reason, Refusal, Stage
from agenther.record import Record
from agenther.stages.citations import place_of
from agenther.stages.detect.signs import ANSWERING, answer_call
from agenther.stages.language.descriptions import description_of
from agenther.stages.language.outcomes import failed
from agenther.stages.language.telling import told_in
from agenther.stages.language.words import find_word
from agenther.stages.recording import error_code
from agenther.stages.relabel.leakage import old_words, speaks_of
from agenther.stages.verify.grounding import CITED, contains, hard_facts
from agenther.stages.verify.leaks import text_of_call
from agenther.trajectory import Span, Step, Trajectory

_MOST_TEXT = 400
"""Characters of a rationale that are kept."""


class Citation(Record):
    """A part of a goal and where the run says the same."""

    text: str
    step: int
    quote: str


class GoalAnswer(Record):
    """A goal as a model answers it; `propose.prompt.md` says what each field means, in this order."""

    rationale: str
    goal: str
    parts: tuple[Citation, ...]
    last_step: int
    answer_step: int | None
    answer_text: str | None
    answers: tuple[str, ...]
    effect: bool
    needless_steps: tuple[int, ...]
    useful_steps: tuple[int, ...]
    valid: bool
    confidence: float = Field(ge=0, le=1)

    def texts(self) -> Iterator[str]:
        """Yield all that it says in words."""
        yield from (self.rationale, self.goal, self.answer_text or "", *self.answers)
        for part in self.parts:
            yield from (part.text, part.quote)


def bind(trajectory: Trajectory, answer: GoalAnswer, by: str) -> Proposal | Refusal:
    """Return the proposal that an answer makes, or what of it is not found in the run.

    Args:
        trajectory: the run.
        answer: a goal as the model names it.
        by: who says so: `model:<name>`.
    """
    goal = " ".join(answer.goal.split())
    if (step := _agent_step(trajectory, answer.last_step)) is None:
        return _refusal(
            goal, Reason.UNGROUNDED, f"last_step {answer.last_step} is no step of the agent that can be used"
        )
    located = _located(trajectory, goal, answer)
    if isinstance(located, Refusal):
        return located
    spans = list(dict.fromkeys(span for _, span in located))
    told = _told(trajectory, goal, answer, step)
    if isinstance(told, Refusal):
        return told
    answer_step, synthesized = told
    end = answer_step or step.step_id
    cited = {span.step for span in spans}
    masked = _masked(trajectory, goal, answer, cited, answer_step)
    useful = {*answer.useful_steps, *cited, end} - masked
    return Proposal(
        goal=goal,
        strategy="final" if end == trajectory.agent_steps[-1].step_id else "future",
        domain="open",
        claims=(
            Claim(
                text=" ".join(answer.rationale.split())[:_MOST_TEXT] or goal,
                kind="open.effect" if answer.effect else "open.fact",
                evidence=tuple(spans),
            ),
        ),
        parts=_parts(trajectory, goal, located),
        last_step=step.step_id,
        answer_step=answer_step,
        mask_steps=tuple(sorted(masked)),
        useful_steps=tuple(s.step_id for s in trajectory.agent_steps if s.step_id in useful and s.step_id <= end),
        answers=_values(answer),
        effect=answer.effect,
        by=by,
        valid=answer.valid,
        confidence=answer.confidence,
        synthesized=synthesized,
    )


def last_usable(trajectory: Trajectory) -> int | None:
    """Return the agent's last step before the user asks for anything beside the goal; None when there is none."""
    of_goal = {span.step for span in trajectory.goal_at}
    other = next((step.step_id for step in trajectory.user_steps if step.step_id not in of_goal), None)
    before = [s.step_id for s in trajectory.agent_steps if other is None or s.step_id < other]
    return before[-1] if before else None


def _agent_step(trajectory: Trajectory, number: int) -> Step | None:
    last = last_usable(trajectory) or 0
    return next((s for s in trajectory.agent_steps if s.step_id == number <= last), None)


def _located(trajectory: Trajectory, goal: str, answer: GoalAnswer) -> list[tuple[str, Span]] | Refusal:
    """Return the place of each quote with the words of the goal that it supports."""
    located: list[tuple[str, Span]] = []
    for part in answer.parts:
        if part.step > answer.last_step:
            why = f"step {part.step} is cited, which comes after last_step {answer.last_step}"
            return _refusal(goal, Reason.UNGROUNDED, why)
        span = place_of(trajectory, part.step, part.quote)
        if span is None:
            why = f"step {part.step} does not hold {part.quote[:120]!r} in an observation or in the arguments of a call"
            return _refusal(goal, Reason.UNGROUNDED, why)
        located.append((" ".join(part.text.split()), span))
    if not located:
        return _refusal(goal, Reason.UNGROUNDED, "nothing is cited")
    return located


def _parts(trajectory: Trajectory, goal: str, located: list[tuple[str, Span]]) -> tuple[GoalPart, ...]:
    """Return the parts of the goal at every place of their words, and hard facts that stand in a quote of another part.

    Words that are not in the goal bind nothing; their quote may still show the result.
    """
    evidence: dict[tuple[int, int], list[Span]] = {}
    for text, span in located:
        for place in _places(goal, text):
            evidence.setdefault(place, []).append(span)
    for first, past in hard_facts(goal, whole_paths=True):
        if any(start <= first and past <= end for start, end in evidence):
            continue
        bare = goal[first:past].strip('"“”.,')
        shown = [span for _, span in located if contains(trajectory.text_at(span), bare)]
        if shown:
            evidence[first, past] = shown
    return tuple(
        GoalPart(start=start, end=end, kind=CITED, evidence=tuple(dict.fromkeys(spans)))
        for (start, end), spans in sorted(evidence.items())
    )


def _places(goal: str, text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while text and (found := find_word(goal[at:], text)) is not None:
        yield at + found[0], at + found[1]
        at += found[1]


def _told(trajectory: Trajectory, goal: str, answer: GoalAnswer, last: Step) -> tuple[int | None, str | None] | Refusal:
    """Return the step that tells the answer, or the answer that the model wrote because there is none; a change owes neither."""
    if answer.effect or trajectory.answer_by == "action":
        return None, None
    if answer.answer_step is not None:
        step = _agent_step(trajectory, answer.answer_step)
        if step is None or step.step_id < last.step_id or not told_in(step).strip():
            return _refusal(goal, Reason.NO_RECORDED_ANSWER, f"step {answer.answer_step} tells the user nothing")
        return step.step_id, None
    if (own := _own_answer(trajectory, answer, last)) is not None:
        return own.step_id, None
    if not (answer.answer_text or "").strip():
        return _refusal(goal, Reason.NO_RECORDED_ANSWER, "neither answer_step nor answer_text tells the answer")
    if not _answers_by_message(trajectory):
        return _refusal(
            goal, Reason.NO_RECORDED_ANSWER, "here the agent answers by a call, and none is ever written for it"
        )
    return None, (answer.answer_text or "").strip()


def _own_answer(trajectory: Trajectory, answer: GoalAnswer, last: Step) -> Step | None:
    """Return the first message after a step that tells every answer: what the run says itself is not written anew."""
    values = _values(answer)
    later = (s for s in trajectory.agent_steps if last.step_id < s.step_id <= (last_usable(trajectory) or 0))
    return next((s for s in later if values and all(contains(told_in(s), value) for value in values)), None)


def _answers_by_message(trajectory: Trajectory) -> bool:
    """Tell whether an agent of this harness ends with words: neither by a call, nor in a protocol of its own."""
    offered = (description_of(tool)[0].casefold().rsplit(".", 1)[-1] for tool in trajectory.tools)
    by_call = any(
        answer_call(step) is not None or any(call.at is not None for call in step.tool_calls)
        for step in trajectory.agent_steps
    )
    return not by_call and not ANSWERING.intersection(offered)


def _masked(
    trajectory: Trajectory, goal: str, answer: GoalAnswer, cited: set[int], answer_step: int | None
) -> set[int]:
    """Return the kept steps that carry no loss.

    They are those that failed, those the model calls needless, those between the result and the answer, and those that show
    nothing of the goal while their calls speak of the old one. No step is left out: what it changed would be unknown.
    """
    words = old_words(trajectory.goal, goal)
    kept = [s for s in trajectory.agent_steps if s.step_id <= (answer_step or answer.last_step)]
    needed = {*cited, answer.last_step, *([] if answer_step is None else [answer_step])}
    masked: set[int] = set()
    for step in kept:
        serves = step.step_id in needed
        if _failed(trajectory, step) or (
            not serves
            and (
                step.step_id in answer.needless_steps
                or step.step_id > answer.last_step
                or speaks_of(_calls_of(step), words)
            )
        ):
            masked.add(step.step_id)
    return masked


def _failed(trajectory: Trajectory, step: Step) -> bool:
    return failed(step) or error_code(trajectory, step) is not None


def _calls_of(step: Step) -> str:
    return " ".join(text_of_call(call) for call in step.tool_calls)


def _values(answer: GoalAnswer) -> tuple[str, ...]:
    return () if answer.effect else tuple(dict.fromkeys(_stripped(answer.answers)))


def _stripped(texts: Iterable[str]) -> Iterator[str]:
    return (text.strip() for text in texts if text.strip())


def _refusal(goal: str, reason: Reason, why: str) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=reason, detail=f"{goal[:300]!r}: {why}")
