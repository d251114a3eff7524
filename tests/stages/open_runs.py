"""A run on piers and the goal that a model proposes for it, as they reach the gate."""

from __future__ import annotations

from collections.abc import Sequence

from agenther.conclusions import Claim, GoalPart, Proposal, Rewritten
from agenther.llm.models import Model
from agenther.stages.relabel.rewrite import rewrite
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Span, Trajectory, find_text

OLD = "Which ferries leave Sorvik before 9:00 on Sunday?"
NEW = 'How many piers in "Old Harbour" are longer than 120 metres?'
FOUND = '{"count": 4}'


def open_run(observation: str = FOUND, answer: str = "There are 4 piers.") -> Trajectory:
    """Return a run that counted piers although it was asked for ferries."""
    return make_trajectory(
        user(OLD),
        assistant("", tool_call("count_piers", area="Old Harbour", min_length=120)),
        tool(observation),
        assistant(answer),
    )


def open_goal(run: Trajectory, goal: str = NEW, quotes: Sequence[tuple[str, str]] = (), **changes: object) -> Proposal:
    """Return a goal as a model proposes it: each part of it with the characters of step 2 that it cites."""
    parts: list[GoalPart] = []
    for said, quote in quotes or (('"Old Harbour"', "Old Harbour"), ("120", "120"), ("How many piers", '"count": 4')):
        start = goal.index(said)
        parts.append(GoalPart(start=start, end=start + len(said), kind="cited", evidence=(cited(run, quote),)))
    claim = Claim(text="counted piers", kind="open.fact", evidence=tuple(s for part in parts for s in part.evidence))
    proposal = Proposal(
        goal=goal,
        strategy="final",
        domain="open",
        claims=(claim,),
        parts=tuple(parts),
        last_step=2,
        answer_step=3,
        useful_steps=(2, 3),
        answers=("4",),
        by="model:pilot",
        confidence=0.9,
    )
    return proposal.model_copy(update=changes)


def cited(run: Trajectory, quote: str) -> Span:
    """Return where step 2 holds a quote."""
    step = run.step(2)
    fields = [name for name, _ in step.fields() if name.startswith(("observations", "tool_calls"))]
    return next(span for field in fields if (span := find_text(step, field, quote)) is not None)


def proposed(run: Trajectory | None = None, **changes: object) -> Rewritten:
    """Return the run as it would be trained on for the proposed goal."""
    run = run or open_run()
    rewritten = rewrite(run, open_goal(run, **changes))  # type: ignore[arg-type]
    assert isinstance(rewritten, Rewritten)
    return rewritten


def model(name: str = "judge-a", served_as: str | None = None) -> Model:
    """Return a model that nobody serves."""
    return Model(name=name, served_as=served_as or name, endpoint="http://127.0.0.1:9/v1")
