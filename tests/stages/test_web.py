"""Web sites from the run to the verdict, on an invented shop."""

import asyncio
from typing import Any

import pytest

from agenther.conclusions import Reason, Result
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.language.web import pages_of, visits
from agenther.stages.parts import rule_parts
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Span, Trajectory

SITE = "http://kiln.example"


def page(path: str, title: str, *elements: str, error: str = "") -> str:
    head = f"URL: {SITE}{path}\nTitle: {title}\n" + (f"Error: {error}\n" if error else "")
    return head + f"\nRootWebArea '{title}', focused\n" + "\n".join(f"\t{line}" for line in elements)


HOME = page(
    "/", "Kiln and Clay", "[1] link 'Glazes'", "[2] searchbox 'Search'", "[3] button 'Go'", "[4] link 'Request a Seat'"
)
GLAZES = page(
    "/glazes", "Glazes - Kiln and Clay", "[9] heading 'Glazes'", "[10] link 'Ash Blue'", "[11] button 'Add to Cart'"
)
ASH = page("/glazes/ash-blue", "Ash Blue - Kiln and Clay", "[20] heading 'Ash Blue'", "StaticText '14.00 EUR'")
FOUND = page(
    "/search?q=ash+blue", "Results - Kiln and Clay", "[30] heading 'Results for ash blue'", "[31] link 'Ash Blue'"
)
SIGN_UP = page(
    "/seats/new", "Seat Request - Kiln and Clay", "[39] textbox 'Find'", "[38] button 'Go'", "[40] heading 'Seat Request'",
    "[41] textbox 'Your Name *'",
    "[42] textbox 'Seats'", "[43] button 'Send Request'", "[44] checkbox 'Newsletter'",
)  # fmt: skip
SENT = page(
    "/seats/new",
    "Seat Request - Kiln and Clay",
    "[40] heading 'Seat Request'",
    "[50] status 'Your request was sent.'",
)
GOAL = "How much cheaper is the largest bucket of celadon than two small ones, shipping to Norway included?"


def run(*turns: JsonObject, goal: str = GOAL, first: str = HOME, **fields: Any) -> Trajectory:
    made = make_trajectory(user(f"{goal}\n\n{first}"), *turns, goal=goal, **fields)
    start = len(goal) + 2
    shown = Span(step=1, field="message", start=start, end=start + len(first))
    return made.model_copy(update={"shown_at": (shown,)})


def conclude(trajectory: Trajectory) -> Result:
    config = Config()
    return asyncio.run(relabel(trajectory, rule_parts(config), config))


def act(after: str, name: str, **arguments: Any) -> tuple[JsonObject, JsonObject]:
    return assistant("", tool_call(name, **arguments)), tool(after)


def goals(result: Result) -> list[str]:
    return [example.hindsight_goal for example in result.examples]


def reasons(result: Result) -> set[Reason]:
    found = {attempt.refusal.reason for attempt in result.attempts if attempt.refusal is not None}
    return found | ({result.drop.reason} if result.drop is not None else set())


OPENED = (*act(GLAZES, "click", bid="1"), *act(ASH, "click", bid="10"))
SEARCHED = (*act(HOME, "fill", bid="2", value="ash blue"), *act(FOUND, "click", bid="3"), *act(ASH, "click", bid="31"))
FILLED = (
    *act(SIGN_UP, "click", bid="4"),
    *act(SIGN_UP, "fill", bid="41", value="Runa Vik"),
    *act(SIGN_UP, "fill", bid="42", value="3"),
    *act(SENT, "click", bid="43"),
)


def test_the_last_page_is_a_goal() -> None:
    assert goals(conclude(run(*OPENED))) == ['Open the page "Ash Blue".']


def test_a_search_and_what_was_opened_from_it() -> None:
    assert goals(conclude(run(*SEARCHED))) == ['Search for "ash blue" and open the page "Ash Blue".']


def test_a_form_that_was_sent() -> None:
    (goal,) = goals(conclude(run(*FILLED)))
    assert (
        goal == 'On the page "Seat Request" set "Your Name" to "Runa Vik" and "Seats" to "3" and press "Send Request".'
    )


def test_the_example_holds_the_new_goal_before_the_first_page() -> None:
    (example,) = conclude(run(*OPENED)).examples
    first = example.messages[0]["content"]
    assert isinstance(first, str)
    assert first.startswith('Open the page "Ash Blue".\n\nURL: ')


def test_wanderings_carry_no_loss() -> None:
    turns = (*act(FOUND, "goto", url=f"{SITE}/search?q=x"), *act(HOME, "go_back"), *OPENED)
    (example,) = conclude(run(*turns)).examples
    assert set(example.train_on) == {4, 5}


@pytest.mark.parametrize(
    ("turns", "reason"),
    [
        ((*FILLED[:4], *act(SIGN_UP, "fill", bid="39", value="mugs"), *FILLED[4:]), Reason.AMBIGUOUS),
        ((*act(GLAZES, "click", bid="1"), *act(GLAZES, "click", bid="11"), *act(ASH, "click", bid="10")), Reason.SIDE_EFFECT),
        (act(GLAZES, "click", bid="1"), Reason.TRIVIAL),
        ((*act(GLAZES, "click", bid="1"), *act(ASH, "go_back")), None),
        ((*act(GLAZES, "click", bid="1"), *act(page("/x", "404 Not Found", "heading '404 Not Found'"), "click", bid="10")), None),
        ((*act(GLAZES, "click", bid="1"), *act(page("/x", "Ash", "heading 'Else'"), "click", bid="10")), None),
        ((*OPENED[:2], *act(page("/glazes/ash", "Ash Blue", "heading 'Ash Blue'", error="timeout"), "click", bid="10")), None),
        ((*FILLED[:4], *act(SIGN_UP, "click", bid="44"), *FILLED[4:]), Reason.SIDE_EFFECT),
        ((*FILLED[:6], *act(SIGN_UP, "fill", bid="41", value="Else"), *FILLED[6:]), Reason.SIDE_EFFECT),
        ((*FILLED[:4], *act(SIGN_UP, "click", bid="43"), *FILLED[2:]), Reason.SIDE_EFFECT),
        ((*FILLED[:6], *act(page("/seats/new", "Seat Request", "alert 'Seats is required'"), "click", bid="43")), None),
    ],
)  # fmt: skip
def test_refusals(turns: tuple[JsonObject, ...], reason: Reason | None) -> None:
    result = conclude(run(*turns))
    assert not result.examples
    if reason is not None:
        assert reason in reasons(result)


def test_the_page_that_was_asked_for_is_no_news() -> None:
    result = conclude(run(*OPENED, goal="Please open the website and show me the page of the glaze Ash Blue"))
    assert not result.examples
    assert Reason.REWORDING in reasons(result)


@pytest.mark.parametrize(
    "text",
    [
        '### Page state\n- Page URL: http://kiln.example/a\n- Page Title: A\n- Page Snapshot:\n- link "Oven\'s door" [ref=e3]',
        "URL: http://kiln.example/a\n\nTab 0 (current): A\n\n[1] RootWebArea 'A' focused: True\n\t[e3] link \"Oven's door\"",
    ],
)
def test_pages_of_several_tools(text: str) -> None:
    made = make_trajectory(user("Look"), *act(text, "browser_click", ref="x"))
    (found,) = pages_of(made.steps[1])
    assert (found.url, found.title is not None and found.title.name) == ("http://kiln.example/a", "A")
    assert (element := found.find("e3")) is not None
    assert element.name == "Oven's door"
    assert made.text_at(found.span(element.at)) == "Oven's door"


def test_runs_without_pages_have_no_visits() -> None:
    assert visits(make_trajectory(user("Look"), assistant("", tool_call("ls")), tool("a\nb"))) == []


def test_an_address_that_is_none_breaks_nothing() -> None:
    assert conclude(run(*act("URL: http://[\n\n[1] RootWebArea 'x'", "click", bid="1"))).error is None


NEW_ROOM = page(
    "/create", "Create Room - Kiln", "[1] heading 'Create Room'", "[2] textbox 'Name'", "[3] button 'Create'"
)
ROOM = page("/r/ashglaze", "ashglaze - Kiln", "[5] heading 'ashglaze'", "[6] link 'Rules'")
RULES = page("/r/ashglaze/rules", "Rules - Kiln", "[7] heading 'Rules'")
BASKET = page("/basket/add/7", "Basket - Kiln", "[1] heading 'Basket'", "[10] link 'Ash Blue'")


def shelf(*elements: str, error: str = "") -> str:
    return page("/glazes", "Glazes - Kiln", "[9] heading 'Glazes'", "[10] link 'Ash Blue'", *elements, error=error)


def between(*middle: JsonObject) -> Trajectory:
    """Return a run that opens two pages and does something between."""
    first = shelf("[11] button 'Add to Cart'", "[12] link 'Clear All'", "[13] menuitem 'High'", "[14] LabelText 'Gift'")
    return run(*act(first, "click", bid="1"), *middle, *act(ASH, "click", bid="10"))


@pytest.mark.parametrize("name", ["click", "press"])
def test_what_is_made_under_a_name_was_not_searched_for(name: str) -> None:
    sent = {"bid": "3"} if name == "click" else {"bid": "2", "key_comb": "Enter"}
    made = (*act(NEW_ROOM, "goto", url=f"{SITE}/create"), *act(NEW_ROOM, "fill", bid="2", value="ashglaze"))
    result = conclude(run(*made, *act(ROOM, name, **sent), *act(RULES, "click", bid="6")))
    assert not result.examples
    assert Reason.SIDE_EFFECT in reasons(result)


@pytest.mark.parametrize("bid", ["11", "12", "13", "14"])
def test_clicks_that_stay_on_the_page_may_change_something(bid: str) -> None:
    assert Reason.SIDE_EFFECT in reasons(conclude(between(*act(shelf(), "click", bid=bid))))


def test_an_address_may_change_something() -> None:
    result = conclude(run(*act(BASKET, "goto", url=f"{SITE}/basket/add/7"), *act(ASH, "click", bid="10")))
    assert Reason.SIDE_EFFECT in reasons(result)


@pytest.mark.parametrize(
    ("error", "is_harmless"),
    [
        ("Timeout 500ms exceeded. performing click action, click action done, waiting for navigations", False),
        ("Timeout 500ms exceeded.", False),
        ("Timeout 500ms exceeded. waiting for get_by_test_id", True),
        ("Could not find element with bid 11", True),
    ],
)
def test_an_error_after_a_click_may_come_too_late(error: str, is_harmless: bool) -> None:
    result = conclude(between(*act(shelf(error=error), "click", bid="11")))
    assert bool(result.examples) is is_harmless


def test_what_was_sent_with_enter_is_no_field_of_the_form() -> None:
    sent = act(SIGN_UP, "type", bid="41", text="Runa Vik", press_enter=True)
    assert not conclude(run(*FILLED[:2], *sent, *FILLED[4:])).examples


@pytest.mark.parametrize("said", ["[60] generic 'Seats is required, nothing was saved'", "[61] link 'Thank you cards'"])
def test_what_is_no_confirmation(said: str) -> None:
    again = page("/seats/new", "Seat Request - Kiln and Clay", "[40] heading 'Seat Request'", said)
    assert not any(
        goal.startswith("On the page") for goal in goals(conclude(run(*FILLED[:6], *act(again, "click", bid="43"))))
    )


def test_a_password_is_told_in_no_goal() -> None:
    form = [text.replace("Your Name", "Password") for text in (SIGN_UP, SENT)]
    filled = act(form[0], "fill", bid="41", value="reed-97")
    turns = (*act(form[0], "click", bid="4"), *filled, *act(form[0], "fill", bid="42", value="3"))
    assert Reason.NO_NATURAL_GOAL in reasons(conclude(run(*turns, *act(form[1], "click", bid="43"))))
