"""Words of goals that no call accounts for, beside calls of the greenhouse; and words that claim nothing."""

from __future__ import annotations

import pytest
from tests.stages.replay_runs import TOOLS, call, perform

from agenther.conclusions import Reason
from agenther.stages.verify.replay.asked.lexicon import claim_of, lexicon
from agenther.stages.verify.replay.perform import RecordedCall
from agenther.stages.verify.replay.sentence import says

MOVE = (call("move_plant", kind="mint", source="north", target="south"),)
ORDER = (call("order_seeds", kind="dill", bags=3),)
CANCEL = (call("cancel_delivery", number=40),)
PLANT = (call("plant_seed", bed="south", kind="sage"),)


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        ("Order 3 bags of dill seeds.", ORDER),
        ("Could you please order 3 bags of dill seeds for me?", ORDER),
        ("I'd appreciate it if you could order 3 bags of dill seeds from the nursery.", ORDER),
        ("I have been reading about herbs all winter. Please order 3 bags of dill seeds.", ORDER),
        ("Order 3 bags of dill seeds. I love herbs.", ORDER),
        ("Cancel the delivery with the number 40.", CANCEL),
        ("Move the mint plant from the north bed to the south bed.", MOVE),
        ("Relocate the mint plant from the north bed to the south bed.", MOVE),
        ("Make sure to plant sage seeds in the south bed.", PLANT),
    ],
)
def test_words_that_claim_nothing_or_are_accounted_for_stand(goal: str, calls: tuple[RecordedCall, ...]) -> None:
    score = says(goal, perform(*calls), TOOLS)
    assert score.value == 1.0, score.explanation


@pytest.mark.parametrize(
    ("goal", "calls"),
    [
        # how often, how many
        ("Order 3 bags of dill seeds twice.", ORDER),
        ("Order 3 bags of dill seeds three times.", ORDER),
        ("Order 3 bags of dill seeds again.", ORDER),
        ("Cancel both deliveries with the number 40.", CANCEL),
        ("Cancel two deliveries with the number 40.", CANCEL),
        ("Cancel the second delivery with the number 40.", CANCEL),
        ("Order two of the 3 bags of dill seeds.", ORDER),
        # all but, not
        ("Cancel every delivery except number 40.", CANCEL),
        ("Cancel all deliveries but number 40.", CANCEL),
        ("Cancel any delivery other than number 40.", CANCEL),
        ("Order 3 bags of seeds, only not dill.", ORDER),
        ("Order 3 bags of seeds without dill.", ORDER),
        ("Don't order 3 bags of dill seeds.", ORDER),
        ("Order seeds instead of 3 bags of dill.", ORDER),
        # how much, which way
        ("Order half of the 3 bags of dill seeds.", ORDER),
        ("Order at most 3 bags of dill seeds.", ORDER),
        ("Order more than 3 bags of dill seeds.", ORDER),
        ("Order 3 bags of dill seeds back.", ORDER),
        ("Order the cheapest 3 bags of dill seeds.", ORDER),
        ("Order up to 3 bags of dill seeds.", ORDER),
        ("Order over 3 bags of dill seeds.", ORDER),
        ("Order 3 bags of dill seeds now and then.", ORDER),
        # when, how
        ("Order 3 bags of dill seeds tomorrow.", ORDER),
        ("Order 3 bags of dill seeds later.", ORDER),
        ("Order 3 bags of dill seeds for one year.", ORDER),
        ("Order 3 bags of dill seeds by courier.", ORDER),
        ("Order 3 bags of dill seeds anonymously.", ORDER),
        ("It has to be tomorrow. Order 3 bags of dill seeds.", ORDER),
        ("Order 3 bags of dill seeds. I want them tomorrow.", ORDER),
        ("I want it twice, order 3 bags of dill seeds.", ORDER),
        # on a condition
        ("Order 3 bags of dill seeds unless there are some.", ORDER),
        ("Cancel delivery 40 if nobody waits for it.", CANCEL),
        ("If it rains, cancel delivery 40.", CANCEL),
        ("Cancel delivery 40 once it is late.", CANCEL),
        # another deed, or somebody else's
        ("Cancel delivery 40 and email the nursery.", CANCEL),
        ("Cancel delivery 40 and then end it.", CANCEL),
        ("Ask Ada to cancel delivery 40.", CANCEL),
        ("Have 'Ada' cancel delivery 40.", CANCEL),
        # nothing is asked
        ("I can cancel delivery 40.", CANCEL),
        ("You should have cancelled delivery 40.", CANCEL),
        # no sentence at all
        ("Cancel 40, considering delivery.", CANCEL),
        ("Cancel delivery 40 harvest nursery.", CANCEL),
    ],
)
def test_words_that_no_call_accounts_for_refuse(goal: str, calls: tuple[RecordedCall, ...]) -> None:
    score = says(goal, perform(*calls), TOOLS)
    assert score.value == 0.0
    assert score.reason is not None


@pytest.mark.parametrize("more", ["twice", "by courier", "tomorrow", "unless it rains", "back"])
def test_what_is_not_accounted_for_is_counted_apart(more: str) -> None:
    score = says(f"Order 3 bags of dill seeds {more}.", perform(*ORDER), TOOLS)
    assert score.reason is Reason.UNSCORED
    assert more.split()[-1] in score.explanation or more.split()[0] in score.explanation


def test_what_came_back_shows_no_count() -> None:
    goal = "Order 3 bags of dill seeds and note the next number."
    assert says(goal, perform(*ORDER), TOOLS).value == 0.0


def test_no_word_both_claims_and_claims_nothing() -> None:
    assert not [word for word in lexicon().silent if claim_of(word) is not None]
