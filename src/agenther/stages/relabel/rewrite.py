"""Turn a run and a proposal into what would be trained on: a pure function, and the only place that edits a run.

It puts the new goal where the old one stood, cuts after the achieving step, leaves out what serves nothing, masks what
should not be imitated, and deletes sentences that still speak of the old goal. It never writes a word of its own; an answer
that a model wrote it adds as a step by itself, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from agenther.conclusions import Proposal, Reason, Refusal, Rewritten, Stage
from agenther.stages.package.example import up_to_last_agent_turn
from agenther.stages.recording import retried_steps, shared_steps, without_retried_thoughts
from agenther.stages.relabel.leakage import LEAST_LEFT, Untold, numbers_in, old_words
from agenther.trajectory import GoalHolder, Span, Step, Trajectory

_EMPTY_TAG = re.compile(r"<(\w+)>\s*</\1>\s*")


def rewrite(trajectory: Trajectory, proposal: Proposal) -> Rewritten | Refusal:
    """Return the run as it would be trained on for the proposed goal, or why it cannot be told truthfully."""
    last = max(proposal.last_step, proposal.answer_step or 0)
    kept = [s for s in trajectory.steps if s.step_id <= last and s.step_id not in proposal.drop_steps]
    if (refusal := _goal_refusal(trajectory, proposal, kept)) is not None:
        return refusal
    repairs: list[str] = []
    if last < trajectory.steps[-1].step_id:
        repairs.append(f"cut after step {last} of {trajectory.steps[-1].step_id}")
    repairs += [f"left out step {s}: changed nothing, not needed" for s in proposal.drop_steps if s <= last]
    if not proposal.goal_in_turns:
        kept = [_put_goal(trajectory, step, proposal.goal) for step in kept]
        repairs.append(
            f"goal replaced at {sum(s.step in {k.step_id for k in kept} for s in trajectory.goal_at)} places"
        )
    edits: list[str] = []
    if not proposal.goal_in_turns:
        kept, edits = _take_out_old_goal(kept, trajectory, proposal)
    if proposal.synthesized is not None:
        kept, proposal = _add_answer(kept, trajectory, proposal, proposal.synthesized)
        edits.append(f"final answer written by {proposal.by} (synthesized)")
    kept[-1] = kept[-1].model_copy(update={"observations": ()})
    masked = {*proposal.mask_steps, *(shared_steps(trajectory) & {step.step_id for step in kept})}
    repairs += edits
    repairs += [f"masked step {s}: kept as context, carries no loss" for s in sorted(masked) if s <= last]
    train_on = tuple(s.step_id for s in kept if s.source == "agent" and s.step_id not in masked)
    return Rewritten(
        trajectory=trajectory, proposal=proposal, steps=tuple(kept), train_on=train_on, repairs=tuple(repairs)
    )


def _add_answer(
    kept: list[Step], trajectory: Trajectory, proposal: Proposal, answer: str
) -> tuple[list[Step], Proposal]:
    """Return the steps with the answer as a turn of the agent that no log has, and the proposal that names this turn."""
    number = trajectory.steps[-1].step_id + 1
    told = {"answer_step": number, "useful_steps": (*proposal.useful_steps, number)}
    return [*kept, Step(step_id=number, source="agent", message=answer)], proposal.model_copy(update=told)


def retell(trajectory: Trajectory, goal: str) -> list[Step] | None:
    """Return a whole run as it would stand had it been asked for another goal, though it does not reach it.

    The goal stands in the old one's places, and thoughts lose what thoughts of a relabelled run lose, so that what is left
    to tell the two apart is what they did. None where the old goal's places are not known or a turn would have no word left.
    """
    kept = up_to_last_agent_turn(without_retried_thoughts(trajectory))
    if _place_refusal(trajectory, kept) is not None:
        return None
    placed = [_put_goal(trajectory, step, goal) for step in kept]
    words, numbers = old_words(trajectory.goal, goal), numbers_in(goal).union(*map(numbers_in, _seen(placed)))
    leaks = Untold(goal=goal, words=words, numbers=numbers, answer=None, gap=None)
    clean = [_edit_thoughts(step, partial(leaks.taken_out, step_id=step.step_id)) for step in placed]
    if sum(map(_n_thought, clean)) < sum(map(_n_thought, placed)) * LEAST_LEFT:
        clean = [_edit_thoughts(step, _nothing) for step in clean]
    said = (step.message.strip() or step.tool_calls for step in clean if step.source == "agent")
    return clean if all(said) else None


def _goal_refusal(trajectory: Trajectory, proposal: Proposal, kept: list[Step]) -> Refusal | None:
    if not kept or kept[-1].source != "agent":
        return Refusal(
            stage=Stage.REWRITE, reason=Reason.NO_RECORDED_ANSWER, detail="the kept run ends without the agent"
        )
    return None if proposal.goal_in_turns else _place_refusal(trajectory, kept)


def _place_refusal(trajectory: Trajectory, kept: list[Step]) -> Refusal | None:
    if trajectory.goal_holder is not GoalHolder.AGENT or not trajectory.goal_at:
        return Refusal(
            stage=Stage.REWRITE, reason=Reason.GOAL_NOT_LOCATED, detail="no place known where the goal stands"
        )
    if any(not _may_be_edited(trajectory, span) for span in trajectory.goal_at):
        return Refusal(
            stage=Stage.REWRITE,
            reason=Reason.GOAL_NOT_LOCATED,
            detail="the goal stands in the agent's own words or nowhere",
        )
    goal_steps = {span.step for span in trajectory.goal_at}
    other = [step.step_id for step in kept if step.source == "user" and step.step_id not in goal_steps]
    if other:
        return Refusal(
            stage=Stage.REWRITE,
            reason=Reason.USER_TURNS_CONTRADICT,
            detail=f"user turns at steps {other} ask for the old goal",
        )
    return None


def _may_be_edited(trajectory: Trajectory, span: Span) -> bool:
    """Tell whether a place exists and is not the agent's: no word is ever put into its mouth."""
    try:
        found = trajectory.text_at(span)
    except KeyError:
        return False
    is_agents = trajectory.step(span.step).source == "agent" and not span.field.startswith("observations[")
    return bool(found) and not is_agents


def _put_goal(trajectory: Trajectory, step: Step, goal: str) -> Step:
    spans = sorted((s for s in trajectory.goal_at if s.step == step.step_id), key=lambda s: s.start, reverse=True)
    for span in spans:
        text = step.text_of(span.field)
        step = _with_text(step, span.field, text[: span.start] + goal + text[span.end :])
    return step


def _with_text(step: Step, field: str, text: str) -> Step:
    if not field.startswith("observations["):
        return step.model_copy(update={field: text})
    number = int(field[field.index("[") + 1 : field.index("]")])
    observations = list(step.observations)
    observations[number] = observations[number].model_copy(update={"content": text})
    return step.model_copy(update={"observations": tuple(observations)})


def _take_out_old_goal(kept: list[Step], trajectory: Trajectory, proposal: Proposal) -> tuple[list[Step], list[str]]:
    before = sum(_n_thought(step) for step in kept)
    leaks, unseen = untold(kept, trajectory.goal, proposal), retried_steps(trajectory)
    clean = [_clean_thoughts(step, leaks, proposal, unseen) for step in kept]
    after = sum(_n_thought(step) for step in clean)
    if after == before:
        return clean, []
    if after < before * LEAST_LEFT:
        bare = [_edit_thoughts(step, _nothing, keep_prose=step.step_id == proposal.answer_step) for step in clean]
        return bare, [
            f"action-only: thoughts left out, {before - after} of {before} characters did not belong to the new goal"
        ]
    return clean, [
        f"thoughts: {before - after} of {before} characters left out: they spoke of the old goal, of failing, "
        "of steps that were left out, of numbers from nowhere, or of handing in"
    ]


def _clean_thoughts(step: Step, leaks: Untold, proposal: Proposal, unseen: frozenset[int]) -> Step:
    """Take out what does not belong; all that is thought after the goal is reached is about the old one's answer.

    Nor is anything kept that was thought in view of texts which the log does not hold (`unseen` steps).
    """
    if step.step_id in unseen and (step.tool_calls or step.step_id != proposal.answer_step):
        return _edit_thoughts(step, _nothing)
    if step.step_id > achieving_step(proposal) and step.step_id != proposal.answer_step:
        return _edit_thoughts(step, _nothing)
    return _edit_thoughts(step, lambda text: leaks.taken_out(text, step.step_id))


def untold(kept: Sequence[Step], old_goal: str, proposal: Proposal) -> Untold:
    """Return what the steps may not say.

    Args:
        kept: the steps that are kept, the new goal in its place.
        old_goal: the goal that the run was recorded for.
        proposal: the new goal.
    """
    return Untold(
        goal=proposal.goal,
        words=old_words(old_goal, proposal.goal),
        numbers=numbers_in(proposal.goal).union(*map(numbers_in, _seen(kept))),
        answer=proposal.answer_step,
        gap=min(proposal.drop_steps, default=None),
    )


def _seen(steps: Iterable[Step]) -> Iterator[str]:
    """Yield all texts of the steps but what the agent thinks and says."""
    for step in steps:
        for field, text in step.fields():
            if step.source != "agent" or field.startswith(("tool_calls", "observations")):
                yield text


def achieving_step(proposal: Proposal) -> int:
    """Return the step whose observation reaches the goal: the last one that any evidence lies in."""
    return max(span.step for claim in proposal.claims for span in claim.evidence)


def _nothing(_: str) -> str:
    return ""


def _n_thought(step: Step) -> int:
    """Count the characters of a step's thoughts and prose: all agent text that is no call."""
    if step.source != "agent":
        return 0
    in_calls = sum(call.at[1] - call.at[0] for call in step.tool_calls if call.at)
    return len(step.reasoning or "") + len(step.message) - in_calls


def _edit_thoughts(step: Step, edit: Callable[[str], str], *, keep_prose: bool = False) -> Step:
    """Apply an edit to everything that a step says beside its calls; places of text calls move along."""
    if step.source != "agent":
        return step
    reasoning = edit(step.reasoning) if step.reasoning else step.reasoning
    if keep_prose:
        return step.model_copy(update={"reasoning": reasoning or None})
    calls = sorted(
        (i for i, call in enumerate(step.tool_calls) if call.at), key=lambda i: step.tool_calls[i].at or (0, 0)
    )
    message, at, moved = "", 0, list(step.tool_calls)
    for i in calls:
        start, end = step.tool_calls[i].at or (0, 0)
        message += _edit_between(step.message[at:start], edit)
        moved[i] = moved[i].model_copy(update={"at": (len(message), len(message) + end - start)})
        message += step.message[start:end]
        at = end
    message += _edit_between(step.message[at:], edit)
    return step.model_copy(
        update={"reasoning": reasoning or None, "message": message, "thought_at": (), "tool_calls": tuple(moved)}
    )


_FRAME = re.compile(r"(</?\w+>|^\s*Assistant:)")


def _edit_between(text: str, edit: Callable[[str], str]) -> str:
    """Edit the text between two calls piece by piece, leaving the tags of a text protocol in place."""
    pieces = _FRAME.split(text)
    edited = [piece if i % 2 or not piece.strip() else _keep_margins(piece, edit) for i, piece in enumerate(pieces)]
    return _EMPTY_TAG.sub("", "".join(edited))


def _keep_margins(piece: str, edit: Callable[[str], str]) -> str:
    body = piece.strip()
    start = piece.index(body)
    edited = edit(body)
    return piece[:start] + edited + piece[start + len(body) :]
