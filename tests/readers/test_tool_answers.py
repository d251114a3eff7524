from __future__ import annotations

import orjson
import pytest

from agenther.readers.tool_answers import Ending, answer_of, judge


def given(answer: str) -> str:
    return orjson.dumps({"return_type": "give_answer", "final_answer": answer}).decode()


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (None, "no_finish"),
        ('{"return_type": "give_up_and_restart"}', "give_up"),
        (given("  "), "empty_answer"),
        ('{"return_type": "give_answer"}', "empty_answer"),
        (given("I'm sorry, but I couldn't find any pictures of the ferry."), "apology"),
        (given("I couldn't find any other names for the harbour."), "apology"),
        (given("The tide table of Skarvik could not be retrieved. Please try again later."), "apology"),
        (given("The berth price is currently not available. I apologize for the inconvenience."), "apology"),
        (
            given("Unfortunately, I was unable to retrieve the timetable due to an error. You can try the website."),
            "apology",
        ),
        (given("Sorry! I can not access the harbour's list, as the tool failed to load it."), "apology"),
    ],
)
def test_what_tells_nothing_is_a_failure_whatever_the_log_says(arguments: str | None, rule: str) -> None:
    assert judge(arguments, win=True) == Ending(False, rule)


@pytest.mark.parametrize(
    "answer",
    [
        "High tide is at 06:12. Unfortunately, I couldn't find the berth price.",
        "I couldn't find the ferry to Oddvik, but the bus leaves at 08:10.",
        "Sorry, there are no ferries on that day.",
        "I couldn't find Skarvik. However, here are some harbours nearby: Oddvik, Sundholm.",
    ],
)
def test_an_answer_that_admits_a_gap_is_left_open(answer: str) -> None:
    ending = judge(given(answer), win=True)
    assert (ending.success, ending.rule) == (None, None)
    assert ending.admitted


@pytest.mark.parametrize(
    "answer",
    [
        "High tide is at 06:12 and low tide at 12:25.",
        "There are no ferries to Oddvik on Sunday.",
        "The name 'Tidewatch' is not available as a trademark.",
        "The order with ID 'h-77' was not found.",
        "The song says: I can't dance.",
    ],
)
def test_an_answer_is_a_success_only_where_the_log_says_so(answer: str) -> None:
    assert judge(given(answer), win=True) == Ending(True, "win")
    assert judge(given(answer), win=None) == Ending(None, None)
    assert judge(given(answer), win=False) == Ending(None, None)


def test_the_answer_of_broken_arguments_is_all_of_them() -> None:
    assert answer_of('{"final_answer": "a\nb"}') == "a\nb"
    assert answer_of("High tide") == "High tide"
    assert answer_of('{"final_answer": 3}') == ""
