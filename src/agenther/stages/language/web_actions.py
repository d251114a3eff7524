"""What an action in the browser does: looks, types, or may change something on the site."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from agenther.stages.language.web import Page, Visit, queried
from agenther.stages.language.words import content_stems
from agenther.texts import split_url

CLICKS = frozenset({"click", "dblclick", "left_click"})
TYPES = frozenset({"fill", "type", "fill_form", "input", "input_text", "type_text"})
CHOOSES = frozenset({"select_option", "select"})
ENTERS = frozenset({"press", "press_key", "key", "keyboard"})
OPENS_URL = frozenset({"goto", "navigate"})
LOOKS = frozenset(
    "goto navigate go_back go_forward navigate_back scroll hover focus noop wait wait_for tab_focus new_tab tab_close"
    " snapshot take_screenshot tabs".split()
)
"""Actions that change nothing on the site."""
_STILL = frozenset("scroll hover focus noop wait wait_for snapshot take_screenshot".split())
"""Actions after which what was typed still stands."""
_WRITTEN_IN = frozenset({"textbox", "searchbox", "combobox", "listbox", "option"})
_CHANGES = re.compile(
    r"^\W*(?:clone|rate|register|release|start|stop|switch|transfer)\b"
    r"|\b(?:accept|activate|add|allow|apply|approve|archive|assign|block|bookmark|book|buy|cancel"
    r"|change|check ?out|clear|close issue|comment|commit|confirm|create|deactivate|decline|delete|disable|discard|dismiss"
    r"|donate|downvote|duplicate|edit|empty|enable|enrol{1,2}|favou?rite|flag|follow|fork|generate|grant|hide"
    r"|import|install|invite|invoice|join|leave|like|lock|log ?off|log ?out|mark|merge|move|mute|order now|pay|pause|pin"
    r"|place order|post|publish|purge|redeem|refund|reindex|reject|remove|rename|reorder|reply|report|reserve|reset|restart"
    r"|restore|resume|retry|revert|revoke|run|save|send|ship|sign ?out|star|submit|subscribe|suspend|toggle|turn (?:off|on)"
    r"|undo|unfollow|uninstall|unlock|unpin|unstar|unsubscribe|unwatch|update|upgrade|upload|upvote|vote|watch|wish ?list"
    r"|withdraw|write)\b",
    re.IGNORECASE,
)
"""Words on buttons and links that change something, or may."""
_OPENS = re.compile(
    r"\b(?:menu|navigation|show|view|more|next|previous|expand|collapse|open|close|details?|search|find|filter|sort)\b",
    re.IGNORECASE,
)
"""Words on buttons that only show something."""
_SEARCHES = re.compile(r"search|find|look ?up|quer(?:y|ies)|keywords?|filter", re.IGNORECASE)
"""Words on fields and buttons for searching, and in the addresses to which these lead."""
_ASKED_AS = frozenset("q s k term terms".split())
"""Names of parameters that hold what is searched for, besides those words."""
_CHANGING_ADDRESS = re.compile(
    r"(?:add|add[-_]?to[-_]?\w+|cancel|checkout_success|clear|confirm|decline|delete|destroy|disable|downvote|empty|enable|follow"
    r"|like|log[-_]?off|log[-_]?out|mark[-_]?\w*read|mass\w+|pay|place[-_]?order|purge|remove|reorder|reset|revert|save|send|sign[-_]?out"
    r"|subscribe|toggle|unfollow|unsubscribe|update|upvote|vote)",
    re.IGNORECASE,
)
"""Parts of addresses that change something by being opened."""
_TOOK_PLACE = re.compile(r"performing \w+ action|action done|scheduled navigation", re.IGNORECASE)
"""Said in errors of actions that were carried out, but after which the browser was too slow."""
_TIMED_OUT = re.compile(r"time(?:d[ -]?)?out", re.IGNORECASE)
_NEVER_REACHED = re.compile(
    r"waiting for (?:element|locator|selector|get)|intercepts pointer|not (?:visible|enabled|stable|attached|found)",
    re.IGNORECASE,
)
_STAYS = frozenset({"link", "tab", "heading", "textbox", "searchbox", "combobox", "row", "columnheader"})
"""What may be clicked without more happening than that something is shown, sorted or ready for typing."""
_PRESSED = frozenset(
    {"button", "checkbox", "switch", "radio", "option", "menuitemcheckbox", "menuitemradio", "spinbutton"}
)


def is_search(visit: Visit, field: str, typed: str) -> bool:
    """Tell whether an action sent a text as a search: the page that it led to is asked for by that text.

    Args:
        visit: the action that sent it.
        field: role and name of the field in which the text was typed.
        typed: the text.
    """
    action, after = visit.action, visit.after
    if action is None or after is None or action.kind not in CLICKS | ENTERS | TYPES:
        return False
    button = visit.target.name if visit.target is not None and action.kind in CLICKS else ""
    if _CHANGES.search(button) or not moved(visit) or not queried(after.url, typed):
        return False
    parts = split_url(after.url)
    keys = {name.casefold() for name, _ in parse_qsl(parts.query)}
    said = " ".join((field, button, parts.path, *keys))
    return bool(keys & _ASKED_AS) or _SEARCHES.search(said.replace(typed, "")) is not None


def came_to_nothing(visit: Visit) -> bool:
    """Tell whether an action failed so that it surely did nothing."""
    error = visit.after.error if visit.after is not None else None
    if error is None or moved(visit) or _TOOK_PLACE.search(error):
        return False
    return _TIMED_OUT.search(error) is None or _NEVER_REACHED.search(error) is not None


def may_change(visit: Visit) -> str | None:
    """Return what an action may have changed on the site; None when it only looks, or types what was not sent.

    A click on a link that names the page to which it led looks; one on a button, or on a word that changes things, may not.
    """
    action, target = visit.action, visit.target
    if action is None:
        return None if not visit.step.tool_calls else "several calls in one step"
    if action.kind in LOOKS:
        return f"the address {action.text!r}" if _may_change_by(action.text) else None
    if action.kind in TYPES | CHOOSES:
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
    if moved(visit):
        return (
            f"a click that led to {visit.after.url!r}"
            if visit.after is not None and _may_change_by(visit.after.url)
            else None
        )
    shows = target.role in _STAYS or target.unfolds or _OPENS.search(target.name)
    return None if shows else f"a click on the {target.role} {target.name!r}"


def _may_change_by(url: str) -> bool:
    """Tell whether a part of an address says that opening it changes something."""
    parts = split_url(url)
    asked = [text for pair in parse_qsl(parts.query, keep_blank_values=True) for text in pair]
    return any(_CHANGING_ADDRESS.fullmatch(part) for part in (*parts.path.split("/"), *asked))


def may_reload(visit: Visit) -> bool:
    """Tell whether an action may have loaded the page anew, so that what was typed before is gone."""
    action, target = visit.action, visit.target
    if action is None or (action.kind in TYPES | CHOOSES | _STILL and not action.sends):
        return False
    return not (action.kind in CLICKS and target is not None and target.role in _WRITTEN_IN)


def _leads_to(name: str, page: Page) -> bool:
    """Tell whether a link names the page to which it led, in its title or in a heading."""
    titles = (page.title, page.name)
    return any(content_stems(name) & content_stems(one.name) for one in titles if one is not None)


def is_written(visit: Visit) -> bool:
    """Tell whether an action types or chooses something."""
    return visit.action is not None and visit.action.kind in TYPES | CHOOSES


def moved(visit: Visit) -> bool:
    """Tell whether an action led to another page."""
    return place_of(visit.before) != place_of(visit.after)


def place_of(page: Page | None) -> str | None:
    """Return the place of a page; None without one."""
    return None if page is None else page.place
