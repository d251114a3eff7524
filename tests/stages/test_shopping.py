from __future__ import annotations

import asyncio

import pytest
from tests.stages.shopping_runs import (
    BUY,
    CANDLE,
    GOOD,
    NUMBER,
    OLD,
    OPEN,
    OTHER,
    PAGE,
    RESULTS,
    START,
    TITLE,
    browser,
    choose,
    click,
    proposal,
    proposals,
    rewritten,
    search,
    tools,
)

from agenther.conclusions import Reason, Refusal, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import Json
from agenther.stages.extract.shopping import purchases
from agenther.stages.parts import rule_parts
from agenther.stages.verify.rules import COMMON, checks_of
from agenther.stages.verify.shopping import check_differs, check_order, check_pages, check_sought
from agenther.trajectory import Trajectory

WANTED = "i need a canvas folding camping lantern, in color sand and size large, and price lower than 40.00 dollars"
SEARCH = search("canvas camping lantern")
CHOICES = (choose("sand"), choose("large"))
TEAPOT: dict[str, Json] = {
    "id": "T1",
    "title": "Hagen Enamel Teapot with Bamboo Handle",
    "price": 34.9,
    "options": {"color": ["teal", "cream"], "size": ["1 l", "2 l"]},
}
LISTING: dict[str, Json] = {"results": [TEAPOT, {"id": "T2", "title": "Clay Mug", "price": 9}]}
TEAPOT_GOAL = "Please buy me a red enamel teapot with a strainer, under $30"


def reason(made: object) -> Reason:
    assert isinstance(made, Refusal), made
    return made.reason


def votes(made: Rewritten) -> dict[str, float | None]:
    return {score.by: score.value for check in (*COMMON, *checks_of("shopping")) if (score := check(made)) is not None}


def test_a_purchase_becomes_the_goal() -> None:
    made = proposal(GOOD)
    assert made.goal == WANTED
    assert made.effect
    assert made.last_step == 6
    assert made.useful_steps == (2, 3, 4, 5, 6)
    told = {made.goal[p.start : p.end]: [GOOD.text_at(span) for span in p.evidence] for p in made.parts}
    assert told["folding camping lantern"] == ["Folding Camping Lantern"]
    assert told["color sand"] == ["sand", "sand"]
    assert told["40.00"] == ["Price: $23.5 to $31.0"]


def test_every_check_passes_on_an_honest_purchase() -> None:
    assert set(votes(rewritten(GOOD)).values()) == {1.0}


def test_the_new_goal_stands_on_every_page_that_repeats_the_old_one() -> None:
    run = browser(search("lamp"), click("Back to Search", START), SEARCH, OPEN, *CHOICES, BUY)
    made = rewritten(run)
    assert all(OLD not in text for step in made.steps for _, text in step.fields())
    assert [step.step_id for step in made.steps] == [1, 4, 5, 6, 7, 8]


def test_refused_clicks_and_repeated_choices_are_left_out() -> None:
    run = browser(SEARCH, OPEN, click("beige", "Invalid action!"), *CHOICES, choose("sand"), BUY)
    made = proposal(run)
    assert made.goal == WANTED
    assert {4} <= set(made.drop_steps)


def test_a_look_at_another_product_is_left_out_when_the_pages_still_follow() -> None:
    run = browser(SEARCH, click(OTHER, CANDLE), click("< Prev", RESULTS), OPEN, *CHOICES, BUY)
    assert proposal(run).drop_steps == (3, 4)
    changed = RESULTS.replace("Total results: 50", "Total results: 49")
    run = browser(SEARCH, click(OTHER, CANDLE), click("< Prev", changed), OPEN, *CHOICES, BUY)
    assert proposal(run).drop_steps == ()
    assert proposal(run).mask_steps == (3,)


def test_an_earlier_choice_of_the_same_group_is_kept_without_loss() -> None:
    run = browser(SEARCH, OPEN, choose("moss green"), *CHOICES, BUY)
    assert proposal(run).goal == WANTED
    assert proposal(run).mask_steps == (4,)


@pytest.mark.parametrize(
    "run",
    [
        browser(SEARCH, OPEN, *CHOICES),
        browser(SEARCH, OPEN, *CHOICES, BUY, bought=False),
        browser(SEARCH, OPEN, *CHOICES, click("Buy Now", "Invalid action!")),
        browser(SEARCH, BUY),
        browser(SEARCH, OPEN, click("Back to Search", START), BUY),
    ],
)
def test_no_purchase_no_goal(run: Trajectory) -> None:
    assert list(purchases(run)) == []


def test_a_search_for_something_else_is_refused_or_carries_no_loss() -> None:
    run = browser(search("brass camping lantern"), OPEN, *CHOICES, BUY)
    assert reason(proposals(run)[0]) is Reason.STILL_SPEAKS_OF_OLD_GOAL
    made = rewritten(run, any_search=True)
    assert made.proposal.domain == "shopping-any-search"
    assert 2 not in made.train_on
    assert set(votes(made).values()) == {1.0}


def test_both_domains_together_give_one_label() -> None:
    config = Config(domains=("shopping", "shopping-any-search"))
    result = asyncio.run(relabel(GOOD, rule_parts(config), config))
    assert [(e.domain, e.hindsight_goal) for e in result.examples] == [("shopping", WANTED)]


def test_a_product_bought_by_chance_is_refused() -> None:
    run = browser(search("waterproof brass hook lamp"), OPEN, *CHOICES, BUY)
    assert reason(proposals(run, any_search=True)[0]) is Reason.BY_CHANCE


@pytest.mark.parametrize(
    "title", ["XR-200 PLIX QUOR 9000", "Buy Now Top Sale Lantern Lamp Light Torch Camp Gear Home Tool Bag"]
)
def test_a_title_that_cannot_be_spoken_is_refused(title: str) -> None:
    page = PAGE.replace(TITLE, title)
    listing = (SEARCH[0], "lantern lamp", RESULTS.replace(TITLE, title))
    run = browser(listing, click(NUMBER, page), BUY)
    assert reason(proposals(run, any_search=True)[0]) in (Reason.UNNATURAL, Reason.BY_CHANCE)


@pytest.mark.parametrize("value", ["qx417", "tone-7=x", "a b c d e f g h i j"])
def test_an_option_that_cannot_be_spoken_is_refused(value: str) -> None:
    run = browser(SEARCH, click(NUMBER, PAGE.replace("[sand]", f"[{value}]")), choose(value), BUY)
    assert reason(proposals(run)[0]) is Reason.UNNATURAL


def test_a_vague_request_is_refused() -> None:
    title = "Ostrava Camping Lantern"
    run = browser((SEARCH[0], "camping lantern", RESULTS), click(NUMBER, PAGE.replace(TITLE, title)), BUY)
    assert reason(proposals(run)[0]) is Reason.UNNATURAL


def test_tampered_purchases_do_not_pass() -> None:
    made = rewritten(GOOD)
    unsold = made.model_copy(update={"trajectory": browser(SEARCH, OPEN, *CHOICES, BUY, bought=False)})
    assert check_order(unsold).reason is Reason.EVIDENCE_FAILED
    refused = browser(SEARCH, OPEN, click("sand", "Invalid action!"), choose("large"), BUY)
    assert check_order(made.model_copy(update={"trajectory": refused})).reason is Reason.EVIDENCE_FAILED
    dearer = browser(SEARCH, click(NUMBER, PAGE.replace("$31.0", "$310.0")), *CHOICES, BUY)
    assert check_order(made.model_copy(update={"trajectory": dearer})).reason is Reason.EVIDENCE_FAILED
    cut = made.model_copy(update={"steps": made.steps[:-1]})
    assert check_order(cut).reason is Reason.EVIDENCE_FAILED


def test_a_click_on_what_the_page_does_not_show_does_not_pass() -> None:
    made = rewritten(GOOD)
    assert check_pages(made).value == 1.0
    skipped = made.model_copy(update={"steps": tuple(s for s in made.steps if s.step_id != 3)})
    assert check_pages(skipped).reason is Reason.NOT_TRUE


def test_a_trained_search_for_something_else_does_not_pass() -> None:
    made = rewritten(browser(search("brass camping lantern"), OPEN, *CHOICES, BUY), any_search=True)
    assert check_sought(made).value == 1.0
    trained = made.model_copy(update={"train_on": (2, *made.train_on)})
    assert check_sought(trained).reason is Reason.STILL_SPEAKS_OF_OLD_GOAL


def test_a_goal_near_the_old_one_does_not_pass() -> None:
    def with_goal(goal: str) -> Rewritten:
        made = rewritten(GOOD)
        return made.model_copy(update={"trajectory": made.trajectory.model_copy(update={"goal": goal})})

    met = with_goal("i want a folding camping lantern in sand, and price lower than 50.00 dollars")
    assert check_differs(met).reason is Reason.PROBABLY_SUCCEEDED
    worded = with_goal(
        "i want a large sand canvas folding camping lantern with a compass, and price lower than 50.00 dollars"
    )
    assert check_differs(worded).reason is Reason.REWORDING
    too_dear = with_goal("i want a folding camping lantern, and price lower than 20.00 dollars")
    assert check_differs(too_dear).value == 1.0


def test_a_shop_of_tools() -> None:
    run = tools(
        ("search_products", {"query": "enamel teapot"}, LISTING),
        ("get_product", {"product_id": "T2"}, {"id": "T2", "title": "Clay Mug", "price": 9}),
        ("open_product", {"product_id": "T1"}, TEAPOT),
        ("select_option", {"option": "color", "value": "cream"}, {"ok": True, "selected": "cream"}),
        ("buy", {"product_id": "T1"}, {"status": "success", "order_id": "A-17"}),
        goal=TEAPOT_GOAL,
    )
    made = proposal(run)
    assert made.goal == "Please buy me an enamel teapot with bamboo handle, in cream, under $40"
    assert (made.drop_steps, made.last_step) == ((3,), 6)
    assert set(votes(rewritten(run)).values()) == {1.0}


def test_an_order_of_what_lies_in_the_cart() -> None:
    steps: list[tuple[str, dict[str, Json], Json]] = [
        ("search_products", {"query": "enamel teapot"}, LISTING),
        ("open_product", {"product_id": "T1"}, TEAPOT),
        (
            "add_to_cart",
            {"product_id": "T1", "options": {"color": "cream"}},
            {"cart": [{"id": "T1", "name": "Teapot"}]},
        ),
        ("checkout", {}, {"order_id": "A-17"}),
    ]
    made = proposal(tools(*steps, goal=TEAPOT_GOAL))
    assert made.goal.endswith("in cream, under $40")
    assert made.useful_steps == (2, 3, 4, 5)
    mug: tuple[str, dict[str, Json], Json] = (
        "view_item",
        {"product_id": "T2"},
        {"id": "T2", "title": "Clay Mug", "price": 9},
    )
    two = tools(*steps[:3], mug, ("add_to_cart", {"product_id": "T2"}, {"ok": True}), steps[3], goal=TEAPOT_GOAL)
    assert list(purchases(two)) == []


@pytest.mark.parametrize(
    ("order", "answer"),
    [({"product_id": "T2"}, {"order_id": "A-17"}), ({"product_id": "T1"}, {"error": "payment refused"})],
)
def test_an_order_that_failed_or_names_another_product_is_none(order: dict[str, Json], answer: Json) -> None:
    run = tools(("open_product", {"product_id": "T1"}, TEAPOT), ("buy", order, answer), goal=TEAPOT_GOAL)
    assert list(purchases(run)) == []


def test_what_the_choice_makes_untrue_is_not_said() -> None:
    title = "Ostrava Blue Wavy Paper Camping Lantern with Carry Handle"
    page = PAGE.replace(TITLE, title).replace("[sand]", "[sand straight]")
    run = browser((SEARCH[0], "paper camping lantern", RESULTS), click(NUMBER, page), choose("sand straight"), BUY)
    assert proposal(run).goal.startswith("i need a paper camping lantern, in color sand straight,")
