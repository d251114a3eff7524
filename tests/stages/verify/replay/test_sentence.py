"""Sentences beside what calls did: the right one stands, near misses and other deeds are refused, policies decide the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stages.replay_runs import TOOLS, call, perform

from agenther.conclusions import Reason, Score
from agenther.errors import ConfigError
from agenther.stages.verify.replay.perform import RecordedCall
from agenther.stages.verify.replay.policy import Policy, default_policy, load_policy
from agenther.stages.verify.replay.sentence import says

WATER = (call("open_valve", bed="north"), call("water_bed", bed="north", litres=5))
MOVE = (call("move_plant", kind="mint", source="north", target="south"),)
ORDER = (call("order_seeds", kind="dill", bags=3),)


def vote(goal: str, *calls: RecordedCall, policy: Policy | None = None) -> Score:
    return says(goal, perform(*calls), TOOLS, policy)


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ("Water the north bed with 5 litres.", WATER),
        ("Please move the mint plant from the north bed to the south bed.", MOVE),
        ("Order 3 bags of dill seeds.", ORDER),
    ],
)
def test_a_sentence_that_says_what_was_done_stands(goal: str, calls: tuple[RecordedCall, ...]) -> None:
    score = vote(goal, *calls)
    assert score.value == 1.0, score.explanation
    assert score.replay is not None
    assert score.replay.named
    assert {*score.replay.named, *score.replay.side_effects} == set(range(len(score.replay.changes)))


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ("Water the north bed with 50 litres.", WATER),
        ("Water the south bed with 5 litres.", WATER),
        ("Remove the mint plant from the north bed.", MOVE),
        ("Move the basil plant from the north bed to the south bed.", MOVE),
        ("Move the mint plant from the north bed to the east bed.", MOVE),
        ("Order 3 bags of sage seeds.", ORDER),
        ("Order 4 bags of dill seeds.", ORDER),
        ("Order 3 bags of dill seeds and plant it in the south bed.", ORDER),
        ("Order 3 bags of dill seeds. Then cancel delivery 40.", ORDER),
        ("Cancel delivery 40.", ORDER),
        ("What grows in the north bed?", ORDER),
    ],
)
def test_a_sentence_that_says_something_else_is_refused(goal: str, calls: tuple[RecordedCall, ...]) -> None:
    score = vote(goal, *calls)
    assert score.value == 0.0
    assert score.reason is not None


def test_a_sentence_that_cannot_be_read_is_counted_apart() -> None:
    assert vote("Do as we said.", *ORDER).reason in (Reason.UNSCORED, Reason.SIDE_EFFECT)


def test_harm_that_nobody_asked_for_is_refused() -> None:
    score = vote("Water the north bed with 5 litres.", *WATER, call("cancel_delivery", number=40))
    assert score.reason is Reason.SIDE_EFFECT
    allowed = default_policy().model_copy(update={"harmful": (), "other": "list"})
    listed = vote(
        "Water the north bed with 5 litres.",
        *WATER,
        call("cancel_delivery", number=40),
        policy=Policy.model_validate(allowed.model_dump()),
    )
    assert listed.replay is not None
    assert any(listed.replay.changes[n].path.startswith("/deliveries") for n in listed.replay.side_effects)


def test_turns_are_compared_with_their_own_calls() -> None:
    calls = (
        RecordedCall(2, "order_seeds", {"kind": "dill", "bags": 3}),
        RecordedCall(4, "open_valve", {"bed": "north"}),
        RecordedCall(5, "water_bed", {"bed": "north", "litres": 5}),
    )
    one, two = "Order 3 bags of dill seeds.", "Water the north bed with 5 litres."
    performed = perform(*calls)
    assert says(f"{one}\n{two}", performed, TOOLS, turns=((1, one), (3, two))).value == 1.0
    assert says(f"{two}\n{one}", performed, TOOLS, turns=((1, two), (3, one))).value == 0.0


def test_one_that_changed_nothing_is_no_vote() -> None:
    score = vote("How moist is the north bed?", call("read_sensor", bed="north"))
    assert (score.value, score.reason) in ((None, None), (0.0, Reason.UNSCORED))


def test_a_policy_is_a_file_that_users_edit(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text('harmful = ["water_*", "*/valve"]\nharmless = ["open_*"]\nother = "list"\n')
    policy = load_policy(path)
    assert policy.harms("Water_bed") == "Water_bed fits 'water_*'"
    assert policy.harms("open_valve", ("/beds/north/valve",)) == "/beds/north/valve fits '*/valve'"
    assert policy.ignores("open_valve")
    assert not policy.ignores("water_bed")
    for text in ('harm = ["x"]', "other = 'maybe'", "harmful = ["):
        path.write_text(text)
        with pytest.raises(ConfigError):
            load_policy(path)
    with pytest.raises(
        ConfigError, match=r"\A--policy .*/none\.toml: expected a TOML file, found no such file or directory\Z"
    ):
        load_policy(tmp_path / "none.toml")


HARM = (
    *("cancel_order", "deleteFile", "transfer_funds", "pay_bill", "rm", "send_email", "makePayment", "place_order"),
    *(
        "book_room",
        "bookRoom",
        "hotel.book",
        "mcp__hotel__book_room",
        "make_booking",
        "bulk-delete-files",
        "API.Delete",
    ),
)
HARMLESS = (
    *("open_valve", "normalise", "read_page", "form_fill", "return_book", "checkout_book", "lend_book", "add_bookmark"),
    *("set_border", "disclose_plan", "recharger", "bookmark_page"),
)


@pytest.mark.parametrize("name", HARM)
def test_the_default_policy_knows_harm_and_names_the_pattern(name: str) -> None:
    assert str(default_policy().harms(name)).startswith(f"{name} fits '")


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("*", ["any", "some_call"], []),
        ("*bed", ["bed", "waterBed"], ["embed", "bed_water"]),
        ("*_bed*", ["water_bed", "bed_water"], ["embed"]),
        ("waterBed", ["water_bed", "garden.waterBed"], ["re_water_bed", "water_beds"]),
        ("water_*", ["water_bed", "garden__water_bed"], ["underwater_bed", "water"]),
    ],
)
def test_patterns_fit_whole_words(pattern: str, fitting: list[str], others: list[str]) -> None:
    policy = Policy(harmful=(pattern,), harmless=(pattern,))
    assert [name for name in [*fitting, *others] if policy.harms(name)] == fitting
    assert [name for name in [*fitting, *others] if policy.ignores(name)] == fitting


@pytest.mark.parametrize("name", HARMLESS)
def test_the_default_policy_harms_nobody_else(name: str) -> None:
    assert default_policy().harms(name) is None
