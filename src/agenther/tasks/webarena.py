"""Tasks of WebArena-Verified, each with its twin in the format of the original benchmark and what the run itself did as a proof.

Owns the benchmark's names: its sites, their placeholders in URLs, the forms of expected answers. Which page or answer a task asks
for was decided in `visits` and `answers`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import cast
from urllib.parse import parse_qsl, urldefrag, urlencode

from agenther.record import Json, JsonObject
from agenther.tasks.base import Rendered, Request, SetAside, Task, Unfit
from agenther.tasks.visits import VOLATILE
from agenther.texts import split_url

FIRST_ID = 900_000
"""Ids of the benchmark's own tasks end far below."""
PORTS = {
    7770: "shopping",
    7780: "shopping_admin",
    9999: "reddit",
    8023: "gitlab",
    8888: "wikipedia",
    3000: "map",
    4399: "homepage",
}
"""Where the benchmark serves its sites by default."""
SITES = frozenset(PORTS.values())
_BELOW = {"shopping_admin": "/admin"}
"""Paths below which a site lies."""
_PATTERN = re.compile(r"\^.*\$", re.DOTALL)
"""What the evaluator takes for a regular expression."""
_TASKS, _TWINS = "tasks.json", "tasks.original.json"


class WebArenaVerified:
    """Tasks of WebArena-Verified 1.2.

    Args:
        sites: URLs where runs found sites, by the benchmark's names of sites; others are known by their ports.
    """

    name = "webarena-verified"
    about = "tasks of WebArena-Verified, with twins in the original WebArena format"
    shared: tuple[str, ...] = (_TASKS, _TWINS)
    readme = """# WebArena-Verified tasks

`tasks.json` has the tasks, `tasks.original.json` the same in the format of the original benchmark, `oracle/ID/` what the
recorded run did: a response and a network recording that the evaluator must score 1.0. Recordings are made of the observed
addresses: a task whose `evidence` (in the job's `tasks.jsonl`) is `url_log` rests on the URL alone.

The package's command line takes no other task file than its own 812 tasks; in Python a task is evaluated by its context, with
`environments` naming a URL for each site.
"""

    def __init__(self, sites: Mapping[str, str] | None = None) -> None:
        given = {name: url.rstrip("/") for name, url in (sites or {}).items()}
        self._sites = dict(sorted(given.items(), key=lambda item: (-len(item[1]), item[0])))

    def render(self, task: Task, number: int) -> Rendered | SetAside:
        """Return the task, its twin, and the response and recording of its oracle."""
        if not task.oracle.requests:
            return SetAside(Unfit.OTHER_KIND, "the run used no browser")
        site = self._site(task)
        if isinstance(site, SetAside):
            return site
        name, base = site
        places = _Places(name, base)
        evaluators = _evaluators(task, places)
        if isinstance(evaluators, SetAside):
            return evaluators
        own = FIRST_ID + number
        shared: JsonObject = {"sites": [name], "task_id": own, "intent_template_id": own, "intent": task.goal}
        verified: JsonObject = {
            **shared,
            "start_urls": [places.named(task.oracle.requests[0].url)],
            "intent_template": task.goal,
            "instantiation_dict": {},
            "eval": evaluators,
            "revision": 1,
        }
        response = {**_response(task), "error_details": None}
        files = {
            f"oracle/{own}/agent_response.json": _text(response),
            f"oracle/{own}/network.har": _text(recording(task.oracle.requests)),
        }
        rows: dict[str, JsonObject] = {_TASKS: verified, _TWINS: _twin(task, shared, places)}
        return Rendered(files=files, rows=rows)

    def _site(self, task: Task) -> tuple[str, str] | SetAside:
        """Return the name of the site on which a task ends, and the URL that its placeholder stands for."""
        for url in (one.url for one in reversed(task.oracle.requests)):
            for name, base in self._sites.items():
                if _lies_below(base, url):
                    return name, base
        parts = split_url(task.oracle.requests[-1].url)
        try:
            name = PORTS.get(parts.port or 0)
        except ValueError:
            name = None
        if name is None:
            where = f"{parts.scheme}://{parts.netloc}"
            return SetAside(Unfit.UNKNOWN_SITE, f"which of the benchmark's sites is {where}? say --site NAME={where}")
        return name, f"{parts.scheme}://{parts.netloc}{_BELOW.get(name, '')}"


class _Places:
    """Writes URLs of one site with its placeholder."""

    def __init__(self, site: str, base: str) -> None:
        self._base, self.placeholder = base, f"__{site.upper()}__"

    def named(self, url: str) -> str:
        """Return a URL with the placeholder in the place of the site; the placeholder alone for what lies elsewhere."""
        return self.placeholder + url.removeprefix(self._base) if self.holds(url) else self.placeholder

    def holds(self, url: str) -> bool:
        """Tell whether a URL lies on the site."""
        return _lies_below(self._base, url)


def _lies_below(base: str, url: str) -> bool:
    return url.startswith(base) and url[len(base) :][:1] in ("", "/", "?", "#")


def _evaluators(task: Task, places: _Places) -> list[Json] | SetAside:
    spec = task.checker.spec
    match task.checker.kind:
        case "answer":
            return _retrieve(spec.get("answer"), ordered=bool(spec.get("ordered")))
        case "url" if places.holds(str(spec["url"])):
            expected: JsonObject = {"url": places.named(str(spec["url"])), "http_method": "GET", "response_status": 200}
            return [_says("navigate"), _network(expected)]
        case "network" if places.holds(str(spec["url"])):
            if any(_PATTERN.fullmatch(str(one)) for one in cast(JsonObject, spec["sent"]).values()):
                return SetAside(Unfit.OTHER_KIND, "the evaluator would take what was sent for a pattern")
            expected = {"url": places.named(str(spec["url"])), "http_method": spec["method"], "post_data": spec["sent"]}
            return [_says("mutate"), _network({**expected, "response_status": spec["status"]})]
        case _:
            return SetAside(Unfit.OTHER_KIND, "it does not end on the site")


def _network(expected: JsonObject) -> JsonObject:
    return {
        "evaluator": "NetworkEventEvaluator",
        "ignored_query_params": [*sorted(VOLATILE)],
        "expected": expected,
    }


def _says(task_type: str) -> JsonObject:
    expected: JsonObject = {"task_type": task_type, "status": "SUCCESS", "retrieved_data": None}
    return {"evaluator": "AgentResponseEvaluator", "results_schema": {"type": "null"}, "expected": expected}


def _retrieve(answer: Json, *, ordered: bool) -> list[Json] | SetAside:
    values = answer if isinstance(answer, list) else [answer]
    if not values or any(isinstance(one, list | dict | bool) or one is None for one in values):
        return SetAside(Unfit.OTHER_KIND, "the answer is no list of values")
    if any(isinstance(one, str) and _PATTERN.fullmatch(one) for one in values):
        return SetAside(Unfit.OTHER_KIND, "the evaluator would take the answer for a pattern")
    numeric = all(isinstance(one, int | float) for one in values)
    schema: JsonObject = {"type": "array", "items": {"type": "number" if numeric else "string"}}
    listed: list[Json] = [*values] if numeric else [str(one) for one in values]
    expected: JsonObject = {"task_type": "retrieve", "status": "SUCCESS", "retrieved_data": listed}
    return [{"evaluator": "AgentResponseEvaluator", "ordered": ordered, "results_schema": schema, "expected": expected}]


def _response(task: Task) -> JsonObject:
    answer = task.oracle.answer
    if task.checker.kind == "answer":
        return {
            "task_type": "RETRIEVE",
            "status": "SUCCESS",
            "retrieved_data": answer if isinstance(answer, list) else [answer],
        }
    kind = "NAVIGATE" if task.checker.kind == "url" else "MUTATE"
    return {"task_type": kind, "status": "SUCCESS", "retrieved_data": None}


def _twin(task: Task, shared: Mapping[str, Json], places: _Places) -> JsonObject:
    """Return the task as the original benchmark writes tasks."""
    site = str(places.placeholder.strip("_").lower())
    decided: JsonObject = {"eval_types": ["url_match"], "reference_answers": None, "program_html": []}
    if task.checker.kind == "answer":
        answer = task.checker.spec.get("answer")
        wanted = [str(one) for one in answer] if isinstance(answer, list) else [str(answer)]
        reference: JsonObject = {"exact_match": wanted[0]} if len(wanted) == 1 else {"must_include": [*wanted]}
        decided |= {"eval_types": ["string_match"], "reference_answers": reference, "reference_url": ""}
    else:
        decided |= {"reference_url": places.named(str(task.checker.spec["url"])), "url_note": "GOLD in PRED"}
    return {
        **shared,
        "require_login": site in ("shopping_admin", "gitlab", "reddit", "shopping"),
        "storage_state": f"./.auth/{site}_state.json",
        "start_url": places.named(task.oracle.requests[0].url),
        "geolocation": None,
        "intent_template": task.goal,
        "instantiation_dict": {},
        "require_reset": task.checker.kind == "network",
        "eval": decided,
    }


def recording(requests: tuple[Request, ...]) -> JsonObject:
    """Return a network recording (HAR) with what was observed of some requests."""
    return {
        "log": {"version": "1.2", "creator": {"name": "agenther", "version": "1"}, "entries": [*map(_entry, requests)]}
    }


def _entry(one: Request) -> JsonObject:
    query: list[Json] = [
        {"name": k, "value": v} for k, v in parse_qsl(split_url(one.url).query, keep_blank_values=True)
    ]
    request: JsonObject = {
        "method": one.method,
        "url": urldefrag(one.url).url,
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": "accept", "value": "text/html"}],
        "queryString": query,
        "cookies": [],
        "headersSize": -1,
        "bodySize": -1,
    }
    if isinstance(one.sent, dict):
        text = urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in one.sent.items()})
        request["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": text}
    response: JsonObject = {
        "status": one.status or 200,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "headers": [],
        "cookies": [],
        "content": {"mimeType": "text/html", "size": 0},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": -1,
    }
    return {
        "startedDateTime": "2000-01-01T00:00:00Z",
        "time": 0,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {},
    }


def _text(value: Json) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
