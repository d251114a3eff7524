"""Task folders of WebArena-Verified: `agent_response.json` with the network recording and the evaluation beside it.

The recording is all that tells what the agent did: a page load is a `goto`, a form that the browser went along with is a
`submit_form`, anything sent in the background is a `send_request`, which the page may have done of itself. What led to them, and
the pages as the agent saw them, nobody recorded. The goal stands in a task file beside the folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urldefrag

import orjson

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, locate_goal, read_json, source
from agenther.readers.files import BAD_FILE, read_whole
from agenther.readers.har import Request, requests_of
from agenther.readers.page_text import page_text, page_title
from agenther.readers.webarena_tasks import NAMES, find_task
from agenther.record import JsonObject
from agenther.texts import path_text
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_ENTRY = re.compile(r"agent_response(?:_\d+)?\.json")
_RECORDINGS = ("network.har", "trace.zip", "trace.network")
_NUMBERED_RECORDING = re.compile(r"network_\d+\.har")
_EVALUATION = "eval_result.json"
_BESIDE = frozenset({_EVALUATION, "run_config.json", "task.json"})
_ABOVE = frozenset({*NAMES, "eval_results.json"}) - {"task.json"}
_OUTCOMES: dict[str, bool] = {"success": True, "failure": False, "partial_match": False}
_LONGEST_ERROR = 500


class WebArenaVerifiedReader:
    """Reads task folders of WebArena-Verified."""

    format = "webarena-verified"
    about = "task folders of WebArena-Verified (agent_response.json, network.har); labelled by eval_result.json"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look at the name of the file, and for what must lie beside it."""
        if _ENTRY.fullmatch(path.name):
            return _recording(path) is not None or path.with_name(_EVALUATION).is_file()
        return path.name == _EVALUATION and _recording(path) is not None and not _has_response(path)

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a folder."""
        yield from build_one(Place(path), lambda: _run(path))

    def companion(self, path: Path) -> bool:
        """Know the other files of a task's folder, and the files about all tasks in the folder above."""
        name = path.name
        if name in _ABOVE and any(path.parent.glob("*/agent_response*.json")):
            return True
        beside = name in _BESIDE or name in _RECORDINGS or _NUMBERED_RECORDING.fullmatch(name) is not None
        evaluated = name != _EVALUATION and path.with_name(_EVALUATION).is_file()
        return beside and (evaluated or _has_response(path))


class _Evaluation(NamedTuple):
    """What the benchmark says of a run."""

    task: int | None
    success: bool | None
    score: float | None
    labels: JsonObject


def _run(path: Path) -> Trajectory:
    evaluation = _evaluation(path.with_name(_EVALUATION))
    number = evaluation.task if evaluation.task is not None else _number(path)
    task = find_task(path.parent, number)
    if task is None:
        expected = f"its intent in a task file ({', '.join(NAMES)}) here or up to two folders above"
        raise ReadError(str(path), None, f"task {number}", expected, "none")
    recording = _recording(path)
    if recording is None:
        raise ReadError(str(path), None, "folder", f"a recording ({', '.join(_RECORDINGS)})", "none")
    response = _response(path)
    steps = (Step(step_id=1, source="user", message=task.intent), *_steps(requests_of(recording), response))
    if len(steps) == 1:
        raise ReadError(str(path), None, "run", "a page load, something sent or a response", "none")
    labels: JsonObject = {"environment": "webarena-verified", "steps_from": "network"}
    labels |= {"sites": [*task.sites]} if task.sites else {}
    return Trajectory(
        id=_id(path),
        source=source(path, "webarena-verified", 0),
        task_id=f"webarena-verified/{number}",
        goal=task.intent,
        goal_at=locate_goal(steps, task.intent),
        steps=steps,
        success=evaluation.success,
        reward=evaluation.score,
        label_source=None if evaluation.success is None else "webarena-verified.status",
        labels=labels | evaluation.labels,
    )


def _has_response(path: Path) -> bool:
    """Tell whether the agent's response lies beside a file."""
    return path.with_name("agent_response.json").is_file() or any(path.parent.glob("agent_response_*.json"))


def _id(path: Path) -> str:
    folder = path.absolute().parent
    return f"{path_text(folder.parent.name)}/{path_text(folder.name)}"


def _recording(path: Path) -> Path | None:
    number = re.search(r"_(\d+)\.json\Z", path.name)
    names = (f"network_{number[1]}.har", *_RECORDINGS) if number else _RECORDINGS
    return next((one for name in names if (one := path.with_name(name)).is_file()), None)


def _number(path: Path) -> int:
    """Return the number of the task from the name of the file, or else of the folder."""
    named = re.search(r"_(\d{1,9})\.json\Z", path.name) or re.fullmatch(r"(\d{1,9})", path.absolute().parent.name)
    if named is None:
        raise ReadError(str(path), None, "folder", "the number of the task as its name", path.parent.name)
    return int(named[1])


def _response(path: Path) -> str:
    """Return what the agent answered; empty where it did not come to answer."""
    if path.name == _EVALUATION:
        return ""
    try:
        return read_whole(path).decode().strip()
    except UnicodeDecodeError as error:
        raise Place(path).error("text in UTF-8", error.reason) from error
    except BAD_FILE as error:
        raise ReadError(str(path), None, "file", "a readable file", str(error)) from error


def _evaluation(path: Path) -> _Evaluation:
    """Return the evaluation; nothing is known without one."""
    if not path.is_file():
        return _Evaluation(None, None, None, {})
    whole = read_json(path)
    if isinstance(whole, ReadError):
        raise whole
    place = Place(path)
    result = place.obj(whole)
    task, score = result.get("task_id"), result.get("score")
    status = place.at("status").str(result.get("status"))
    if status not in (*_OUTCOMES, "error"):
        raise place.at("status").error("success, failure, partial_match or error", status)
    labels: JsonObject = {}
    if status == "error":
        labels["error"] = str(result.get("error_msg") or "the evaluation failed")[:_LONGEST_ERROR]
    listed = result.get("evaluators_results")
    evaluators = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    labels |= _right_answer(evaluators)
    failed = [name for one in evaluators if one.get("score") != 1 for name in _assertions(one)]
    if failed:
        labels["failed_assertions"] = [*failed]
    return _Evaluation(
        task=task if isinstance(task, int) and not isinstance(task, bool) else None,
        success=_OUTCOMES.get(status),
        score=place.at("score").number(score) if score is not None and status != "error" else None,
        labels=labels,
    )


def _assertions(evaluator: JsonObject) -> Iterator[str]:
    listed = evaluator.get("assertions")
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and one.get("status") != "success":
            yield f"{evaluator.get('evaluator_name')}: {one.get('assertion_name')}"


def _right_answer(evaluators: list[JsonObject]) -> JsonObject:
    """Return the data that was asked for as a label; nothing where none was, or where several answers are right."""
    for one in evaluators:
        expected = one.get("expected")
        if one.get("evaluator_name") != "AgentResponseEvaluator" or not isinstance(expected, dict):
            continue
        data = expected.get("retrieved_data")
        if isinstance(data, list) and data and all(isinstance(item, str | int | float) for item in data):
            return {"reference": data}
    return {}


@dataclass
class _Walk:
    """A request with the ones to which it was sent on."""

    first: Request
    last: Request


def _steps(requests: Iterator[Request], response: str) -> Iterator[Step]:
    number = 1
    for number, walk in enumerate(_walks(requests), start=2):
        yield _step(number, walk)
    if response:
        yield Step(step_id=number + 1, source="agent", message=response)


def _walks(requests: Iterator[Request]) -> Iterator[_Walk]:
    """Yield the requests that began something; a page to which an answer sent the browser belongs to what was asked."""
    walk: _Walk | None = None
    for request in requests:
        if walk is not None and request.is_page and _leads_to(walk.last, request):
            walk.last = request
            continue
        if walk is not None:
            yield walk
        walk = _Walk(request, request)
    if walk is not None:
        yield walk


def _leads_to(earlier: Request, later: Request) -> bool:
    return bool(earlier.redirect) and urldefrag(earlier.redirect).url == urldefrag(later.url).url


def _step(number: int, walk: _Walk) -> Step:
    first = walk.first
    name = ("goto" if first.method == "GET" else "submit_form") if first.is_page else "send_request"
    arguments: JsonObject = {"url": first.url}
    if name != "goto":
        arguments |= {"method": first.method, "data": first.sent}
    call = ToolCall(
        tool_call_id=f"call_{number}", function_name=name, arguments=orjson.dumps(arguments, default=str).decode()
    )
    seen = Observation(content=_shown(walk.last), source_call_id=call.tool_call_id)
    return Step(step_id=number, source="agent", tool_calls=(call,), observations=(seen,))


def _shown(answer: Request) -> str:
    """Return what came back: where the browser ended, how the server answered, and the text where it was recorded."""
    is_html = "html" in answer.kind
    title = page_title(answer.body) if is_html else ""
    status = f"{answer.status} {answer.status_text}".strip() if answer.status > 0 else "no answer"
    head = [f"URL: {answer.url}", *([f"Title: {title}"] if title else [])]
    head.append(f"Status: {status}" if 0 < answer.status < 400 else f"Error: {status}")
    is_text = is_html or answer.kind.startswith("text/") or "json" in answer.kind
    text = page_text(answer.body) if is_html else answer.body if is_text else ""
    return "\n".join([*head, "", text]) if text else "\n".join(head)
