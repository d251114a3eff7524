"""An invented task: a kitchen, asked for in two turns."""

from __future__ import annotations

from typing import Any

from validity_calls import Call, Task


def tool(name: str, required: list[str], **properties: str) -> dict[str, Any]:
    described = {one: {"type": kind} for one, kind in properties.items()}
    return {"name": name, "parameters": {"properties": described, "required": required}}


TOOLS = [
    tool("bake", ["dish", "minutes"], dish="string", minutes="integer", fan="boolean"),
    tool("freeze", ["dish", "days"], dish="string", days="integer"),
    tool("send_recipe", ["sender", "friend"], sender="string", friend="string"),
    tool("thank_friend", ["sender", "friend"], sender="string", friend="string"),
    tool("list_dishes", []),
]
TASK = Task(
    id="kitchen_1",
    question=("Bake the rye bread for 40 minutes with the fan.", "Send the recipe from Ada to Eve."),
    gold=(
        (Call("bake", {"dish": "rye_bread", "minutes": 40, "fan": True}),),
        (Call("list_dishes", {}), Call("send_recipe", {"sender": "Ada", "friend": "Eve"})),
    ),
    tools={one["name"]: one for one in TOOLS},
    classes=("Kitchen",),
    initial={},
)
OTHERS = (Call("bake", {"dish": "pear tart", "minutes": 25}), Call("freeze", {"dish": "stew", "days": 9}))
