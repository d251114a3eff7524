"""Tasks on web sites: the page that a run reached, what it sent, or what it read there.

Where only addresses were observed a page is known by its URL alone, and the task says so. What a form sent is known only where a
network log tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlunsplit

from agenther.conclusions import Example
from agenther.record import Json, JsonObject
from agenther.tasks.base import Checker, Evidence, Request, SetAside, Unfit, kept_steps
from agenther.texts import split_url
from agenther.trajectory import Step, Trajectory

VOLATILE = frozenset(
    "page p sort order dir limit key token form_key csrf _csrf authenticity_token sid sessid session_id phpsessid _ ts t"
    " timestamp nonce cache utm_source utm_medium utm_campaign utm_term utm_content".split()
)
"""Query parameters that differ between visits of the same page."""
_SHOWS = frozenset({"page", "p", "sort", "order", "dir", "limit"})
"""Those of them that say which part of a page is shown, and in which order."""
_URL = re.compile(r"^(?:- )?(?:Page )?URL: (?P<url>\S+)[ \t]*$", re.MULTILINE)
_STATUS = re.compile(r"^(?:Status|Error): (?P<status>\d{3})\b", re.MULTILINE)
_HEAD = 2000
_SENDS = frozenset({"submit_form", "send_request"})
_KEY_IN_PATH = re.compile(r"/key/[0-9a-f]{16,}", re.IGNORECASE)


@dataclass(frozen=True)
class Browsing:
    """What a task on a web site asks for, and what the run asked the site."""

    checker: Checker
    requests: tuple[Request, ...]
    evidence: Evidence


def find_target(example: Example, run: Trajectory) -> Browsing | SetAside:
    """Return what decides the goal of a browser run: what was sent, where a network log tells it, else the last page."""
    requests = tuple(requests_of(example, run))
    logged = run.labels.get("steps_from") == "network"
    evidence: Evidence = "network_log" if logged else "url_log"
    if not requests:
        return SetAside(Unfit.NOT_RECORDED, "no URL was recorded")
    last = requests[-1]
    if logged and last.sent is not None and last.method != "GET":
        return _sent(example, requests, last)
    if any(claim.kind == "web.form" for claim in example.claims):
        return SetAside(Unfit.NOT_RECORDED, "what the form sent to the site was not recorded")
    if last.status is not None and not 200 <= last.status < 300:
        return SetAside(Unfit.NOT_OBSERVED, f"the last page was answered with {last.status}")
    if _KEY_IN_PATH.search(split_url(last.url).path):
        return SetAside(Unfit.NOT_RECORDED, "the path of the page holds a key of the session")
    shown = (v for k, v in parse_qsl(split_url(last.url).query) if k.casefold() in _SHOWS)
    if any(_names(example.hindsight_goal, value) for value in shown):
        return SetAside(Unfit.SEVERAL_WAYS, "the goal names a part or an order of the page, which is not looked at")
    return Browsing(Checker(kind="url", spec={"url": lasting(last.url)}), requests, evidence)


def _names(goal: str, value: str) -> bool:
    """Tell whether a goal says a value, as whole words."""
    return re.search(rf"(?<!\w){re.escape(value.strip())}(?!\w)", goal, re.IGNORECASE) is not None


def requests_of(example: Example, run: Trajectory) -> Iterator[Request]:
    """Yield what the kept steps asked the site: one request each time that the address changed or something was sent."""
    first = next((url for step in run.user_steps for url in _urls(step.message)), None)
    at = first
    if first is not None:
        yield Request(method="GET", url=first)
    for step in kept_steps(example, run):
        found = _request(step)
        if found is not None and (found.method != "GET" or found.url != at):
            yield found
            at = found.url


def _request(step: Step) -> Request | None:
    """Return what a step asked for and how it ended; None when its observation shows no address."""
    text = step.observations[-1].content[:_HEAD] if step.observations else ""
    shown = next(_urls(text), None)
    status = int(m["status"]) if (m := _STATUS.search(text)) else None
    call = step.tool_calls[0] if len(step.tool_calls) == 1 else None
    if call is not None and call.function_name in _SENDS:
        values = call.values
        method, url = values.get("method"), values.get("url")
        if isinstance(method, str) and isinstance(url, str):
            own = status if shown is not None and same_page(shown, url) else None
            return Request(method=method.upper(), url=url, sent=values.get("data"), status=own)
    return Request(method="GET", url=shown, status=status) if shown is not None else None


def _urls(text: str) -> Iterator[str]:
    for found in _URL.finditer(text[:_HEAD]):
        if found["url"].startswith(("http://", "https://")):
            yield found["url"]


def _sent(example: Example, requests: tuple[Request, ...], last: Request) -> Browsing | SetAside:
    """Return the request that made the change: with those of its fields whose values the goal names."""
    if last.status is None:
        return SetAside(Unfit.NOT_RECORDED, "the site sent the browser on, and with which status was not recorded")
    if not 200 <= last.status < 300:
        return SetAside(Unfit.NOT_OBSERVED, f"what was sent was answered with {last.status}")
    fields = last.sent if isinstance(last.sent, dict) else {}
    goal = example.hindsight_goal
    named: JsonObject = {k: v for k, v in fields.items() if isinstance(v, str) and v.strip() and _names(goal, v)}
    if not named:
        return SetAside(Unfit.SEVERAL_WAYS, "the goal names nothing of what was sent")
    spec: JsonObject = {"method": last.method, "url": lasting(last.url), "sent": named, "status": last.status}
    return Browsing(Checker(kind="network", spec=spec), requests, "network_log")


def lasting(url: str) -> str:
    """Return a URL without its fragment and without parameters that differ between visits."""
    parts = split_url(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k.casefold() not in VOLATILE and v]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(sorted(kept)), ""))


def same_page(first: str, second: str) -> bool:
    """Tell whether two URLs lead to the same page: volatile parameters, case and a closing slash set aside."""
    one, two = split_url(lasting(first)), split_url(lasting(second))
    return (one.netloc + one.path).casefold().rstrip("/") == (two.netloc + two.path).casefold().rstrip("/") and sorted(
        parse_qsl(one.query)
    ) == sorted(parse_qsl(two.query))


def reached(spec: Mapping[str, Json], requests: tuple[Request, ...]) -> bool:
    """Tell whether the last page that was loaded is the one asked for."""
    pages = [one for one in requests if one.method == "GET" and (one.status is None or one.status < 300)]
    return bool(pages) and same_page(str(spec["url"]), pages[-1].url)


def was_sent(spec: Mapping[str, Json], requests: tuple[Request, ...]) -> bool:
    """Tell whether the last request of the right method and place sent the fields that were asked for, and was taken."""
    alike = [one for one in requests if one.method == spec["method"] and same_page(str(spec["url"]), one.url)]
    if not alike or alike[-1].status != spec["status"]:
        return False
    sent, wanted = alike[-1].sent, spec["sent"]
    fields = sent if isinstance(sent, dict) else {}
    return isinstance(wanted, dict) and all(
        str(fields.get(k)).casefold() == str(v).casefold() for k, v in wanted.items()
    )
