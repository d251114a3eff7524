"""What an action in the browser does: looks, types, or may change something on the site."""

from __future__ import annotations

import re

from agenther.stages.language.web import Page, Visit, queried
from agenther.stages.language.words import content_stems

CLICKS = frozenset({"click", "dblclick", "left_click"})
TYPES = frozenset({"fill", "type", "fill_form", "input", "input_text", "type_text"})
CHOOSES = frozenset({"select_option", "select"})
ENTERS = frozenset({"press", "press_key", "key", "keyboard"})
LOOKS = frozenset(
    "goto navigate go_back go_forward navigate_back scroll hover focus noop wait wait_for tab_focus new_tab tab_close"
    " snapshot take_screenshot tabs".split()
)
"""Actions that change nothing on the site."""
_STILL = frozenset("scroll hover focus noop wait wait_for snapshot take_screenshot".split())
"""Actions after which what was typed still stands."""
_WRITTEN_IN = frozenset({"textbox", "searchbox", "combobox", "listbox", "option"})
_CHANGES = re.compile(
    r"\b(?:add|apply|approve|archive|assign|bookmark|book|buy|cancel|change|check ?out|close issue|comment|commit"
    r"|confirm|create|delete|disable|discard|downvote|edit|enable|favou?rite|flag|follow|fork|generate|hide"
    r"|import|invite|invoice|join|leave|like|lock|log ?out|mark|merge|move|order now|pay|pin|place order|post"
    r"|publish|refund|reindex|remove|rename|reorder|reply|report|reset|run|save|send|ship|sign ?out|star|submit"
    r"|subscribe|toggle|unfollow|unsubscribe|unwatch|update|upload|upvote|vote|watch|wish ?list|withdraw|write)\b",
    re.IGNORECASE,
)
"""Words on buttons and links that change something, or may."""
_OPENS = re.compile(
    r"\b(?:menu|navigation|show|view|more|next|previous|expand|collapse|open|close|details?|search|find|filter|sort)\b",
    re.IGNORECASE,
)
"""Words on buttons that only show something."""
_PRESSED = frozenset(
    {"button", "checkbox", "switch", "radio", "option", "menuitemcheckbox", "menuitemradio", "spinbutton"}
)


def is_search(visit: Visit, typed: str) -> bool:
    """Tell whether an action sent a text as a search: the page that it led to is asked for by that text."""
    submits = visit.action is not None and visit.action.kind in CLICKS | ENTERS | TYPES
    led = visit.after is not None and (visit.before is None or visit.after.place != visit.before.place)
    return submits and led and visit.after is not None and queried(visit.after.url, typed)


def may_change(visit: Visit) -> str | None:
    """Return what an action may have changed on the site; None when it only looks, or types what was not sent.

    A click on a link that names the page to which it led looks; one on a button, or on a word that changes things, may not.
    """
    action, target = visit.action, visit.target
    if action is None:
        return None if not visit.step.tool_calls else "several calls in one step"
    if action.kind in LOOKS | TYPES | CHOOSES:
        return None
    if action.kind in ENTERS:
        return f"a key: {action.text!r}" if moved(visit) else None
    if action.kind not in CLICKS:
        return f"an action {action.kind!r}"
    if target is None:
        return "a click on what the page does not show"
    if _CHANGES.search(target.name):
        return f"a click on {target.name!r}"
    if (
        moved(visit)
        and visit.after is not None
        and not (_OPENS.search(target.name) or _leads_to(target.name, visit.after))
    ):
        return f"a click on {target.name!r}, which does not name the page that came"
    if target.role in _PRESSED and not (target.role == "button" and _OPENS.search(target.name)):
        return f"a click on the {target.role} {target.name!r}"
    return None


def may_reload(visit: Visit) -> bool:
    """Tell whether an action may have loaded the page anew, so that what was typed before is gone."""
    action, target = visit.action, visit.target
    if action is None or action.kind in TYPES | CHOOSES | _STILL:
        return False
    return not (action.kind in CLICKS and target is not None and target.role in _WRITTEN_IN)


def _leads_to(name: str, page: Page) -> bool:
    """Tell whether a link names the page to which it led, in its title or in a heading."""
    titles = (page.title, page.name)
    return any(content_stems(name) & content_stems(one.name) for one in titles if one is not None)


def moved(visit: Visit) -> bool:
    """Tell whether an action led to another page."""
    return place_of(visit.before) != place_of(visit.after)


def place_of(page: Page | None) -> str | None:
    """Return the place of a page; None without one."""
    return None if page is None else page.place
