"""Invented runs that make tasks: a tide table asked by tools, a shop in the browser, a service desk, a shelf in a simulator."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from agenther.conclusions import Claim, Detection, Example, Outcome, Score, Verdict
from agenther.config import Config
from agenther.messages import to_messages
from agenther.pipeline import relabel
from agenther.record import Json, JsonObject
from agenther.replay import Change, Replay, ReplayedCall, Setting
from agenther.stages.parts import rule_parts
from agenther.tasks.base import SetAside, Task
from agenther.tasks.derive import derive
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.testing.make import tool_schema
from agenther.trajectory import Span, Trajectory, find_text, whole_field

SAMPLES = Path(__file__).parents[2] / "examples" / "runs"
SITE = "http://kiln.example:7770"


def label(run: Trajectory) -> Example:
    """Return the one example that the rules make of a run."""
    config = Config()
    (example,) = asyncio.run(relabel(run, rule_parts(config), config)).examples
    return example


def task_of(run: Trajectory) -> Task:
    """Return the task that the rules' label of a run makes."""
    found = derive(label(run), run)
    assert isinstance(found, Task), found
    return found


def example_of(run: Trajectory, goal: str, domain: str, claim: Claim, **fields: Any) -> Example:
    """Return an accepted example of a whole run, as a proposer of another kind might have made it."""
    agent = run.agent_steps
    return Example(
        id="e1", trajectory_id=run.id, task_id=run.task_id, origin="hindsight", source=run.source, desired_goal=run.goal,
        hindsight_goal=goal, strategy="final", domain=domain, claims=(claim,), weight=1.0,
        detection=Detection(outcome=Outcome.FAILED, by="test"), messages=tuple(to_messages(run.steps, with_step=True)),
        verdict=fields.pop("verdict", Verdict(accepted=True, support=1.0, scores=())), tools="[]",
        train_on=tuple(step.step_id for step in agent), repairs=(), provenance={}, **fields,
    )  # fmt: skip


def page(path: str, title: str, *elements: str, site: str = SITE) -> str:
    head = f"URL: {site}{path}\nTitle: {title}\n\nRootWebArea '{title}', focused\n"
    return head + "\n".join(f"\t{line}" for line in elements)


def shop_run(
    last: str = "/glazes/ash-blue",
    site: str = SITE,
    goal: str = "Which kiln gets hot enough for porcelain by tomorrow night?",
) -> Trajectory:
    """Return a run that wandered to a page of a shop."""
    home = page("/", "Kiln and Clay", "[1] link 'Glazes'", site=site)
    glazes = page("/glazes", "Glazes - Kiln and Clay", "[9] heading 'Glazes'", "[10] link 'Ash Blue'", site=site)
    ash = page(last, "Ash Blue - Kiln and Clay", "[20] heading 'Ash Blue'", "StaticText '14.00 EUR'", site=site)
    made = make_trajectory(
        user(f"{goal}\n\n{home}"), assistant("", tool_call("click", bid="1")), tool(glazes),
        assistant("", tool_call("click", bid="10")), tool(ash), goal=goal,
    )  # fmt: skip
    start = len(goal) + 2
    shown = Span(step=1, field="message", start=start, end=start + len(home))
    return made.model_copy(update={"shown_at": (shown,)})


TIDES = tool_schema(
    "get_tide_times",
    "Get the times of high and low tide at a harbour on a given date.",
    harbour={"type": "string"},
    date={"type": "string"},
)


def tide_run(told: str = "High water is at 05:42, low water at 11:55.", **answer: Json) -> Trajectory:
    """Return a run that answered another question than it was asked."""
    document: JsonObject = {"harbour": "Skarvik", "date": "2026-05-14", "high": "05:42", "low": "11:55", **answer}
    return make_trajectory(
        user("Which ferry takes me and my bicycle to Skarvik before high tide on 2026-05-14, and what does the ticket cost?"),
        assistant("", tool_call("get_tide_times", harbour="Skarvik", date="2026-05-14")), tool(document), assistant(told),
        tools=(TIDES,),
    )  # fmt: skip


SHELF: JsonObject = {"shelf": {"a": 1, "b": 2}}


def shelf_example(run: Trajectory) -> Example:
    """Return an example whose replay was recorded."""
    steps = [step for step in run.agent_steps if step.tool_calls]
    calls = tuple(
        ReplayedCall(step=s.step_id, name=c.function_name, arguments=c.values, changed=c.function_name != "look")
        for s in steps
        for c in s.tool_calls
    )
    replay = Replay(
        setting=Setting(kind="shelf", initial=SHELF),
        calls=calls,
        oracle=tuple(place for place, call in enumerate(calls) if call.changed),
        changes=(Change(path="/shelf/a", how="replaced", before=1, after=5, call=1),),
    )
    score = Score(by="check:replay", value=1.0, replay=replay)
    claim = Claim(text="set a", kind="replay.effect", evidence=(whole_field(steps[-1], "tool_calls[0].arguments"),))
    verdict = Verdict(accepted=True, support=1.0, scores=(score,))
    return example_of(run, "Set a to 5.", "open", claim, verdict=verdict)


def shelf_run(**labels: Json) -> Trajectory:
    return make_trajectory(
        user("Set b to 9."), assistant("", tool_call("look")), tool("a 1, b 2"),
        assistant("", tool_call("put", place="a", value=5)), tool("done"), assistant("Done."),
        tools=(tool_schema("look"), tool_schema("put", place={"type": "string"}, value={"type": "integer"})), labels=labels,
    )  # fmt: skip


SHELF_CODE = '''
class Shelf:
    """A shelf whose places hold numbers."""
    def reset(self, config):
        self.state = config["shelf"]
        return self.state
    def call(self, name, arguments):
        if name == "look":
            return ", ".join(f"{k} {v}" for k, v in self.state.items())
        if name != "put":
            raise ValueError(name)
        self.state[arguments["place"]] = arguments["value"]
        return "done"
    def snapshot(self):
        return self.state
'''


def install(folder: Path, name: str, code: str) -> None:
    """Put a module into a folder as an installed package whose class is an environment."""
    info = folder / f"{name.lower()}_sim-0.1.dist-info"
    info.mkdir(parents=True)
    (folder / f"{name.lower()}_sim.py").write_text(code)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.lower()}-sim\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[agenther.environments]\n{name.lower()} = {name.lower()}_sim:{name}\n")


def desk_run(**labels: Json) -> Trajectory:
    """Return a dialogue in which a service desk cancelled an order; the goal was a simulated user's script."""
    return make_trajectory(
        user("Hello, please cancel order W77, it was ordered by mistake."),
        assistant("", tool_call("get_order", order_id="W77")),
        tool({"order_id": "W77", "status": "pending", "items": [{"name": "Wheel", "price": 64.5}]}),
        assistant("Order W77 is pending. Shall I cancel it, as it was ordered by mistake?"),
        user("Yes."),
        assistant("", tool_call("cancel_order", "call_2", order_id="W77", reason="ordered by mistake")),
        tool({"order_id": "W77", "status": "cancelled"}, "call_2"),
        assistant("Order W77 has been cancelled."),
        goal="You want to return two wheels and keep the kiln.", goal_holder="simulated_user", labels=labels,
        tools=(
            tool_schema("get_order", order_id={"type": "string"}),
            tool_schema("cancel_order", order_id={"type": "string"}, reason={"type": "string"}),
            tool_schema("refund_order", order_id={"type": "string"}),
        ),
    )  # fmt: skip


def desk_example(run: Trajectory) -> Example:
    step = next(s for s in run.agent_steps if s.tool_calls and s.tool_calls[0].function_name == "cancel_order")
    at = find_text(step, "tool_calls[0].arguments", step.tool_calls[0].arguments)
    assert at is not None
    claim = Claim(text="cancel_order took effect", kind="dialogue.effect", evidence=(at,))
    return example_of(run, "Cancel order W77; it was ordered by mistake.", "dialogue", claim)


def aside(found: Task | SetAside) -> SetAside:
    assert isinstance(found, SetAside)
    return found
