"""Requests of users are told from reports, from vague wishes, and from talk about runs."""

from __future__ import annotations

import pytest

from agenther.stages.language.requests import Deed, may_want_answer, wants_answer, why_no_request

ASKING = (
    "Which inns in Torvik take dogs?",
    "In which year was the Torvik bridge built?",
    "How many customers of Torvik ordered in 2019",
    "For each region, how many suppliers are there?",
    "Find the file /etc/hosts and count its lines",
    "Please recursively list the .txt files under docs",
    "Can you list the ferries to Skarvik?",
    "Is the harbour of Skarvik open on Sundays?",
    "Check out whether the inn of Torvik is open",
    "Check in which year the bridge of Torvik was built",
    "Check the rooms in Torvik for a sea view",
    "Check what is going out to Skarvik harbour",
    "Return the number of boats of Torvik",
    "Give the names of the boats in the harbour",
)
DOING = (
    "put a clean ladle in the drawer",
    "Create an empty file notes.txt in /srv/app.",
    "Check out the boat Skua to Liv Berg",
    "Please check the boat Skua out to Liv Berg",
    "Check in at the inn of Torvik",
    "Give back the keys of the boat Skua",
    "Release berth B7",
    "Could you please cancel my order #K-2041?",
    "i want a red lamp, and price lower than 40 dollars",
    "Rename the folder drafts to old-drafts. Keep its contents as they are.",
)
NONE = (
    "The agent listed the inns in Torvik",
    "Successfully listed the files under docs",
    "Searched for inns in Torvik",
    "List employees",
    "List top 5",
    "Release B7",
    "Gather information about inns",
    "Look into the inns of Torvik",
    "Find some details on the inns in Torvik",
    "Send the inns found in step 3 to the innkeeper",
    "Show how the trajectory finds the inns in Torvik",
    "Call the inn with the tool call of the assistant",
    "List the inns.\nThen book one of them",
    "List the inns of Torvik. Book a room there. Then pay for it.",
    "List the inns of {{town}} with dogs",
    "",
)


@pytest.mark.parametrize("goal", ASKING)
def test_to_be_told_something(goal: str) -> None:
    assert why_no_request(goal) is None
    assert wants_answer(goal)


@pytest.mark.parametrize("goal", DOING)
def test_to_have_something_done(goal: str) -> None:
    assert why_no_request(goal) is None
    assert not wants_answer(goal)


@pytest.mark.parametrize("goal", NONE)
def test_no_request(goal: str) -> None:
    assert why_no_request(goal) is not None


def test_the_users_own_words_are_allowed() -> None:
    goal = "List the phone numbers of the agent of Torvik"
    assert why_no_request(goal) is not None
    assert why_no_request(goal, "Call the agent in Skarvik") is None


def test_some_commands_ask_or_change_and_some_surely_change() -> None:
    for text in ("Convert 240 NOK to EUR", "I need to know how deep the harbour is", "List the piers of Torvik"):
        assert may_want_answer(text)
    for text in ("Transfer 500 to Liv Berg", "Can you book the cheapest room?", "I want you to rename the boat Skua"):
        assert not may_want_answer(text)


def test_a_verb_that_asks_may_be_what_a_call_does() -> None:
    deeds = (Deed("return", frozenset({"boat", "skua", "b7"})),)
    for text in ("Please return the boat Skua", "Return boat B7 to its berth", "Could you return the boat?"):
        assert wants_answer(text)
        assert not wants_answer(text, deeds)
        assert may_want_answer(text)
    for text in (
        *("Return the number of boats", "Return the boat count of B7", "Show the boat Skua", "Return which boat is B7"),
        *("Which boat is to return?", "Return it", "Return the boat B7 if it is free"),
    ):
        assert wants_answer(text, deeds), text
