"""REST tools from the run to the verdict, on invented services."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agenther.conclusions import Example, Proposal, Reason, Result, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.language.descriptions import description_of, is_read_only, is_request, slots
from agenther.stages.parts import rule_parts
from agenther.stages.verify.rest import check_codes
from agenther.testing import assistant, make_trajectory, tool, tool_call, tool_schema, user

TOOLS = (
    tool_schema("tide_table", "Get the tide times of a harbour", harbour={"type": "string"}, date={"type": "string"}),
    tool_schema("harbour_search", "Find harbours of a country", country={"type": "string"}),
    tool_schema("berth_price", "Get the price of a berth in a harbour", harbour_id={"type": "string"}),
    tool_schema("book_berth", "Book a berth", harbour={"type": "string"}),
)
GOAL = "I sail to Skarvik on 2031-05-04. Tell me the tide there and reserve a berth with electricity for two nights."
TIDE = [
    user(GOAL),
    assistant("", tool_call("tide_table", harbour="Skarvik", date="2031-05-04")),
    tool(
        {"error": "", "harbour": "Skarvik", "tides": [{"kind": "high", "at": "06:12"}, {"kind": "low", "at": "12:25"}]}
    ),
    assistant(
        "In Skarvik the tide is high at 06:12 and low at 12:25. Sorry, no berth with electricity could be reserved."
    ),
]
PRICE = [
    user("What would a berth in Skarvik cost me, how deep is the basin, and who repairs sails and engines nearby?"),
    assistant("", tool_call("harbour_search", country="Skarvik")),
    tool([{"id": "h-77", "name": "Skarvik"}, {"id": "h-78", "name": "Sundholm"}]),
    assistant("", tool_call("berth_price", "call_2", harbour_id="h-77")),
    tool({"price": 31.5, "currency": "EUR"}, "call_2"),
    assistant("The price of a berth in Skarvik is 31.5 EUR. I found nobody who repairs sails."),
]


def outcome(messages: Sequence[JsonObject], **fields: Any) -> Result:
    config = Config(domains=("rest",))
    trajectory = make_trajectory(*messages, **({"tools": TOOLS} | fields))
    return asyncio.run(relabel(trajectory, rule_parts(config), config))


def accepted(messages: Sequence[JsonObject]) -> Example:
    result = outcome(messages)
    assert result.examples, result.drop
    return result.examples[0]


def refused(messages: Sequence[JsonObject], **fields: Any) -> Reason:
    result = outcome(messages, **fields)
    assert result.drop is not None, [e.hindsight_goal for e in result.examples]
    return result.drop.reason


def put(messages: Sequence[JsonObject], at: int, *new: JsonObject) -> list[JsonObject]:
    return [*messages[:at], *new, *messages[at + 1 :]]


def test_an_answered_request_is_the_goal_and_what_was_not_done_is_left_out():
    example = accepted(TIDE)
    assert example.hindsight_goal == "Get the tide times of Skarvik on 2031-05-04."
    assert example.messages[0]["content"] == example.hindsight_goal
    assert example.messages[-1]["content"] == "In Skarvik the tide is high at 06:12 and low at 12:25."


def test_a_thing_is_named_and_the_look_up_of_its_number_is_kept():
    example = accepted(PRICE)
    assert example.hindsight_goal == "Get the price of a berth in Skarvik."
    assert len(example.train_on) == 3


def test_look_ups_that_serve_nothing_are_left_out():
    other = [assistant("", tool_call("harbour_search", "x", country="tide")), tool([{"name": "Oddvik"}], "x")]
    assert "Oddvik" not in str(accepted([TIDE[0], *other, *TIDE[1:]]).messages)


@pytest.mark.parametrize("answer", ["The harbour is lovely.", ""])
def test_an_answer_that_was_not_told_is_none(answer: str):
    assert refused(put(TIDE, 3, assistant(answer))) is Reason.NO_RECORDED_ANSWER


def test_an_answer_that_says_more_than_was_seen_is_refused():
    assert refused(put(TIDE, 3, assistant("The tide is high at 06:12 and low at 19:40."))) is Reason.NOT_TRUE


def test_an_answer_about_something_else_is_refused():
    assert refused(put(TIDE, 3, assistant("Come at 06:12."))) is Reason.ANSWER_MISSES_GOAL


def test_an_answer_that_leaves_out_part_of_the_list_is_refused():
    assert refused(put(TIDE, 3, assistant("In Skarvik the tide is high at 06:12."))) is Reason.ANSWER_MISSES_GOAL


def test_an_answer_that_tells_another_field_is_refused():
    fields = put(PRICE, 4, tool({"price": 31.5, "currency": "EUR", "berths": 40}, "call_2"))
    other = put(fields, 5, assistant("Skarvik has 40 berths, a price in EUR is asked."))
    tried = [a.refusal.reason for a in outcome(other).attempts if a.refusal]
    assert tried[-1] is Reason.ANSWER_MISSES_GOAL


@pytest.mark.parametrize(
    "content",
    ['{"tides": [{"kind": "high", "at": "06:12"}, {"ki', '{"error": "quota"}', '{"tides": []}', "[]", "high at 06:12"],
)
def test_an_answer_cut_short_or_empty_is_no_evidence(content: str):
    assert refused(put(TIDE, 2, tool(content))) in (Reason.NOTHING_ACHIEVED, Reason.IRRECOVERABLE)


def test_a_value_from_nowhere_is_refused():
    call = tool_call("tide_table", harbour="Skarvik", date="2031-05-05")
    assert refused(put(TIDE, 1, assistant("", call))) is Reason.UNGROUNDED
    unknown = outcome(put(PRICE, 2, tool([{"id": "h-78", "name": "Sundholm"}])))
    assert [a.refusal.reason for a in unknown.attempts if a.refusal][-1] is Reason.UNGROUNDED
    assert refused(put(PRICE, 1, assistant("", tool_call("harbour_search", country="Norland")))) is Reason.UNGROUNDED


def test_a_change_before_the_answer_is_refused():
    booked = [assistant("", tool_call("book_berth", "x", harbour="Skarvik")), tool({"berth": "none"}, "x")]
    assert refused([*TIDE[:3], *booked, TIDE[3]]) is Reason.SIDE_EFFECT


def test_a_goal_that_is_all_the_user_wanted_is_refused():
    only = put(TIDE, 0, user("When is high tide and low tide in Skarvik on 2031-05-04? I need times."))
    assert refused(only) is Reason.REWORDING


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        ("Returns the tide times of a harbour", Reason.NOTHING_ACHIEVED),
        ("Get the tide times of a harbour. Use it with care.", Reason.NOTHING_ACHIEVED),
        ("Get the tide times of a harbour " + "and " * 20, Reason.NOTHING_ACHIEVED),
        ("Get the tide times by id of a harbour", Reason.UNNATURAL),
        ("Get the tides", Reason.NO_NATURAL_GOAL),
    ],
)
def test_the_description_must_read_as_a_request(description: str, reason: Reason):
    schema = tool_schema("tide_table", description, harbour={}, date={})
    assert refused(TIDE, tools=(schema,)) is reason


def test_several_user_turns_are_refused():
    assert refused([*TIDE[:3], assistant("Wait."), user("And the moon?"), TIDE[3]]) in (
        Reason.NO_RECORDED_ANSWER,
        Reason.USER_TURNS_CONTRADICT,
    )


def test_descriptions():
    assert description_of(TOOLS[3]) == ("book_berth", "Book a berth")
    assert is_request("Search ferries between two harbours")
    assert not is_request("Ferry search")
    assert is_read_only("getTides", "Tides of a harbour")
    assert not is_read_only("berth", "Book a berth")
    made = slots("Find ferries to the given harbour name", {"harbour_name": "Oddvik", "date": "today"})
    assert made is not None
    assert [slot.argument for slot in made] == [None, "harbour_name", None, None, "date"]
    assert slots("Find ferries", {"page": 2}) is None


FRAME = 'This is the subfunction for tool "quay", you can use this tool.The description of this function is: "{}"'
QUAY = (
    tool_schema("tide_for_quay", FRAME.format("Get the tide times of a harbour"), harbour={"type": "string"}),
    tool_schema("Finish", "Hand in the answer.", return_type={}, final_answer={}),
)
SEEN = {"error": "", "response": "{'tides': [{'kind': 'high', 'at': '06:12'}], 'station': None}"}
TOLD = "The tide in Skarvik is high at 06:12."


def handed_in(answer: str = TOLD, seen: Any = SEEN, thought: str = "") -> list[JsonObject]:
    finish = tool_call("Finish", "call_2", return_type="give_answer", final_answer=answer)
    return [
        user("I sail to Skarvik. Tell me the tide there and reserve a berth with electricity for two nights."),
        assistant("", tool_call("tide_for_quay", harbour="Skarvik")),
        tool(seen),
        assistant(thought, finish),
        tool('{"response":"successfully giving the final answer."}', "call_2"),
    ]


def test_an_answer_may_be_handed_in_by_a_call_and_a_document_stand_in_an_envelope():
    result = outcome(handed_in(), tools=QUAY)
    assert result.examples, result.drop
    (example,) = result.examples
    assert example.hindsight_goal == "Get the tide times of Skarvik."
    assert TOLD in str(example.messages[-1]["tool_calls"])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("The harbour is lovely.", Reason.NO_RECORDED_ANSWER),
        ("", Reason.NO_RECORDED_ANSWER),
        (f"{TOLD} Low tide is at 19:40.", Reason.NOT_TRUE),
        (f"{TOLD} More was not found.", Reason.STILL_SPEAKS_OF_OLD_GOAL),
        (f"{TOLD} No berth with electricity was free.", Reason.STILL_SPEAKS_OF_OLD_GOAL),
    ],
)
def test_an_answer_that_was_handed_in_is_never_edited(answer: str, reason: Reason):
    assert refused(handed_in(answer), tools=QUAY) is reason


def test_a_thought_beside_the_answer_is_no_answer():
    assert refused(handed_in("Done.", thought=TOLD), tools=QUAY) is Reason.NO_RECORDED_ANSWER


@pytest.mark.parametrize(
    "response",
    [
        "High tide is at 06:12 in the harbour of Skarvik.",
        "{'tides': [{'kind': 'high', 'at': '06:12'}",
        "{'error': 'quota', 'tides': [{'kind': 'high', 'at': '06:12'}]}",
        "{'tides': []}",
        "",
    ],
)
def test_an_envelope_without_a_document_is_no_evidence(response: str):
    found = outcome(handed_in(seen={"error": "", "response": response}), tools=QUAY)
    assert found.drop is not None
    assert found.drop.reason is Reason.NOTHING_ACHIEVED


def test_a_call_that_failed_by_its_code_supports_nothing():
    trajectory = make_trajectory(*handed_in(), tools=QUAY, labels={"observation_codes": {"2": 0, "3": 3}})
    result = outcome(handed_in(), tools=QUAY)
    proposal = Proposal(goal="x", strategy="final", domain="rest", claims=result.claims, parts=(), last_step=2)
    whole = Rewritten(trajectory=trajectory, proposal=proposal, steps=trajectory.steps, train_on=(2, 3))
    assert check_codes(whole).value == 1
    failed = trajectory.model_copy(update={"labels": {"observation_codes": {"2": 11, "3": 3}}})
    assert check_codes(whole.model_copy(update={"trajectory": failed})).reason is Reason.EVIDENCE_FAILED
