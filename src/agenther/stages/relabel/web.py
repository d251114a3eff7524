"""Goals of web sites: open a page, search and open what was found, fill in a form and send it.

Only the last page of a run gives a goal, for the pages before it lie on the way. A form gives one wherever it was sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agenther.conclusions import Claim, Proposal, Reason, Refusal, Stage
from agenther.stages.extract.web import filled_in, is_one_form, typed_at
from agenther.stages.language.web import Element, Page, Visit, visits
from agenther.stages.language.web_actions import (
    CLICKS,
    LOOKS,
    OPENS_URL,
    came_to_nothing,
    is_written,
    may_change,
    moved,
    place_of,
)
from agenther.stages.relabel.draft import Draft, listed
from agenther.trajectory import Trajectory

_ELSEWHERE = frozenset({"link", "searchbox", "textbox", "combobox"})
"""Roles of elements that are the same wherever they stand under the same name."""


def compose(trajectory: Trajectory, claims: tuple[Claim, ...]) -> Iterator[Proposal | Refusal]:
    """Yield a goal for the last page, and one for each form; or why there is none."""
    walk = visits(trajectory)
    arrivals = [claim for claim in claims if claim.kind != "web.form"]
    if arrivals:
        yield _arrival(walk, arrivals)
    for claim in claims:
        if claim.kind == "web.form":
            yield _form(walk, claim)


def _arrival(walk: list[Visit], claims: list[Claim]) -> Proposal | Refusal:
    """Return the goal of the last page: how it was searched for, if it was, and its name."""
    last = _step(claims[-1])
    way = [visit for visit in walk if visit.step.step_id <= last]
    searches = [claim for claim in claims if claim.kind == "web.search"]
    if (stray := _stray(way, {int(str(c.data["typed"])) for c in searches} | {_step(c) for c in searches})) is not None:
        return _refusal(*stray, claims[-1])
    draft = Draft()
    search = searches[-1] if searches else None
    if search not in (None, claims[-1]) and not _found_by(walk, _step(search), last):
        return _refusal(Reason.UNNATURAL, "the page was not opened from what the search found", claims[-1])
    used = (claims[-1],) if search in (None, claims[-1]) else (search, claims[-1])
    if search is not None:
        draft.say("Search for ").state(f'"{search.data["text"]}"', "search", search.evidence)
    if claims[-1].kind == "web.page":
        name = str(claims[-1].data["name"])
        draft.say(" and open the page " if search is not None else "Open the page ")
        draft.state(f'"{name}"', "page", claims[-1].evidence)
    return _proposal(draft, walk, last, used)


def _found_by(walk: list[Visit], search: int, last: int) -> bool:
    """Tell whether the last page was opened from the page that a search led to."""
    by_step = {visit.step.step_id: visit for visit in walk}
    return place_of(by_step[search].after) == place_of(by_step[last].before)


def _form(walk: list[Visit], claim: Claim) -> Proposal | Refusal:
    """Return the goal of a form: each field with its value, and the button."""
    at = next(i for i, visit in enumerate(walk) if visit.step.step_id == _step(claim))
    form, before = filled_in(walk, at), walk[at].before
    allowed = {visit.step.step_id for _, visit in form} | {_step(claim)}
    if (stray := _stray(walk[: at + 1], allowed)) is not None:
        return _refusal(*stray, claim)
    page = before.name if before is not None else None
    if before is None or page is None:
        return _refusal(Reason.NO_NATURAL_GOAL, "the page of the form does not tell its name", claim)
    button = walk[at].target
    if button is None or not is_one_form(before, [field for field, _ in form], button):
        return _refusal(Reason.AMBIGUOUS, "not all that was filled in belongs to the button", claim)
    draft = Draft().say("On the page ").state(f'"{page.name}"', "form", [before.span(page.at)])
    for joint, (field, visit) in zip(_joints(len(form)), form, strict=True):
        named = _label(before, field)
        if (
            named is None
            or visit.before is None
            or visit.action is None
            or not visit.action.text.strip()
            or '"' in visit.action.text
        ):
            return _refusal(
                Reason.NO_NATURAL_GOAL, "a field has no name of its own, or nothing was written in it", claim
            )
        draft.say(joint).state(f'"{named}"', "field", [visit.before.span(field.at)])
        draft.say(" to ").state(f'"{visit.action.text.strip()}"', "value", typed_at(visit, visit.action.text.strip()))
    draft.say(" and press ").state(f'"{claim.data["button"]}"', "button", claim.evidence)
    return _proposal(draft, walk, _step(claim), (claim,))


def _joints(n: int) -> list[str]:
    return [" set " if i == 0 else joint for i, (joint, _) in enumerate(listed([""] * n))] if n > 1 else [" set "]


def _label(page: Page, field: Element) -> str | None:
    """Return the name of a field without its mark of being required; None when another one is called the same."""
    alike = [one for one in page.elements if one.name == field.name and one.role == field.role]
    name = field.name.strip(" *:")
    return name if len(alike) == 1 and name and '"' not in name else None


def _stray(way: Sequence[Visit], allowed: set[int]) -> tuple[Reason, str] | None:
    """Return why a way to a goal does more than the goal asks: it may have changed something, or typed what else."""
    for visit in way:
        if visit.step.step_id in allowed or came_to_nothing(visit):
            continue
        if (change := may_change(visit)) is not None:
            return Reason.SIDE_EFFECT, f"step {visit.step.step_id}: {change}"
        if visit.action is not None and visit.action.kind not in LOOKS | CLICKS:
            return Reason.SIDE_EFFECT, f"step {visit.step.step_id} types or chooses what the goal does not name"
    return None


def _proposal(draft: Draft, walk: list[Visit], last: int, claims: tuple[Claim, ...]) -> Proposal:
    way = [visit for visit in walk if visit.step.step_id <= last]
    useful = _useful(way)
    return Proposal(
        goal=f"{draft.text}.",
        strategy="final" if last == walk[-1].step.step_id else "future",
        domain="web",
        claims=claims,
        parts=tuple(draft.parts),
        last_step=last,
        mask_steps=tuple(visit.step.step_id for visit in way if visit.step.step_id not in useful),
        useful_steps=tuple(sorted(useful)),
        effect=True,
    )


def _useful(way: list[Visit]) -> set[int]:
    """Return the steps on the shortest way to the last page or form that the run itself shows: no errors, no detours.

    A link or a box may have stood on an earlier page too: then the way may go on from there. The recorded way wins a tie.
    """
    useful: set[int] = set()
    led = _led(way)
    before = _ways(way, led)
    at: int | None = len(way) - 1
    while at is not None:
        useful.add(way[at].step.step_id)
        useful |= {visit.step.step_id for visit in way[led[at] + 1 : at] if _prepares(visit, way[at])}
        at = before[at]
    return useful


def _ways(way: list[Visit], led: list[int]) -> list[int | None]:
    """Return for each action the one before it on the shortest way that leads there; None for the first of a way."""
    before: list[int | None] = []
    lengths: list[int] = []
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    for at, visit in enumerate(way):
        length, last = (lengths[led[at]], led[at]) if led[at] >= 0 else (0, -1)
        for one in visit.before.elements if visit.before is not None else ():
            if one.role in _ELSEWHERE and length < seen.get(one[1:3], (length + 1, 0))[0]:
                seen[one[1:3]] = (length, last)
        if visit.action is not None and visit.action.kind in OPENS_URL:
            length, last = 0, -1
        elif (first := _first_used(way[led[at] + 1 : at + 1])) is not None:
            length, last = min((length, last), seen.get(first[1:3], (length, last)), key=lambda found: found[0])
        lengths.append(length + 1)
        before.append(last if last >= 0 else None)
    return before


def _first_used(way: list[Visit]) -> Element | None:
    """Return the first box that was written in on a page, else what the last action there clicked."""
    written = (visit.target for visit in way if is_written(visit) and not came_to_nothing(visit))
    return next(written, way[-1].target)


def _led(way: list[Visit]) -> list[int]:
    """Return for each action the one that led to its page; -1 where that page was the first."""
    led, last = list[int](), -1
    for at, visit in enumerate(way):
        led.append(last)
        if moved(visit) and not came_to_nothing(visit):
            last = at
    return led


def _prepares(visit: Visit, last: Visit) -> bool:
    """Tell whether an action that stayed on its page was needed there: it typed or chose, or showed what was used last."""
    if came_to_nothing(visit) or visit.action is None:
        return False
    before = visit.before.elements if visit.before is not None else ()
    shows = last.target is not None and all(one[1:3] != last.target[1:3] for one in before)
    return is_written(visit) or (visit.action.kind in CLICKS and shows)


def _step(claim: Claim) -> int:
    return int(str(claim.data["step"]))


def _refusal(reason: Reason, detail: str, claim: Claim) -> Refusal:
    return Refusal(stage=Stage.PROPOSE, reason=reason, detail=detail, evidence=claim.evidence)
