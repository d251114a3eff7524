"""Pages that the original WebArena renders, one a run: `render_<task>.html`, its outcome in the log of the job.

The harness fills its template with raw text and escapes nothing, so the marks of the template are looked for and what stands
between them is taken as it is: an HTML parser would take a script that an agent saw, or wrote, for one of this page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

from agenther.errors import ReadError
from agenther.literals import literal_value
from agenther.readers.base import Item, Place, build_one, locate_opening_goal, read_json, source
from agenther.readers.files import BAD_FILE, read_whole
from agenther.readers.webarena_log import Logged, logged
from agenther.readers.webarena_turns import Turn, build, right_answer
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.trajectory import Trajectory

_MARK = re.compile(
    rb"""<(?:h3|div)\s{1,9}class\s{0,9}=\s{0,9}['"]?
    (?P<name>url|state_obv|prev_action|predict_action|raw_parsed_prediction|action_object|parsed_action)\b[^<>]{0,200}>""",
    re.VERBOSE,
)
_CONFIG = re.compile(rb"<pre>(?P<text>.*?)</pre>", re.DOTALL)
_KEYS = frozenset(
    "sites task_id require_login storage_state start_url geolocation intent_template instantiation_dict intent require_reset eval"
    " intent_template_id image reset viewport_size comments".split()
)
_URL = re.compile(rb"URL:\s*(?P<url>[^\s<>]+)")
_NAME = re.compile(r"render_(?P<task>\d+)\.html", re.IGNORECASE)
_REFUSED = ("Attempt to perfom", "Attempt to perform", "The previous prediction you issued was")
"""How the harness tells an agent that its last action could not be taken."""
_COMPANIONS = frozenset(
    {"config.json", "error.txt", "log_files.txt", "merged_log.txt", "merge_log.txt", "json_dump.json"}
)


class WebArenaHtmlReader:
    """Reads pages rendered by the original WebArena."""

    format = "webarena-html"
    about = "render_<task>.html of the original WebArena; labelled by the [Result] lines of the log beside it"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the marks of the template, or for the configuration at its top."""
        if not head.lstrip().startswith(b"<") or b"<pre>" not in head:
            return False
        return b"state_obv" in head or (b"\ntask_id: " in head and b"\nintent: " in head)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a page."""
        try:
            page = read_whole(path)
        except BAD_FILE as error:
            yield ReadError(str(path), None, "file", "a readable file", str(error))
            return
        yield from build_one(Place(path), lambda: _run(Place(path), page))

    def companion(self, path: Path) -> bool:
        """Know the log, the settings and the summary that lie beside pages."""
        if path.name not in _COMPANIONS:
            return False
        return any(_NAME.match(one.name) for one in path.parent.glob("render_*.html*"))


def _run(place: Place, page: bytes) -> Trajectory:
    config = _config(place, page)
    goal = config.get("intent", "")
    if not goal.strip():
        raise place.at("intent").error("the intent among the settings at the top", goal)
    named = _NAME.match(path_text(place.path.name))
    task = config.get("task_id", "").strip() or (named["task"] if named else "")
    built = build(place, goal, list(_turns(place, page)))
    log = logged(place.path, task)
    settings = read_json(place.path.with_name("config.json"))
    beside: JsonObject = settings if isinstance(settings, dict) else {}
    model = beside.get("model")
    return Trajectory(
        id=f"{path_text(place.path.absolute().parent.name)}/{path_text(place.path.name).split('.')[0]}",
        source=source(place.path, "webarena-html", 0),
        task_id=f"webarena/{task}" if task else None,
        goal=goal,
        goal_at=locate_opening_goal(built.steps, goal),
        shown_at=built.shown_at,
        steps=built.steps,
        success=log.passed,
        label_source=None if log.passed is None else "webarena.result",
        labels=_labels(config, beside, log) | built.ending,
        agent=model if isinstance(model, str) else None,
    )


def _config(place: Place, page: bytes) -> dict[str, str]:
    """Return the settings at the top of a page: one `name: value` a line, values as Python prints them."""
    first = _MARK.search(page)
    found = _CONFIG.search(page, 0, first.start() if first else len(page))
    if found is None:
        raise place.error("settings in <pre> at the top", page[:60])
    settings: dict[str, str] = {}
    key = ""
    for line in _text(place, found["text"]).splitlines():
        name, colon, value = line.partition(": ")
        if colon and name in _KEYS:
            key, settings[name] = name, value
        elif key:
            settings[key] += f"\n{line}"
    return {name: value.rstrip("\n") for name, value in settings.items()}


def _text(place: Place, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise place.error("text in UTF-8", error.reason) from error


@dataclass
class _Block:
    """One page of the template while it is read."""

    where: Place
    url: str
    page: str | None = None
    before: str = ""
    """What the agent was told about its last action."""
    wrote: str | None = None
    printed: str | None = None


def _turns(place: Place, page: bytes) -> Iterator[Turn]:
    for block, after in pairwise(chain(_blocks(place, page), (None,))):
        if block is None or block.page is None or block.wrote is None:
            raise (block.where if block else place).error("a page and an action", "a block without")
        told = after.before if after is not None else ""
        error = told if told.startswith(_REFUSED) else ""
        yield Turn(block.url, block.page, block.wrote, block.printed, error)


def _blocks(place: Place, page: bytes) -> Iterator[_Block]:
    """Yield the blocks of a page; each begins with its URL."""
    block: _Block | None = None
    number = 0
    for mark, following in pairwise(chain(_MARK.finditer(page), (None,))):
        if mark is None:
            break
        start, end = mark.end(), following.start() if following is not None else len(page)
        if mark["name"] == b"url":
            if block is not None:
                yield block
            where = place.at("pages").at(number)
            found = _URL.search(page, start, end)
            if found is None:
                raise where.error("the URL of the page", page[start : start + 60])
            block, number = _Block(where, _text(where, found["url"])), number + 1
        elif block is not None:
            _fill(block, mark["name"].decode(), page, start, end)
    if block is not None:
        yield block


def _fill(block: _Block, name: str, page: bytes, start: int, end: int) -> None:
    match name:
        case "state_obv":
            block.page = _inside(block.where, page, start, end, b"</pre>")
        case "prev_action":
            block.before = _inside(block.where, page, start, end, b"</div>")
        case "predict_action":
            block.wrote = _inside(block.where, page, start, end, b"</div>")
        case "raw_parsed_prediction":
            block.wrote = _inside(block.where, page, start, end, b"</pre>")
        case "parsed_action":
            block.printed = _inside(block.where, page, start, end, b"</pre>")
        case _:
            pass


def _inside(place: Place, page: bytes, start: int, end: int, closing: bytes) -> str:
    """Return the text up to the last closing tag before the next mark; what the tag opens may hold such tags itself."""
    opening = page.find(b"<pre>", start, min(end, start + 20)) if closing == b"</pre>" else -1
    start = start if opening < 0 else opening + len(b"<pre>")
    close = page.rfind(closing, start, end)
    return _text(place, page[start : close if close >= 0 else end])


def _labels(config: dict[str, str], settings: JsonObject, log: Logged) -> JsonObject:
    labels: JsonObject = {"environment": "webarena"}
    sites = literal_value(config.get("sites", ""))
    if isinstance(sites, list):
        labels["sites"] = sites
    labels |= _reference(literal_value(config.get("eval", "")))
    limit = settings.get("max_steps")
    if isinstance(limit, int) and not isinstance(limit, bool):
        labels["max_steps"] = limit
    if log.error:
        labels["harness_error"] = log.error
    return labels


def _reference(check: Json) -> JsonObject:
    """Return how the task is judged, and the right answer."""
    if not isinstance(check, dict):
        return {}
    kinds = check.get("eval_types")
    labels: JsonObject = {"eval_types": kinds} if isinstance(kinds, list) else {}
    return labels | right_answer(kinds, check.get("reference_answers"))
