"""An invented simulator, a greenhouse, and what its tools say of themselves."""

from __future__ import annotations

from typing import cast

from agenther.record import Json, JsonObject
from agenther.replay import Setting
from agenther.stages.verify.replay.perform import Performed, RecordedCall, replay_run
from agenther.testing.make import tool_schema

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
                raise RuntimeError("boom")
            case _:
                return {"error": f"nothing to {name}"}
        return {"ok": True}


def call(name: str, observation: str | None = None, /, **arguments: Json) -> RecordedCall:
    """Return a recorded call."""
    return RecordedCall(2, name, arguments, observation)


def perform(*calls: RecordedCall, gold: tuple[RecordedCall, ...] | None = None) -> Performed:
    """Replay calls in the greenhouse."""
    return replay_run(Greenhouse, SETTING, calls, gold=gold)
