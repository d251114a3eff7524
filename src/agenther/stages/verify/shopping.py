"""Checks of shopping goals: the order stands, the pages follow, the product was sought, the goal is another than the old."""

from __future__ import annotations

import re

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.extract.purchase import LEAST_ON_PRODUCT, Bought, content_words, read_claim
from agenther.stages.extract.shopping import is_buying, purchases, query_of
from agenther.stages.language.outcomes import failed
from agenther.stages.language.shop_pages import listed_products, product_page
from agenther.stages.language.shop_words import same
from agenther.stages.language.words import content_stems

_FRAME = frozenset(
    """
    look wear match choose pick select prefer preferably make sure buy get find option brand need want would like price
    dollar something also one thing allow come hey please let someone my im nee search try interested show give purchase
    """.split()
)
"""Words that frame a request and ask for nothing."""
_EASILY_SAID = frozenset(
    """
    easy use carry clean install assemble apply good great high quality perfect nice best comfortable durable long last
    lasting color size style type pair set new live room property design capable support work ready gift day
    pack compatible made make could may might should different
    """.split()
)
"""Words for what no title shows: missing them is no visible failure."""
_OPTIONS = re.compile(r", in |, and price |, under \$")
_PRICE_TAIL = re.compile(
    r",?\s*(?:and )?(?:with )?(?:a )?price (?:lower|less) than.*$|,?\s*(?:for )?(?:under|less than|below) \$?\d.*$"
)
_BOUND_SAID = re.compile(r"(?:lower|less) than \$?\s*(\d[\d,.]*)|(?:under|below) \$?\s*(\d[\d,.]*)")


def check_order(rewritten: Rewritten) -> Score:
    """Refuse unless the run, read anew, ends by ordering this product with these options."""
    by, proposal = "check:shop_order", rewritten.proposal
    anew = [claim for claim in purchases(rewritten.trajectory) if claim.data == proposal.claims[0].data]
    if not anew or anew[0].evidence != proposal.claims[0].evidence:
        return refused(by, Reason.EVIDENCE_FAILED, "the run does not show this purchase")
    kept = {step.step_id for step in rewritten.steps}
    if not {span.step for span in anew[0].evidence} <= kept:
        return refused(by, Reason.EVIDENCE_FAILED, "a step of the purchase is not kept")
    if not any(is_buying(call) for call in rewritten.steps[-1].tool_calls):
        return refused(by, Reason.EVIDENCE_FAILED, "the kept run does not end with the order")
    return passed(by, "the order went through with the options of the goal", anew[0].evidence)


def check_pages(rewritten: Rewritten) -> Score:
    """Refuse when a kept click aims at something that the page before it does not show."""
    by = "check:shop_pages"
    page = ""
    for step in rewritten.steps:
        if step.source != "agent":
            page = step.message or page
            continue
        source = rewritten.trajectory.step(step.step_id)
        for call in step.tool_calls:
            target = call.text("target")
            if target is not None and page and not failed(source) and target.casefold() not in page.casefold():
                return refused(
                    by, Reason.NOT_TRUE, f"step {step.step_id} clicks {target!r}, which the page does not show"
                )
        text = source.observations[-1].content if source.observations else ""
        if product_page(text) is not None or listed_products(text) or "[Search]" in text:
            page = text
    return passed(by, "every kept click aims at the page before it")


def check_sought(rewritten: Rewritten) -> Score:
    """Refuse when the search hardly fits the product, or carries loss and asks for what the goal does not."""
    by, bought = "check:shop_sought", _bought(rewritten)
    if bought is None or bought.fit < LEAST_ON_PRODUCT:
        share = 0.0 if bought is None else bought.fit
        return refused(by, Reason.BY_CHANCE, f"{share:.0%} of the searched words are on the product")
    said = content_stems(rewritten.proposal.goal)
    for step in rewritten.steps:
        if step.step_id not in rewritten.train_on:
            continue
        queries = [query for call in step.tool_calls if (query := query_of(call))]
        if unsaid := [sorted(content_stems(q) - said) for q in queries if content_stems(q) - said]:
            return refused(by, Reason.STILL_SPEAKS_OF_OLD_GOAL, f"step {step.step_id} searches for {unsaid[0]}")
    return passed(by, f"{bought.fit:.0%} of the searched words are on the product")


def check_differs(rewritten: Rewritten) -> Score:
    """Refuse when the product fulfils the old goal as far as the page shows, or the new goal adds nothing to it."""
    by, bought = "check:shop_differs", _bought(rewritten)
    if bought is None:
        return refused(by, Reason.EVIDENCE_FAILED, "the purchase cannot be read")
    old = rewritten.trajectory.goal.casefold()
    frame = frozenset(same(word) for word in _FRAME)
    wanted = _stems(_PRICE_TAIL.sub("", old)) - frame
    easy = frozenset(same(word) for word in _EASILY_SAID)
    missing = wanted - bought.words - easy
    new = _stems(_PRICE_TAIL.sub("", rewritten.proposal.goal)) - wanted - easy - frame
    named = _stems(_OPTIONS.split(rewritten.proposal.goal)[0]) & new
    if not missing and not _too_dear(old, bought) and (wanted <= bought.words or len(named) < 3):
        return refused(by, Reason.PROBABLY_SUCCEEDED, "the product bears all that the old goal asks for")
    if len(new) < 2:
        return refused(by, Reason.REWORDING, f"beside the old goal it only says {sorted(new)}")
    return passed(by, f"misses {sorted(missing)[:4]}, adds {sorted(new)[:4]}")


def _bought(rewritten: Rewritten) -> Bought | None:
    return read_claim(rewritten.trajectory, rewritten.proposal.claims[0])


def _stems(text: str) -> frozenset[str]:
    return frozenset(same(word) for word in content_words(text))


def _too_dear(old: str, bought: Bought) -> bool:
    """Tell whether the product costs more than the old goal allowed."""
    said, price = _BOUND_SAID.search(old), bought.page.highest_price()
    if said is None or price is None:
        return False
    return price >= float((said.group(1) or said.group(2)).replace(",", "").rstrip("."))


CHECKS = (check_order, check_pages, check_sought, check_differs)
"""The checks of both shopping domains."""
