"""Goals of REST tools: the tool's description with the arguments in their places, when the agent told what came back."""

from __future__ import annotations

from collections.abc import Iterator

from agenther.conclusions import Claim, Proposal, Reason, Refusal, Stage
from agenther.record import Json
from agenther.stages.extract.rest import answer_of, leaves
from agenther.stages.language.descriptions import Slot, slots
from agenther.stages.language.telling import told_in
from agenther.stages.language.things import said_at, things
from agenther.stages.relabel.draft import Draft
from agenther.stages.verify.grounding import contains, held_in
from agenther.trajectory import Span, Step, Trajectory, find_text

LONGEST_ANSWER = 60
"""Longer texts of a document are prose, not values that a message would repeat."""


def compose(trajectory: Trajectory, claims: tuple[Claim, ...]) -> Iterator[Proposal | Refusal]:
    """Yield a goal for each call that was answered and told to the user, or why there is none."""
    messages = [(step, told) for step in trajectory.agent_steps if (told := told_in(step)).strip()]
    for claim in claims:
        yield _proposal(trajectory, claim, messages)


def _proposal(trajectory: Trajectory, claim: Claim, messages: list[tuple[Step, str]]) -> Proposal | Refusal:
    step = trajectory.step(int(str(claim.data["step"])))
    values, needed = step.tool_calls[0].values, [step.step_id]
    request = slots(str(claim.data["description"]), values)
    if request is None:
        return _refusal(Reason.NO_NATURAL_GOAL, "an argument has no place in the description", claim)
    draft = Draft()
    for slot in request:
        if slot.argument is None:
            draft.state(slot.text, "request", claim.evidence) if slot.text.strip() else draft.say(slot.text)
            continue
        bound = _bind(trajectory, step, slot, values[slot.argument])
        if bound is None:
            return _refusal(Reason.UNGROUNDED, f"{slot.argument} is neither the user's word nor a named thing", claim)
        text, evidence, from_step = bound
        draft.state(text, "value", evidence)
        needed += [from_step] if from_step is not None else []
    goal = f"{draft.text}."
    told, answers = _told(messages, step, goal)
    if told is None:
        return _refusal(Reason.NO_RECORDED_ANSWER, "no message tells the user what came back", claim)
    kept = {*needed, told.step_id}
    others = [s.step_id for s in trajectory.agent_steps if s.step_id < told.step_id and s.step_id not in kept]
    return Proposal(
        goal=goal,
        strategy="final" if told is trajectory.agent_steps[-1] else "future",
        domain="rest",
        claims=(claim,),
        parts=tuple(draft.parts),
        last_step=step.step_id,
        answer_step=told.step_id,
        drop_steps=tuple(others),
        useful_steps=tuple(sorted(kept)),
        answers=answers,
    )


def _bind(trajectory: Trajectory, step: Step, slot: Slot, value: Json) -> tuple[str, list[Span], int | None] | None:
    """Return how a user speaks of an argument, what supports it, and the earlier step that it comes from, if any."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        return None
    text = str(value)
    if contains(trajectory.goal, text):
        in_call = find_text(step, "tool_calls[0].arguments", text)
        return text, [span for span in (in_call,) if span], None
    earlier = tuple(s for s in trajectory.agent_steps if s.step_id < step.step_id and len(s.tool_calls) == 1)
    thing = things(earlier).get(text)
    if thing is None or not thing.name or not contains(trajectory.goal, thing.name):
        return None
    named = said_at(earlier, thing.name, "observations")
    return None if named is None else (thing.name, [named], thing.seen[0].step)


def _told(messages: list[tuple[Step, str]], step: Step, goal: str) -> tuple[Step | None, tuple[str, ...]]:
    """Return the step of the first message after a call that repeats values of its answer, and these values."""
    later, told = next(((s, told) for s, told in messages if s.step_id > step.step_id), (None, ""))
    if later is None:
        return None, ()
    values = (leaf for leaf in leaves(answer_of(step)) if len(leaf) <= LONGEST_ANSWER)
    found = tuple(value for value in dict.fromkeys(held_in(told, values)) if not contains(goal, value))
    return (later, found) if found else (None, ())


def _refusal(reason: Reason, detail: str, claim: Claim) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=reason, detail=detail, evidence=claim.evidence)
