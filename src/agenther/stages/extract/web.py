"""Web sites: pages that the agent reached, and forms that it filled in and sent.

A page is an achievement when it tells its own name twice, in its title and in a heading. A form is one when the page after
it says, in words that were not there before, that something was saved or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agenther.conclusions import Claim
from agenther.record import Json
from agenther.stages.language.web import Element, Page, Visit, visits
from agenther.stages.language.web_actions import CHOOSES, CLICKS, TYPES, is_search, may_reload
from agenther.trajectory import Span, Trajectory, find_text

_DONE = re.compile(
    r"\b(?:you (?:have )?(?:saved|created|sent|submitted|added|updated|deleted|posted|placed|removed|subscribed)|thank(?:s| you)"
    r"|success(?:ful(?:ly)?)?"
    r"|(?:has|have|was|were) (?:been )?(?:saved|sent|created|submitted|updated|added|received|placed|posted|deleted|removed))\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:not|n['’]t|error|fail(?:s|ed|ure)?|invalid|required|unable|cannot|unsuccessful)\b", re.IGNORECASE
)
_ASKING = frozenset(
    "heading title rootwebarea webarea document textbox searchbox combobox checkbox radio option".split()
)
"""What may speak of errors and requirements without telling of one."""
LONGEST_NAME = 60


def claims(trajectory: Trajectory) -> Iterator[Claim]:
    """Yield a claim for each page that was reached for the first time, each search, and each form that was confirmed."""
    walk = visits(trajectory)
    seen = {page.place for page in (walk[0].before,) if page is not None} if walk else set[str]()
    for i, visit in enumerate(walk):
        after = visit.after
        if after is None:
            continue
        is_new = after.place not in seen
        seen.add(after.place)
        if (sent := searched(walk, i)) is not None:
            yield _search(visit, *sent)
        elif (
            is_new and not went_back(visit) and after.sound and (name := after.name) is not None and is_speakable(name)
        ):
            yield _page(visit, after, name)
        told, form = confirmation(visit), filled_in(walk, i)
        if told is not None and form and visit.before is not None and visit.target is not None:
            yield _form(visit, told, form)


def went_back(visit: Visit) -> bool:
    """Tell whether an action went through the browser's history: to what was open before, perhaps before the run began."""
    return visit.action is not None and visit.action.kind in ("go_back", "go_forward", "navigate_back")


def is_speakable(name: Element) -> bool:
    """Tell whether a page's name can stand in a sentence."""
    words = name.name.split()
    return (
        len(name.name) <= LONGEST_NAME
        and 0 < len(words) <= 8
        and any(c.isalpha() for c in name.name)
        and '"' not in name.name
    )


def typed_before(walk: Sequence[Visit], at: int) -> tuple[Visit, str] | None:
    """Return the action that typed what action `at` may send: itself, or the one before it on the same page."""
    for visit in (walk[at], *(walk[at - 1 : at] if at else ())):
        if visit.action is not None and visit.action.kind in TYPES and len(visit.action.text.strip()) > 1:
            return visit, visit.action.text.strip()
    return None


def searched(walk: Sequence[Visit], at: int) -> tuple[Visit, str] | None:
    """Return the action that typed what action `at` searched for, and the text; None when it was no search."""
    if (typed := typed_before(walk, at)) is None:
        return None
    target = typed[0].target
    field = "" if target is None else f"{target.role} {target.name}"
    return typed if is_search(walk[at], field, typed[1]) else None


def confirmation(visit: Visit) -> Element | None:
    """Return what the page after a click says about its being done: a text that the page before did not have."""
    action, before, after = visit.action, visit.before, visit.after
    if action is None or action.kind not in CLICKS or before is None or after is None or after.failed:
        return None
    if visit.target is None or visit.target.role != "button":
        return None
    old = {one.name for one in before.elements}
    said = [one for one in after.elements if one.name not in old and one.role not in ("link", "button", "menuitem")]
    if any(_DENIED.search(one.name) for one in said if one.role not in _ASKING):
        return None
    return next((one for one in said if _DONE.search(one.name)), None)


def filled_in(walk: Sequence[Visit], at: int) -> list[tuple[Element, Visit]]:
    """Return the fields filled in since the page of action `at` was loaded, with the last value of each."""
    before = walk[at].before
    last: dict[str, tuple[Element, Visit]] = {}
    for visit in walk[:at]:
        here = visit.before is not None and before is not None and visit.before.place == before.place
        if not here or may_reload(visit):
            last.clear()
        elif (
            visit.action is not None
            and visit.action.kind in TYPES | CHOOSES
            and visit.target is not None
            and not (visit.after is not None and visit.after.failed)
        ):
            last.pop(visit.target.bid, None)
            last[visit.target.bid] = (visit.target, visit)
    return list(last.values())


def is_one_form(page: Page, fields: Sequence[Element], button: Element) -> bool:
    """Tell whether fields and a button belong together: no other button stands between them, and none is a search box."""
    places = [one.at for one in fields]
    first, last = min(places, default=button.at), max(places, default=button.at)
    between = [one for one in page.elements if one.role == "button" and first < one.at < button.at]
    return last < button.at and not between and all(one.role != "searchbox" for one in fields)


def _page(visit: Visit, after: Page, name: Element) -> Claim:
    title = after.title
    at = (after.span(after.url_at), after.span(name.at), *((after.span(title.at),) if title else ()))
    return Claim(
        text=f"the agent opened {name.name!r} at {after.url}",
        kind="web.page",
        evidence=at,
        data={"step": visit.step.step_id, "name": name.name},
    )


def _search(visit: Visit, typed: Visit, text: str) -> Claim:
    after = visit.after
    assert after is not None
    written = typed_at(typed, text)
    return Claim(
        text=f"the agent searched for {text!r}",
        kind="web.search",
        evidence=(after.span(after.url_at), *written),
        data={"step": visit.step.step_id, "typed": typed.step.step_id, "text": text},
    )


def _form(visit: Visit, told: Element, form: list[tuple[Element, Visit]]) -> Claim:
    before, after, button = visit.before, visit.after, visit.target
    assert before is not None
    assert after is not None
    assert button is not None
    fields: list[Json] = [
        {"label": f.name, "value": v.action.text if v.action else "", "step": v.step.step_id} for f, v in form
    ]
    return Claim(
        text=f"the agent filled in {len(form)} fields and pressed {button.name!r}: {told.name!r}",
        kind="web.form",
        evidence=(after.span(told.at), before.span(button.at)),
        data={"step": visit.step.step_id, "button": button.name, "fields": fields},
    )


def typed_at(visit: Visit, text: str) -> tuple[Span, ...]:
    """Return where a call says what was typed."""
    found = find_text(visit.step, "tool_calls[0].arguments", text)
    return () if found is None else (found,)
