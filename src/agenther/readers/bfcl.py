"""BFCL result files of the multi-turn categories: a JSON line for each task, with the log of the conversation.

The requests of all turns together are the goal; where there are several, they are a script, spoken turn by turn. Calls are
those that BFCL decoded and carried out. Verdict, initial state, right calls and tools stand elsewhere (`bfcl_data`); where
they are found, the run names the environment in which it can be made again.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import orjson

from agenther.environments.bfcl import BFCL
from agenther.environments.calls import call_places, parse_call
from agenther.errors import ParseError
from agenther.readers.base import Place, locate_goal, run_id, source
from agenther.readers.bfcl_data import RESULT, SCORE, Known, known_about, result_file
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject
from agenther.trajectory import GoalHolder, Trajectory, make_steps

_FORCED = "forced to quit"
"""What BFCL notes when a turn has too many steps."""
_STEP = re.compile(r"step_\d+\Z")
_CALL_NAME = re.compile(r"\s*([A-Za-z_][\w.]*)\s*\(")


class BfclReader(RecordReader):
    """Reads BFCL's multi-turn result files."""

    format = "bfcl"
    about = "BFCL multi-turn result files (JSON lines); labelled by the score file under `score` or beside, as BFCL writes it"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a line with a result and the log of a turn."""
        starts = head.lstrip().startswith(b"{")
        named = RESULT.search(path.name) is not None and b'"id"' in head and b'"result"' in head
        logged = all(name in head for name in (b'"inference_log"', b'"begin_of_turn_query"', b'"result"'))
        return starts and b"multi_turn" in head and (named or logged) and b'"accuracy"' not in head[:200]

    def companion(self, path: Path) -> bool:
        """Tell whether a file holds the verdicts on a result file."""
        return SCORE.search(path.name) is not None and result_file(path).is_file()

    def builder(self, path: Path) -> Build:
        """Read a line with what stands of its task in other files."""
        return partial(_run, known_about(path))


def _run(known: Known, place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    own = place.at("id").str(record.get("id"))
    log = record.get("inference_log")
    if not isinstance(log, list):
        raise place.at("inference_log").error(
            "the log of a conversation", log if log is not None else record.get("result")
        )
    entry = known.entries.get(own, {})
    conversation = _Conversation()
    for i, turn in enumerate(log):
        if isinstance(turn, dict):
            conversation.add_turn(place.at("inference_log").at(i), turn)
    steps = make_steps(conversation.turns)
    requests = _requests(entry) or [step.message for step in steps if step.source == "user"]
    goal = "\n".join(requests)
    is_script = len(requests) > 1
    failure = known.failures.get(own)
    success = None if not known.is_scored else failure is None
    return Trajectory(
        id=run_id(place.path, own),
        source=source(place.path, BfclReader.format, index),
        task_id=f"bfcl/{own}",
        goal=goal,
        goal_at=() if is_script else locate_goal(steps, goal),
        goal_holder=GoalHolder.SIMULATED_USER if is_script else GoalHolder.AGENT,
        tools=_tools(known, entry),
        steps=steps,
        success=success,
        label_source="bfcl.score" if success is not None else None,
        labels=conversation.labels() | _setting(known, own, entry) | _gold(known, own) | _verdict(failure),
        agent=_model(place.path),
    )


class _Conversation:
    """Collects the fields of steps."""

    def __init__(self) -> None:
        self.turns: list[dict[str, object]] = []
        self.forced = False
        self._n_calls = 0

    def add_turn(self, place: Place, turn: JsonObject) -> None:
        for i, message in enumerate(place.at("begin_of_turn_query").list(turn.get("begin_of_turn_query"))):
            here = place.at("begin_of_turn_query").at(i)
            body = here.obj(message)
            is_user = body.get("role") == "user"
            text = here.at("content").str(body.get("content"))
            self.turns.append({"source": "user" if is_user else "system", "message": text})
        for name in turn:
            if _STEP.match(name):
                self._add_step(place.at(name), place.at(name).list(turn[name]))

    def labels(self) -> JsonObject:
        return {"truncated": True} if self.forced else {}

    def _add_step(self, place: Place, entries: list[Json]) -> None:
        said, decoded, shown = JsonObject(), list[Json](), list[str]()
        for i, value in enumerate(entries):
            here = place.at(i)
            entry = here.obj(value)
            match entry.get("role"):
                case "assistant":
                    said = entry
                case "handler_log" if "model_response_decoded" in entry:
                    decoded = here.at("model_response_decoded").list(entry["model_response_decoded"])
                case "handler_log":
                    self.forced = self.forced or _FORCED in str(entry.get("content"))
                case "tool":
                    shown.append(here.at("content").str(entry.get("content")))
                case _:
                    continue
        turn = self._agent_turn(said, [call for call in decoded if isinstance(call, str)], shown)
        if any(turn[name] for name in ("message", "reasoning", "tool_calls")):
            self.turns.append(turn)

    def _agent_turn(self, said: JsonObject, decoded: list[str], shown: list[str]) -> dict[str, object]:
        content, reasoning = said.get("content"), said.get("reasoning_content")
        message = content if isinstance(content, str) else ""
        places = call_places(message)
        shared = (0, len(message))
        calls: list[dict[str, object]] = []
        observations: list[dict[str, object]] = []
        for number, text in enumerate(decoded):
            self._n_calls += 1
            own = f"call_{self._n_calls}"
            name, arguments = _call(text)
            calls.append({"tool_call_id": own, "function_name": name, "arguments": arguments})
            if message:
                calls[-1]["at"] = places[number] if len(places) == len(decoded) else shared
            if number < len(shown):
                observations.append(
                    {"content": shown[number], "source_call_id": own, "role": "user" if message else "tool"}
                )
        return {
            "source": "agent",
            "message": message,
            "reasoning": reasoning if isinstance(reasoning, str) and reasoning else None,
            "tool_calls": calls,
            "observations": observations,
        }


def _call(text: str) -> tuple[str, str]:
    """Return name and arguments of a decoded call; what is no plain call keeps its text, which is no JSON."""
    try:
        call = parse_call(text)
    except ParseError:
        found = _CALL_NAME.match(text)
        return (found[1], text) if found is not None else ("", text)
    return call.name, orjson.dumps(call.arguments).decode()


def _requests(entry: JsonObject) -> list[str]:
    """Return what the user asks for, a text for each turn in which there is a request."""
    question = entry.get("question")
    turns = question if isinstance(question, list) else []
    messages = [m for turn in turns if isinstance(turn, list) for m in turn if isinstance(m, dict)]
    return [text for m in messages if m.get("role") == "user" and isinstance(text := m.get("content"), str)]


def _tools(known: Known, entry: JsonObject) -> tuple[JsonObject, ...]:
    services = entry.get("involved_classes")
    names = [name for name in services if isinstance(name, str)] if isinstance(services, list) else []
    left_out = entry.get("excluded_function")
    return tuple(
        tool
        for name in names
        for tool in known.docs.get(name, ())
        if not isinstance(left_out, list) or tool["function"]["name"] not in left_out  # pyright: ignore
    )


def _setting(known: Known, own: str, entry: JsonObject) -> JsonObject:
    services, scenarios = entry.get("involved_classes"), entry.get("initial_config")
    if not isinstance(services, list) or not isinstance(scenarios, dict):
        return {}
    initial: JsonObject = {"involved_classes": services, "initial_config": scenarios}
    if "long_context" in own or "composite" in own:
        initial["long_context"] = True
    return {"environment": {"kind": BFCL, "version": known.version, "initial": initial}}


def _gold(known: Known, own: str) -> JsonObject:
    """Return the right calls, their arguments by the names of the parameters; nothing where one cannot be read."""
    functions = [tool["function"] for tools in known.docs.values() for tool in tools]
    parameters = {
        str(function["name"]): list(described)
        for function in functions
        if isinstance(function, dict)
        and isinstance(schema := function.get("parameters"), dict)
        and isinstance(described := schema.get("properties"), dict)
    }
    turns = known.gold.get(own)
    if not turns:
        return {}
    texts = [text for turn in turns if isinstance(turn, list) for text in turn]
    try:
        calls = [parse_call(str(text), parameters or None) for text in texts]
    except ParseError:
        return {}
    return {"gold_calls": [{"name": call.name, "arguments": call.arguments} for call in calls]}


def _verdict(failure: JsonObject | None) -> JsonObject:
    error = failure.get("error") if failure is not None else None
    if not isinstance(error, dict):
        return {}
    return {f"bfcl_{name}": error[name] for name in ("error_type", "error_message") if name in error}


def _model(path: Path) -> str | None:
    """Return the model by the folder below `result`, where the file lies so."""
    parts = path.absolute().parts
    at = next((i for i in range(len(parts) - 3, 0, -1) if parts[i] == "result"), None)
    return parts[at + 1] if at is not None else None
