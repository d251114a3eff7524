"""An invented simulator, a greenhouse, and what its tools say of themselves."""

from __future__ import annotations

from typing import cast

import orjson

from agenther.conclusions import Claim, GoalPart, Proposal, Rewritten
from agenther.environments.base import MakeEnvironment, setting_of
from agenther.errors import ReplayError
from agenther.record import Json, JsonObject
from agenther.replay import Setting
from agenther.stages.relabel.rewrite import rewrite
from agenther.stages.verify.replay.perform import Performed, RecordedCall, replay_run
from agenther.testing import assistant, make_trajectory, tool, tool_call, tool_schema, user
from agenther.trajectory import Span, Trajectory

TOOLS: tuple[JsonObject, ...] = (
    tool_schema(
        "open_valve", "Open the valve of a bed. It must be open before the bed can be watered.", bed={"type": "string"}
    ),
    tool_schema("water_bed", "Water a bed with an amount of water.", bed={"type": "string"}, litres={"type": "number"}),
    tool_schema("plant_seed", "Plant seeds of a kind in a bed.", bed={"type": "string"}, kind={"type": "string"}),
    tool_schema("remove_plant", "Remove a plant from a bed.", bed={"type": "string"}, kind={"type": "string"}),
    tool_schema(
        "order_seeds", "Order bags of seeds from the nursery.", kind={"type": "string"}, bags={"type": "integer"}
    ),
    tool_schema("cancel_delivery", "Cancel the delivery of bags.", number={"type": "integer"}),
    tool_schema("read_sensor", "Read how moist the soil of a bed is.", bed={"type": "string"}),
    tool_schema(
        "move_plant",
        "Move a plant to another bed.",
        kind={"type": "string"},
        source={"type": "string"},
        target={"type": "string"},
    ),
)
INITIAL: JsonObject = {
    "beds": {
        "north": {"plants": ["basil", "mint"], "moisture": 20, "valve": "shut"},
        "south": {"plants": ["thyme"], "moisture": 35, "valve": "shut"},
    },
    "deliveries": {"40": {"kind": "sage", "bags": 2}},
    "next": 41,
}
SETTING = Setting(kind="greenhouse", initial=INITIAL)


class Greenhouse:
    """Beds with plants and valves, and deliveries of seeds."""

    def __init__(self) -> None:
        self._state: JsonObject = {}

    def reset(self, config: JsonObject) -> Json:
        self._state = config
        return self._state

    def snapshot(self) -> Json:
        return self._state

    def call(self, name: str, arguments: JsonObject) -> Json:
        beds = cast(dict[str, JsonObject], self._state["beds"])
        bed = beds.get(str(arguments.get("bed", arguments.get("source"))), {})
        plants = cast(list[Json], bed.get("plants", []))
        deliveries = cast(JsonObject, self._state["deliveries"])
        kind = arguments.get("kind")
        match name:
            case "open_valve":
                bed["valve"] = "open"
            case "water_bed" if bed.get("valve") != "open":
                return {"error": "the valve is shut"}
            case "water_bed":
                bed["moisture"] = cast(int, bed["moisture"]) + cast(int, arguments["litres"])
            case "plant_seed":
                plants.append(kind)
            case "remove_plant" if kind in plants:
                plants.remove(kind)
            case "move_plant" if kind in plants:
                plants.remove(kind)
                cast(list[Json], beds[str(arguments["target"])]["plants"]).append(kind)
            case "order_seeds":
                number = cast(int, self._state["next"])
                deliveries[str(number)] = {"kind": kind, "bags": arguments["bags"]}
                self._state["next"] = number + 1
                return {"number": number}
            case "cancel_delivery":
                if deliveries.pop(str(arguments["number"]), None) is None:
                    return {"error": "no such delivery"}
            case "read_sensor":
                return {"moisture": bed["moisture"]}
            case "explode":
                raise ReplayError("boom")
            case _:
                return {"error": f"nothing to {name}"}
        return {"ok": True}


def call(name: str, observation: str | None = None, /, **arguments: Json) -> RecordedCall:
    """Return a recorded call."""
    return RecordedCall(2, name, arguments, observation)


def perform(*calls: RecordedCall, gold: tuple[RecordedCall, ...] | None = None) -> Performed:
    """Replay calls in the greenhouse."""
    return replay_run(Greenhouse, SETTING, calls, gold=gold)


OLD = "Plant sage in the south bed, water it with 9 litres, and tell me what else grows there."
NEW = "Water the north bed with 5 litres."


def watered(**fields: object) -> Trajectory:
    """Return a run that watered the other bed with another amount, and looked at it first."""
    settings: dict[str, object] = {
        "tools": TOOLS,
        "labels": {"environment": SETTING.model_dump(mode="json")},
        "task_id": "greenhouse/1",
    }
    return make_trajectory(
        user(OLD),
        assistant("", tool_call("read_sensor", bed="north")),
        tool({"moisture": 20}),
        assistant("", tool_call("open_valve", "call_2", bed="north")),
        tool({"ok": True}, "call_2"),
        assistant("", tool_call("water_bed", "call_3", bed="north", litres=5)),
        tool({"ok": True}, "call_3"),
        assistant("The bed is watered."),
        **settings | fields,
    )


def goal_for(run: Trajectory, goal: str = NEW, **changes: object) -> Proposal:
    """Return a goal that a model proposes for the watering."""
    step = run.step(4)
    spans = tuple(Span(step=4, field=field, start=0, end=len(text)) for field, text in step.fields() if text)
    return Proposal(
        goal=goal,
        strategy="final",
        domain="open",
        claims=(Claim(text="watered a bed", kind="open.effect", evidence=spans),),
        parts=(GoalPart(start=0, end=len(goal), kind="cited", evidence=spans),),
        last_step=5,
        useful_steps=(2, 3, 4, 5),
        effect=True,
        by="model:pilot",
    ).model_copy(update=changes)


def label(run: Trajectory | None = None, goal: str = NEW, **changes: object) -> Rewritten:
    """Return the run as it would be trained on for a goal."""
    run = run or watered()
    rewritten = rewrite(run, goal_for(run, goal, **changes))
    assert isinstance(rewritten, Rewritten), rewritten
    return rewritten


def with_step(run: Trajectory, step_id: int, **changes: object) -> Trajectory:
    """Return the run with one step recorded otherwise."""
    steps = (step.model_copy(update=changes) if step.step_id == step_id else step for step in run.steps)
    return run.model_copy(update={"steps": tuple(steps)})


def with_call(run: Trajectory, step_id: int, **arguments: Json) -> Trajectory:
    """Return the run with other arguments of a step's call."""
    call = run.step(step_id).tool_calls[0].model_copy(update={"arguments": orjson.dumps(arguments).decode()})
    return with_step(run, step_id, tool_calls=(call,))


def in_greenhouse(run: Trajectory) -> tuple[Setting, MakeEnvironment] | None:
    """Find the environment of a run."""
    setting = setting_of(run)
    return None if setting is None else (setting, Greenhouse)
