"""A kitchen that was never cooked in: goals beside calls, and what is wrong with either."""

from __future__ import annotations

import pytest

from agenther.conclusions import Reason
from agenther.record import Json, JsonObject
from agenther.replay import Replay, ReplayedCall, Setting
from agenther.stages.verify.replay.asked.reading import Reading
from agenther.stages.verify.replay.perform import Performed
from agenther.testing import tool_schema

Seen = tuple[str, JsonObject, Json, bool]
"""A call: name, arguments, what came back, whether it changed something."""

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
TOOLS = (
    tool_schema("find_recipe", "Find the recipe of a dish.", dish={"type": "string", "description": "Name of the dish."}),
    tool_schema("list_recipes", "List the recipes in the book."),
    tool_schema(
        "send_recipe", "Send a recipe to a friend.", recipe_id={"type": "integer"}, friend=TEXT
    ),
    tool_schema("rename_recipe", "Rename a recipe.", old_title=TEXT, new_title=TEXT),
    tool_schema("delete_recipe", "Delete a recipe from the book.", title=TEXT),
    tool_schema("heat_oven", "Heat the oven.", degrees={**NUMBER, "description": "Degrees in celsius."}),
    tool_schema("show_oven", "Show the state of the oven.", detailed={"type": "boolean", "description": "Show rack details."}),
)  # fmt: skip
FOUND: Seen = ("find_recipe", {"dish": "rye bread"}, '{"recipe_id": 12}', False)
SENT: Seen = ("send_recipe", {"recipe_id": 12, "friend": "Ada"}, '{"ok": true}', True)
HEATED: Seen = ("heat_oven", {"degrees": 220}, '{"ok": true}', True)
RENAMED: Seen = ("rename_recipe", {"old_title": "Old Loaf", "new_title": "Best Loaf"}, '{"ok": true}', True)


def performed(*calls: Seen, needed_for: dict[int, frozenset[int]] | None = None) -> Performed:
    made = tuple(ReplayedCall(step=n, name=c[0], arguments=c[1], changed=c[3]) for n, c in enumerate(calls, start=2))
    oracle = tuple(n for n, c in enumerate(calls) if c[3])
    replay = Replay(setting=Setting(kind="kitchen"), calls=made, oracle=oracle, changes=())
    state = {"book": {"recipes": {"stew": 3}}}
    return Performed(replay, tuple(str(c[2]) for c in calls), state, state, tuple(() for _ in calls), needed_for or {})


def refusal(goal: str, *calls: Seen) -> Reason | None:
    found = Reading(goal, performed(*calls), TOOLS).refusal()
    return None if found is None else found.reason


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ("Could you send the recipe of 'rye bread' to Ada?", (FOUND, SENT)),
        ("Please heat the oven to 220 degrees.", (HEATED,)),
        ("Rename the recipe 'Old Loaf' to 'Best Loaf'.", (RENAMED,)),
        ("List the recipes in my book, please.", (("list_recipes", {}, '["stew"]', False),)),
        ("Please heat the oven to 220 degrees.", (("list_recipes", {}, '["stew"]', False), HEATED)),
    ],
)
def test_what_was_asked_and_done_stands(goal: str, calls: tuple[Seen, ...]) -> None:
    assert refusal(goal, *calls) is None


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ("Could you send the recipe of 'rye bread' to Ada?", (FOUND,)),
        ("Could you send the recipe of 'rye bread' to Ada?", (SENT,)),
        ("Could you send the recipe of 'rye bread' to Eve?", (FOUND, SENT)),
        ("Could you send the recipe of 'rye cakes' to Ada?", (FOUND, SENT)),
        ("Please heat the oven to 22 degrees.", (HEATED,)),
        ("Please heat the oven to 220 fahrenheit.", (HEATED,)),
        ("Please heat the oven to 220 degrees.", (HEATED, RENAMED)),
        ("Please heat the oven to 220 degrees.", (HEATED, HEATED)),
        ("Please heat the oven to 220 degrees. Then delete the recipe 'Old Loaf'.", (HEATED,)),
        ("Please heat the oven to 220 degrees and list the recipes.", (HEATED,)),
        ("Rename the recipe 'Best Loaf' to 'Old Loaf'.", (RENAMED,)),
        ("Delete the recipes 'Old Loaf' and 'Best Loaf'.", (RENAMED,)),
        ("Show the state of the oven with rack details.", (("show_oven", {}, '{"on": true}', False),)),
        ("Find the recipe of the stew.", (("find_recipe", {"dish": "stew"}, '{"error": "no such recipe"}', False),)),
        ("Find the recipe of the stew.", (("find_recipe", {"dish": "stew"}, '{"recipe_id": "not found"}', False),)),
        ("Heat the oven to 220 degrees for the stew.", (HEATED,)),
    ],
)
def test_what_differs_is_refused(goal: str, calls: tuple[Seen, ...]) -> None:
    assert refusal(goal, *calls) is not None


def test_a_change_that_another_needs_is_its_means() -> None:
    lit: Seen = ("light_gas", {}, '{"ok": true}', True)
    goal = "Please heat the oven to 220 degrees."
    assert Reading(goal, performed(lit, HEATED), TOOLS).refusal() is not None
    assert Reading(goal, performed(lit, HEATED, needed_for={0: frozenset({1})}), TOOLS).refusal() is None


def test_each_turn_has_calls_of_its_own() -> None:
    one, two = "Find the recipe of 'rye bread'.", "Send that recipe to Ada."
    found, sent = performed(FOUND, SENT), ((1, one), (2, two))
    assert Reading(f"{one}\n{two}", found, TOOLS, turns=sent).refusal() is None
    late = ((1, one), (3, two))
    assert Reading(f"{one}\n{two}", found, TOOLS, turns=late).refusal() is not None


def test_what_cannot_be_read_is_counted_apart() -> None:
    goal = "Please heat the oven to 220 degrees and marinate."
    assert refusal(goal + " Marinate the stew.", HEATED) in (Reason.UNSCORED, Reason.NOT_TRUE)
