"""Checks of web goals, made from the pages alone: the page is there and new, the form is sent as said, nothing else was done."""

from __future__ import annotations

import re

from agenther.conclusions import Reason, Rewritten, Score, passed, refused
from agenther.stages.extract.web import confirmation, filled_in, is_one_form, searched, went_back
from agenther.stages.language.web import Visit, visits
from agenther.stages.language.web_actions import CHOOSES, ENTERS, TYPES, came_to_nothing, may_change
from agenther.stages.language.words import content_stems

LEAST_STEPS = 2
"""Useful steps below which a goal is a single click."""
LEAST_MORE = 2
"""Content words that the old goal must have beyond the new one; with fewer it asked for the same thing."""
_OPENING = frozenset("open page website site navigate visit click link button press set form".split())

_SECRET = re.compile(r"pass(?:word|phrase|code)|\bPIN\b|\bCV[VC]|card number|security code|secret|token", re.IGNORECASE)
"""Names of fields whose values are kept to oneself."""


def check_page(rewritten: Rewritten) -> Score | None:
    """Refuse when the last action did not lead to a sound page of that name that had not been open before."""
    by, said = "check:web.page", _said(rewritten, "page")
    if not said:
        return None
    walk = _walk(rewritten)
    after = walk[-1].after if walk else None
    if after is None or not after.sound or after.name is None or after.name.name != said[0]:
        return refused(
            by, Reason.EVIDENCE_FAILED, f"the last action does not lead to a page that calls itself {said[0]!r}"
        )
    if went_back(walk[-1]) or any(
        page is not None and page.place == after.place for visit in walk for page in (visit.before,)
    ):
        return refused(by, Reason.TRIVIAL, "the page had been open before")
    return passed(
        by, f"title and heading say {after.name.name!r}", [after.span(after.url_at), after.span(after.name.at)]
    )


def check_search(rewritten: Rewritten) -> Score | None:
    """Refuse when no kept action led to a page that is asked for by the text of the goal."""
    by, said = "check:web.search", _said(rewritten, "search")
    if not said:
        return None
    walk = _walk(rewritten)
    sent = [i for i, _ in enumerate(walk) if _searched(walk, i) is not None]
    if not sent or _searched(walk, sent[-1]) != said[0]:
        return refused(
            by, Reason.EVIDENCE_FAILED, f"no page was asked for by {said[0]!r}, or a later one by something else"
        )
    if len({_searched(walk, i) for i in sent}) > 1:
        return refused(by, Reason.SIDE_EFFECT, "the run searched for other things too")
    return passed(by, f"the site was searched for {said[0]!r}")


def check_form(rewritten: Rewritten) -> Score | None:
    """Refuse when the form was not sent just so: its page, every field with its last value, the button, a confirmation."""
    by, pages = "check:web.form", _said(rewritten, "form")
    if not pages:
        return None
    walk = _walk(rewritten)
    sent = walk[-1] if walk else None
    before = sent.before if sent is not None else None
    if sent is None or before is None or before.name is None or before.name.name != pages[0]:
        return refused(by, Reason.EVIDENCE_FAILED, f"the form was not sent from a page that calls itself {pages[0]!r}")
    if secret := next((name for name in _said(rewritten, "field") if _SECRET.search(name)), None):
        return refused(by, Reason.NO_NATURAL_GOAL, f"nobody tells the {secret!r} in a request")
    if (told := confirmation(sent)) is None:
        return refused(by, Reason.EVIDENCE_FAILED, "no page says that it was done")
    if sent.target is None or _said(rewritten, "button") != [sent.target.name]:
        return refused(by, Reason.NOT_TRUE, "another button was pressed")
    if not is_one_form(before, [field for field, _ in filled_in(walk, len(walk) - 1)], sent.target):
        return refused(by, Reason.AMBIGUOUS, "not all that was filled in belongs to the button")
    filled = [
        (field.name.strip(" *:"), v.action.text.strip() if v.action else "")
        for field, v in filled_in(walk, len(walk) - 1)
    ]
    if list(zip(_said(rewritten, "field"), _said(rewritten, "value"), strict=False)) != filled:
        return refused(by, Reason.NOT_TRUE, "the goal does not name every field with what was written in it last")
    return passed(by, f"the site says {told.name!r}")


def check_nothing_else(rewritten: Rewritten) -> Score:
    """Refuse when a kept action may have changed what the goal does not speak of."""
    by, walk = "check:web.nothing_else", _walk(rewritten)
    named = {*_said(rewritten, "search"), *_said(rewritten, "value")}
    for i, visit in enumerate(walk):
        if came_to_nothing(visit):
            continue
        if visit.action is not None and visit.action.kind in TYPES | CHOOSES and visit.action.text.strip() not in named:
            return refused(by, Reason.SIDE_EFFECT, f"step {visit.step.step_id} writes {visit.action.text!r}")
        is_the_last = i == len(walk) - 1 and bool(_said(rewritten, "form"))
        if not is_the_last and _searched(walk, i) is None and (change := may_change(visit)) is not None:
            return refused(by, Reason.SIDE_EFFECT, f"step {visit.step.step_id}: {change}")
        if (
            visit.action is not None
            and visit.action.kind in ENTERS
            and visit.action.text.casefold() in ("delete", "backspace")
        ):
            return refused(by, Reason.SIDE_EFFECT, f"step {visit.step.step_id} presses {visit.action.text!r}")
    return passed(by, "every other action only looks")


def check_worth(rewritten: Rewritten) -> Score:
    """Refuse a goal of a single click, and one that the old goal hardly goes beyond: the run would have failed it too."""
    by, proposal = "check:web.worth", rewritten.proposal
    n_useful = len(set(proposal.useful_steps) & set(rewritten.train_on))
    if n_useful < LEAST_STEPS:
        return refused(by, Reason.TRIVIAL, f"{n_useful} action is no task")
    more = content_stems(rewritten.trajectory.goal) - content_stems(proposal.goal) - _OPENING
    if len(more) < LEAST_MORE:
        return refused(by, Reason.REWORDING, f"the old goal only adds {sorted(more)}")
    return passed(by, f"{n_useful} actions; the old goal also spoke of {sorted(more)[:5]}")


CHECKS = (check_page, check_search, check_form, check_nothing_else, check_worth)


def _walk(rewritten: Rewritten) -> list[Visit]:
    """Return the visits of the run up to the achieving step, as they were recorded."""
    return [visit for visit in visits(rewritten.trajectory) if visit.step.step_id <= rewritten.proposal.last_step]


def _searched(walk: list[Visit], at: int) -> str | None:
    """Return the text by which an action searched; None when it did not."""
    found = searched(walk, at)
    return None if found is None else found[1]


def _said(rewritten: Rewritten, kind: str) -> list[str]:
    """Return what the goal names in its parts of a kind, without the quotes."""
    goal = rewritten.proposal.goal
    return [goal[part.start : part.end].strip('"') for part in rewritten.proposal.parts if part.kind == kind]
