"""Invented runs of a household game, in the three forms in which agents act."""

from __future__ import annotations

import asyncio

import orjson

from agenther.conclusions import Proposal, Refusal, Result, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.extract.household import claims
from agenther.stages.parts import rule_parts
from agenther.stages.relabel.household import compose
from agenther.stages.relabel.rewrite import rewrite
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory

ROOM = "You see a bench 1, a crate 2, a crate 1, a locker 1, a sinkbasin 1, and a stove 1.\nYour task is to: "
OLD = "put two lantern in locker"
SEARCH = """\
for spot in ["bench 1", "crate 1", "crate 2"]:
    seen = goto(spot)
    print(seen)
    if "lantern" in seen:
        print(f"There is a lantern at {spot}.")
        break
"""
FOUND = "On the bench 1, you see a flask 1, and a wrench 2.\nOn the crate 1, you see a lantern 3.\nThere is a lantern at crate 1."
STORE = 'print(take_from("lantern 3", "crate 1"))\nprint(goto("locker 1"))\nprint(put("lantern 3", "locker 1"))'
STORED = """\
You pick up the lantern 3 from the crate 1.
The locker 1 is open. In it, you see a rope 1.
You put the lantern 3 in/on the locker 1."""


def code_step(number: int, thought: str, code: str, answer: str) -> Step:
    """Return a turn of an agent that writes tagged Python."""
    head = f"<thought>{thought}</thought>\n<execute>\n"
    call = ToolCall(
        tool_call_id=f"c{number}",
        function_name="python",
        arguments=orjson.dumps({"code": code}).decode(),
        at=(len(head), len(head) + len(code)),
    )
    return Step(
        step_id=number,
        source="agent",
        message=f"{head}{code}\n</execute>",
        thought_at=((9, 9 + len(thought)),),
        tool_calls=(call,),
        observations=(Observation(content=answer, source_call_id=call.tool_call_id, role="user"),),
    )


def call_step(number: int, answer: str, name: str, **arguments: str) -> Step:
    """Return a turn with one structured call."""
    call = ToolCall(tool_call_id=f"c{number}", function_name=name, arguments=orjson.dumps(arguments).decode())
    observed = Observation(content=answer, source_call_id=call.tool_call_id)
    return Step(step_id=number, source="agent", tool_calls=(call,), observations=(observed,))


def text_step(number: int, command: str, answer: str) -> Step:
    """Return a turn with a command typed as plain text."""
    return Step(
        step_id=number, source="agent", message=command, observations=(Observation(content=answer, role="user"),)
    )


def run(*steps: Step, goal: str = OLD) -> Trajectory:
    """Return a failed run of these agent steps, numbered from 2."""
    first = Step(step_id=1, source="user", message=f"{ROOM}{goal}.")
    return Trajectory(
        id="game/1",
        source=Source(path="games.jsonl", format="mint", index=0),
        goal=goal,
        goal_at=(Span(step=1, field="message", start=len(ROOM), end=len(ROOM) + len(goal)),),
        answer_by="action",
        steps=(first, *steps),
        success=False,
        label_source="test",
    )


def in_code(
    *,
    search: str = SEARCH,
    found: str = FOUND,
    store: str = STORE,
    stored: str = STORED,
    goal: str = OLD,
    thought: str = "",
) -> Trajectory:
    """Return a run that searches in one program and stores a lantern in the next."""
    plan = thought or "I need to find the first lantern. Lanterns may lie in a crate."
    return run(code_step(2, plan, search, found), code_step(3, "Now I store it.", store, stored), goal=goal)


def proposals(trajectory: Trajectory) -> list[Proposal]:
    """Return the goals composed for a run."""
    return [p for p in compose(trajectory, tuple(claims(trajectory))) if isinstance(p, Proposal)]


def refusals(trajectory: Trajectory) -> list[Refusal]:
    """Return why claims of a run gave no goal."""
    return [p for p in compose(trajectory, tuple(claims(trajectory))) if isinstance(p, Refusal)]


def rewritten(trajectory: Trajectory, **changes: object) -> Rewritten:
    """Return the run as it would be trained on for its last goal."""
    made = rewrite(trajectory, proposals(trajectory)[-1].model_copy(update=changes))
    assert isinstance(made, Rewritten), made
    return made


def relabeled(trajectory: Trajectory) -> Result:
    """Put a run through the whole pipeline."""
    config = Config(domains=("household",))
    return asyncio.run(relabel(trajectory, rule_parts(config), config))
