"""Customer service from the run to the verdict, on invented conversations."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from agenther.conclusions import Example, Reason, Result
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.parts import rule_parts
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import GoalHolder, Trajectory

ORDER = {
    "order_id": "#K-20417",
    "user_id": "tess_1",
    "status": "pending",
    "items": [{"name": "Rain Barrel", "product_id": "9001", "item_id": "700100", "options": {"color": "green"}}],
}
SCRIPT = (
    "You are Tess. Cancel the rain barrel order, then get a new lid for the compost bin and ask what shipping costs."
)
CANCEL = [
    user("Hi, I ordered a rain barrel by mistake. Can you cancel order #K-20417 please?"),
    assistant("Happy to help. What is your email address?"),
    user("It is tess@example.org."),
    assistant("", tool_call("find_user", email="tess@example.org")),
    tool({"user_id": "tess_1"}),
    assistant("", tool_call("get_order", "call_2", order_id="#K-20417")),
    tool(ORDER, "call_2"),
    assistant('Order #K-20417 holds a rain barrel. Shall I cancel it with the reason "ordered by mistake"?'),
    user("Yes, please go ahead."),
    assistant("", tool_call("cancel_order", "call_3", order_id="#K-20417", reason="ordered by mistake")),
    tool(ORDER | {"status": "cancelled"}, "call_3"),
    assistant("Order #K-20417 has been cancelled. Is there anything else?"),
    user("Yes, can you also change the lid of my compost bin?"),
    assistant("I am afraid that is not possible."),
]
RETURN = [
    user("Hello! I would like to return the rain barrel that I received."),
    assistant("What is your email address?"),
    user("tess@example.org"),
    assistant("", tool_call("get_user", email="tess@example.org")),
    tool(
        {
            "user_id": "tess_1",
            "payment_methods": {
                "card_77": {"source": "credit_card", "brand": "visa", "last_four": "4471", "id": "card_77"}
            },
        }
    ),
    assistant("", tool_call("get_order", "call_2", order_id="#K-20417")),
    tool(ORDER, "call_2"),
    assistant("Shall I return the rain barrel of order #K-20417 with the refund to your Visa card?"),
    user("Yes, that's correct."),
    assistant(
        "", tool_call("return_items", "call_3", order_id="#K-20417", item_ids=["700100"], payment_method_id="card_77")
    ),
    tool(ORDER | {"status": "return requested"}, "call_3"),
    assistant("The return of the rain barrel has been requested."),
    user("Thanks. What does shipping cost?"),
]
EXCHANGE = [
    *RETURN[:7],
    assistant("", tool_call("get_product", "call_3", product_id="9001")),
    tool(
        {"name": "Rain Barrel", "product_id": "9001", "variants": {"b": {"item_id": "700200", "options": {"color": "blue"}}}},
        "call_3",
    ),
    assistant("Shall I exchange the rain barrel of order #K-20417 for the blue one, any difference on your Visa card?"),
    user("Yes, please."),
    assistant(
        "",
        tool_call(
            "exchange_items", "call_4", order_id="#K-20417", item_ids=["700100"], new_item_ids=["700200"],
            payment_method_id="card_77",
        ),
    ),
    tool(ORDER | {"status": "exchange requested", "items": [{"name": "Rain Barrel", "item_id": "700200"}]}, "call_4"),
    assistant("The exchange of the rain barrel for the blue one has been requested."),
    user("Thanks. What does shipping cost?"),
]  # fmt: skip
EXCHANGE[0] = user("Hello! I would like to exchange my rain barrel for a blue one.")


def run(messages: Sequence[JsonObject], **fields: Any) -> Trajectory:
    return make_trajectory(*messages, goal=SCRIPT, goal_holder=GoalHolder.SIMULATED_USER, goal_at=(), **fields)


def outcome(messages: Sequence[JsonObject]) -> Result:
    config = Config(domains=("dialogue",))
    return asyncio.run(relabel(run(messages), rule_parts(config), config))


def accepted(messages: Sequence[JsonObject]) -> Example:
    result = outcome(messages)
    assert result.examples, result.drop
    return result.examples[0]


def refused(messages: Sequence[JsonObject]) -> tuple[Reason, str]:
    result = outcome(messages)
    assert result.drop is not None, [e.hindsight_goal for e in result.examples]
    return result.drop.reason, result.drop.detail


def put(messages: Sequence[JsonObject], at: int, *new: JsonObject, instead: int = 1) -> list[JsonObject]:
    return [*messages[:at], *new, *messages[at + instead :]]


@pytest.mark.parametrize(
    ("messages", "goal"),
    [
        (CANCEL, "Cancel order #K-20417; it was ordered by mistake."),
        (RETURN, "Return the rain barrel, the refund going to my Visa card."),
        (EXCHANGE, "Exchange the rain barrel for one whose color is blue, any difference settled with my Visa card."),
    ],
)
def test_the_first_change_is_the_goal_and_the_run_ends_with_its_confirmation(messages: list[JsonObject], goal: str):
    example = accepted(messages)
    assert example.hindsight_goal == goal
    assert example.verdict.support == 1.0
    kept = len(example.messages)
    asked = [{k: m[k] for k in ("role", "content")} for m in messages[:kept]]
    assert [{k: m[k] for k in ("role", "content")} for m in example.messages] == asked
    assert example.messages[-1]["role"] == "assistant"
    assert any("cut after" in repair for repair in example.repairs)


def test_thinking_is_left_out_and_a_failed_look_up_carries_no_loss():
    thought = [assistant("", tool_call("think", "t", thought="Pending, so it can be cancelled.")), tool("", "t")]
    missed = [assistant("", tool_call("find_user", "m", email="tess@example.org")), tool("Error: user not found", "m")]
    example = accepted([*CANCEL[:3], *missed, *CANCEL[3:9], *thought, *CANCEL[9:]])
    assert not any("think" in str(message.get("tool_calls")) for message in example.messages)
    error = next(m["step"] for m in example.messages if m["content"] == "Error: user not found")
    assert error not in example.train_on


def test_the_old_goal_may_not_be_what_the_kept_turns_ask_for():
    config = Config(domains=("dialogue",))
    told_apart = make_trajectory(*CANCEL, goal=SCRIPT, goal_at=())
    assert asyncio.run(relabel(told_apart, rule_parts(config), config)).examples
    first_turn = make_trajectory(*CANCEL)
    drop = asyncio.run(relabel(first_turn, rule_parts(config), config)).drop
    assert drop is not None
    assert drop.reason is Reason.REWORDING


def test_a_second_change_in_the_kept_run_is_refused():
    other = [assistant("", tool_call("apply_coupon", "x", code="SPRING")), tool("ok", "x")]
    assert refused([*CANCEL[:5], *other, *CANCEL[5:]])[0] is Reason.SIDE_EFFECT


def test_a_change_that_the_tool_does_not_show_is_refused():
    assert refused(put(CANCEL, 10, tool(ORDER | {"status": "pending"}, "call_3")))[0] is Reason.EVIDENCE_FAILED
    assert refused(put(CANCEL, 10, tool("Error: not pending", "call_3")))[0] is Reason.NOTHING_ACHIEVED


@pytest.mark.parametrize(
    "answer",
    ["No, wait.", "Yes, but what would I get back?", "Hm.", "Actually, keep it.", "Yes, if it is free; otherwise not."],
)
def test_no_change_without_a_plain_yes(answer: str):
    reason, detail = refused(put(CANCEL, 8, user(answer)))
    assert reason is Reason.USER_TURNS_CONTRADICT
    assert "dialogue.consent" in detail


@pytest.mark.parametrize("question", ["Shall I proceed?", "Your order is on its way."])
def test_no_change_without_a_question_that_names_it(question: str):
    assert "dialogue.consent" in refused(put(CANCEL, 7, assistant(question)))[1]


def test_what_the_agent_decides_alone_is_refused():
    call = assistant("", tool_call("cancel_order", "call_3", order_id="#K-20417", reason="no longer needed"))
    reason, detail = refused(put(CANCEL, 9, call))
    assert reason is Reason.UNGROUNDED
    assert "no longer needed" in detail
    silent = assistant("Shall I return the rain barrel of order #K-20417?")
    assert refused(put(RETURN, 7, silent))[0] is Reason.UNGROUNDED
    vague = assistant("Shall I exchange the rain barrel, any difference on your Visa card?")
    grey = user("Hello! I would like to exchange my rain barrel for one of another color.")
    assert refused(put(put(EXCHANGE, 9, vague), 0, grey))[0] is Reason.UNGROUNDED


@pytest.mark.parametrize(
    "turn",
    [
        "Hi, can you cancel order #K-20417 and change my address?",
        "Hi, can you cancel order #K-20417? And what does the lid of the compost bin cost?",
        "Hi, can you cancel order #K-20417? I also want my watering can back.",
        "Can you cancel or return order #K-20417?",
        "Can you cancel order #K-20417 and check my account?",
        "Please cancel order #K-20417. What is my order number?",
        "Please cancel order #K-20417. I would like the details too.",
        "Please cancel order #K-20417 and give me 20% off.",
        "Please cancel order #K-20417 and #K-20418.",
    ],
)
def test_a_turn_that_asks_for_anything_else_is_refused(turn: str):
    reason, detail = refused(put(CANCEL, 0, user(turn)))
    assert reason is Reason.USER_TURNS_CONTRADICT
    assert "dialogue.turns" in detail


def test_other_things_of_the_shop_may_not_be_named():
    order = ORDER | {"items": [*ORDER["items"], {"name": "Garden Hose", "product_id": "9002", "item_id": "700300"}]}
    told = put(RETURN, 2, user("tess@example.org. The hose leaked too."))
    assert "dialogue.turns" in refused(put(told, 6, tool(order, "call_2")))[1]


def test_how_to_pay_is_no_other_request():
    told = put(RETURN, 8, user("Yes, please return it and send the refund to the Visa card ending in 4471."))
    assert "send" in refused(told)[1]
    assert accepted(put(RETURN, 8, user("Yes, I would like the refund on the Visa card ending in 4471.")))


def test_what_the_user_never_named_is_refused():
    vague = put(RETURN, 0, user("Hello! I would like to return an item that I received."))
    assert "named_by_user" in refused(vague)[1]


def test_the_run_must_end_with_the_news():
    assert refused(put(CANCEL, 11, assistant("One moment.")))[0] is Reason.ANSWER_MISSES_GOAL
    assert refused(put(CANCEL, 11))[0] is Reason.NO_RECORDED_ANSWER


def test_a_kept_turn_that_refuses_the_user_is_refused():
    sorry = put(CANCEL, 1, assistant("Unfortunately I cannot do that by chat. What is your email address?"))
    assert "dialogue.confirmed" in refused(sorry)[1]


def test_the_number_of_things_must_fit():
    order = ORDER | {"items": [*ORDER["items"], {"name": "Rain Barrel", "product_id": "9001", "item_id": "700300"}]}
    for asked in (
        "I would like to return all items.",
        "I would like to return both rain barrels.",
        "I want to return some.",
    ):
        assert "dialogue.turns" in refused(put(put(RETURN, 0, user(asked)), 6, tool(order, "call_2")))[1]
    assert accepted(put(RETURN, 0, user("I would like to return the whole order. It is a rain barrel.")))


def test_the_last_message_may_state_nothing_new():
    lied = put(CANCEL, 11, assistant("Order #K-20417 has been cancelled and 80.50 EUR were sent back."))
    assert refused(lied)[0] is Reason.NOT_TRUE


def test_a_run_that_was_asked_for_nothing_more_failed_this_very_goal():
    for end in (
        "No, thank you, that is all.",
        "Thank you for cancelling. That’s all I needed!",
        "Great, I am all set.",
    ):
        assert refused([*CANCEL[:12], user(end)])[0] is Reason.REWORDING
    assert accepted([*CANCEL[:12], user("Thanks, I also need to return a hose.")])


def test_numbers_of_the_shop_alone_are_no_names():
    unnamed = put(CANCEL, 0, user("Hi, I ordered a rain barrel by mistake. Can you cancel it please?"))
    assert accepted(unnamed).hindsight_goal == "Cancel my order for the rain barrel; it was ordered by mistake."


def test_an_argument_without_words_gives_no_goal():
    call = assistant("", tool_call("cancel_order", "call_3", order_id="#K-20417", mode="fast"))
    assert refused(put(CANCEL, 9, call))[0] is Reason.NO_NATURAL_GOAL
