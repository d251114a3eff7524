from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenther.readers.browsergym import Page, Turn, build_steps, calls_in

ACTIONS: list[tuple[str, list[tuple[str, Any]]]] = [
    ("click('a51')", [("click", {"bid": "a51"})]),
    ("click('b22', button=\"right\")", [("click", {"bid": "b22", "button": "right"})]),
    ('fill("45", "two\\nlines \\"quoted\\"")', [("fill", {"bid": "45", "value": 'two\nlines "quoted"'})]),
    ("fill('b5', 'Mon', True)", [("fill", {"bid": "b5", "value": "Mon", "enable_autocomplete_menu": True})]),
    ("select_option('c4', ['red', 'blue'])", [("select_option", {"bid": "c4", "options": ["red", "blue"]})]),
    ("scroll(-50.2, 100)", [("scroll", {"delta_x": -50.2, "delta_y": 100})]),
    ("press('8', 'Control+a')", [("press", {"bid": "8", "key_comb": "Control+a"})]),
    ("go_back()", [("go_back", {})]),
    ("  # first this\nhover('3')\n\nnoop()  ", [("hover", {"bid": "3"}), ("noop", {})]),
    ("clean(3, 'deck', brush=None)", [("clean", {"arg1": 3, "arg2": "deck", "brush": None})]),
    ("tab_focus(index=2)", [("tab_focus", {"index": 2})]),
    ("", []),
    ("  \n", []),
]


@pytest.mark.parametrize(("action", "calls"), ACTIONS)
def test_actions_become_calls_with_named_arguments(action: str, calls: list[tuple[str, Any]]):
    assert [(name, orjson.loads(arguments)) for name, arguments in calls_in(action)] == calls


@pytest.mark.parametrize(
    "action",
    [
        "click(",
        "I would click on 'a1'",
        "page.goto('http://harbour.example')",
        "x = click('1')",
        "click(bid)",
        "click('1') click('2')",
        "click(__import__('os').getcwd())",
        "click(*['1'])",
        "click(**{'bid': '1'})",
        "click('1', bid='2')",
        "click(b'1')",
        "click({1, 2})",
        "click(10**10)",
        "click('\\ud800')",
        "# only a remark",
        "import os",
        "for i in 'ab': click(i)",
        "(" * 3000,
        "-" * 15_000 + "1",
        "click(" + "-" * 15_000 + "1)",
        "click('" + "a" * 30_000 + "')",
        "x" + ".a" * 9000,
        "click(" + "+".join("1" * 5000) + ")",
        "click('\\0')\0",
    ],
)
def test_anything_else_is_kept_as_text_and_never_evaluated(action: str):
    ((name, arguments),) = calls_in(action)
    assert name == "python"
    assert orjson.loads(arguments)["code"] == action.strip()


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["click(", "'a'", ")", ",", "\n", "fill", "=", "["])).map("".join)
)
def test_any_action_is_calls(action: str):
    for name, arguments in calls_in(action):
        assert name
        assert isinstance(orjson.loads(arguments), dict)


def test_several_calls_of_one_action_share_the_page_after_it():
    pages = Page(url="http://harbour.example/", text="[1] link 'A'"), Page(url="http://harbour.example/a", text="B")
    run = build_steps("Open A", [Turn(pages[0], "Two at once", "click('1')\nnoop(5)"), Turn(pages[1])])
    step = run.steps[1]
    assert [(o.source_call_id, o.content) for o in step.observations] == [
        ("call_2_1", ""),
        ("call_2_2", "URL: http://harbour.example/a\n\nB"),
    ]


def test_a_turn_without_an_action_sees_the_next_page_as_a_user_turn():
    run = build_steps("Open A", [Turn(Page(text="A"), "Hm.", ""), Turn(Page(text="B"))])
    assert run.steps[1].tool_calls == ()
    assert [(o.role, o.content) for o in run.steps[1].observations] == [("user", "\nB")]


def test_a_run_without_any_page_opens_with_its_goal_alone():
    run = build_steps("Open the gate", [Turn(None, None, "noop()")])
    assert run.steps[0].message == "Open the gate"
    assert run.shown_at == ()
    assert run.steps[1].observations == ()
