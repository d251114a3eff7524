from __future__ import annotations

import pytest

from agenther.readers.webarena_actions import taken_action


def fenced(action: str) -> str:
    return f"The lamp is listed here. In summary, the next action I will perform is ```{action}```"


@pytest.mark.parametrize(
    ("action", "name", "arguments"),
    [
        ("click [1757]", "click", {"bid": "1757"}),
        ("click[7]", "click", {"bid": "7"}),
        ("hover [3]", "hover", {"bid": "3"}),
        ("type [12] [oak lamp] [1]", "type", {"bid": "12", "text": "oak lamp", "press_enter": True}),
        ("type [12] [oak lamp] [0]", "type", {"bid": "12", "text": "oak lamp", "press_enter": False}),
        ("type [12] [oak [large] lamp]", "type", {"bid": "12", "text": "oak [large] lamp", "press_enter": True}),
        ("press [ctrl+a]", "press", {"key_comb": "ctrl+a"}),
        ("scroll [down]", "scroll", {"direction": "down"}),
        ("scroll down", "scroll", {"direction": "down"}),
        ("scroll [direction=up]", "scroll", {"direction": "up"}),
        ("goto [http://lamps.example/a?b=[1]]", "goto", {"url": "http://lamps.example/a?b=[1]"}),
        ("tab_focus [2]", "tab_focus", {"index": 2}),
        ("new_tab", "new_tab", {}),
        ("go_back", "go_back", {}),
        ("stop [4 lamps]", "stop", {"answer": "4 lamps"}),
        ("stop", "stop", {"answer": ""}),
    ],
)
def test_every_action_has_its_arguments_and_its_place(action: str, name: str, arguments: dict[str, object]) -> None:
    turn = fenced(f"\n{action} \n")
    found = taken_action(turn)
    assert found is not None
    assert (found.name, found.arguments) == (name, arguments)
    assert found.at is not None
    assert turn[slice(*found.at)] == action


@pytest.mark.parametrize(
    "turn",
    [
        "",
        "I click [3] now",
        "``````",
        "```click the lamp```",
        "```type [x] [lamp] [1]```",
        "```fly [3]```",
        "```press```",
    ],
)
def test_what_the_harness_cannot_parse_is_no_action(turn: str) -> None:
    assert taken_action(turn) is None


def test_the_first_fenced_block_counts() -> None:
    found = taken_action("Not yet ```wait``` but ```click [4]```")
    assert found is None
    first = taken_action("```click [3]``` and then ```click [4]```")
    assert first is not None
    assert first.arguments == {"bid": "3"}


def test_what_the_harness_printed_decides() -> None:
    turn = fenced("click [4]")
    assert taken_action(turn, "none") is None
    same = taken_action(turn, "click [4] where [4] is [4] link 'Lamps'")
    assert same is not None
    assert same.at is not None
    other = taken_action("```go on```", "page_focus [1]")
    assert other is not None
    assert (other.name, other.arguments, other.at) == ("tab_focus", {"index": 1}, None)


@pytest.mark.parametrize(("typed", "enter"), [("oak lamp ", True), ("oak lamp", False)])
def test_typing_as_the_harness_prints_it(typed: str, enter: bool) -> None:
    found = taken_action("", f"type [12] [{typed}] where [12] is [12] textbox 'Search'")
    assert found is not None
    assert found.arguments == {"bid": "12", "text": "oak lamp", "press_enter": enter}


def test_a_huge_turn_is_read_at_once() -> None:
    assert taken_action("```" + "type [1] [" * 200_000) is None
    assert taken_action("```type [1] [" + "] [1" * 10_000 + "```") is None
