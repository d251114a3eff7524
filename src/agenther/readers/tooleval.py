"""ToolEval's converted answers: one JSON object of queries, each with its tools and one chain of what the agent did.

ToolBench publishes these files with every message cut at 100 characters; then `observations_cut` says so, and the run is
good for its outcome alone. The query and the final answer are whole in any case. The file itself gives no verdict: an
answer's outcome is known where the votes of the pass-rate evaluation lie beside it (`SET_METHOD.json` in the same folder,
or under `pass_rate_results/METHOD/`, as the evaluation names them).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from agenther.literals import literal_value
from agenther.readers.base import Item, Place, locate_goal, read_episodes, read_head, read_json, run_id, source
from agenther.readers.tool_answers import FINISH, judge, openai_tools
from agenther.record import Json, JsonObject, content_key
from agenther.texts import storable
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

CUT_AT = 100
"""Characters of a message in the files that ToolBench publishes."""
_MOST_NODES = 2000
_NAME = re.compile(r"\s*\{\s*['\"]name['\"]\s*:\s*['\"](?P<name>\w+)")
_CLOSINGS = ("'}", '"}', "': ''}", "''}", "}", "'': ''}", ": ''}")
"""Texts that may end the Python literal of a call that was cut."""
_ENTRY = re.compile(rb'\{\s*"[^"]*"\s*:\s*\{\s*"query"\s*:')


class ToolEvalReader:
    """Reads ToolEval's converted answer files."""

    format = "tooleval"
    about = (
        "ToolEval converted ToolBench answers; unanswered is failed, else the pass-rate votes beside the file decide"
    )

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a query with its tools."""
        return _ENTRY.match(head) is not None and b'"available_tools"' in head

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each query."""
        votes = _votes(path)
        yield from read_episodes(path, lambda p, i, k, v: _run(p, i, k, v, votes))

    def companion(self, path: Path) -> bool:
        """Tell whether a file holds the votes for another one; other files may be named alike."""
        set_name = path.name.removesuffix(f"_{path.parent.name}.json")
        if set_name == path.name:
            return False
        lies_right = path.parent.parent.name == "pass_rate_results" or path.with_name(f"{set_name}.json").is_file()
        return lies_right and b'"is_solved"' in read_head(path)


def _run(place: Place, index: int, key: str, value: Json, votes: JsonObject) -> Trajectory:
    record = place.obj(value)
    goal = place.at("query").str(record.get("query")).strip()
    answer = place.at("answer").obj(record.get("answer"))
    final = answer.get("final_answer")
    given = place.at("answer").at("final_answer").str(final) if final is not None else ""
    chain = _Chain(given)
    for where, node in _nodes(place.at("answer").at("answer_details"), answer.get("answer_details")):
        chain.add(where, node)
    steps = (Step(step_id=1, source="user", message=goal), *chain.steps)
    labels: JsonObject = {"observations_cut": CUT_AT} if chain.is_cut else {}
    success, rule, admitted = judge(given if given or chain.finished else None, win=None)
    if admitted is not None:
        labels["admitted"] = admitted
    if (voted := _majority(votes.get(key))) is not None:
        labels["is_solved"] = voted[1]
        success, rule = (success, rule) if voted[0] is None else (voted[0], "is_solved")
    task, method = content_key(goal)[:12], answer.get("method")
    return Trajectory(
        id=run_id(place.path, key),
        source=source(place.path, "tooleval", index),
        task_id=f"toolbench/{task}",
        goal=goal,
        goal_at=locate_goal(steps, goal),
        tools=openai_tools(place.at("available_tools"), record.get("available_tools")),
        steps=steps,
        success=success,
        label_source=None if success is None else f"tooleval.{rule}",
        labels=labels,
        agent=method if isinstance(method, str) else None,
    )


def _nodes(place: Place, details: Json) -> Iterator[tuple[Place, JsonObject]]:
    """Yield the nodes of a chain: of each list the first."""
    where, nodes = place, place.list(details)
    for _ in range(_MOST_NODES):
        if not nodes:
            return
        node = where.at(0).obj(nodes[0])
        yield where.at(0), node
        where = where.at(0).at("next")
        nodes = where.list(node.get("next", []))
    raise place.error(f"at most {_MOST_NODES} turns", details)


class _Chain:
    """Collects the agent's turns; a thought and the call after it are one."""

    def __init__(self, final_answer: str) -> None:
        self.steps: list[Step] = []
        self.is_cut = False
        self.finished = False
        self._final = final_answer
        self._thinks = False

    def add(self, place: Place, node: JsonObject) -> None:
        message, where = node.get("message"), place.at("message")
        match node.get("role"):
            case "system" | "user":
                return
            case "assistant":
                text = storable(where.str(message))
                self.is_cut |= len(text) == CUT_AT
                thought_at = ((0, len(text)),) if text else ()
                self.steps.append(self._next().model_copy(update={"message": text, "thought_at": thought_at}))
                self._thinks = True
            case "tool":
                self._add_call(where, message if isinstance(message, dict) else self._parsed(where, where.str(message)))
            case role:
                raise place.at("role").error("system, user, assistant or tool", role)

    def _add_call(self, place: Place, call: JsonObject) -> None:
        name, arguments, response = place.at("name").str(call.get("name")), call.get("arguments"), call.get("response")
        if name == FINISH:
            self.finished = True
            arguments = self._final or arguments
        step = self.steps.pop() if self._thinks else self._next()
        self._thinks = False
        made = ToolCall(
            tool_call_id=f"call_{step.step_id}",
            function_name=storable(name),
            arguments=storable(arguments) if isinstance(arguments, str) else "",
        )
        seen: tuple[Observation, ...] = ()
        if response:
            text = storable(place.at("response").str(response))
            seen = (Observation(content=text, source_call_id=made.tool_call_id, name=made.function_name),)
        self.steps.append(step.model_copy(update={"tool_calls": (made,), "observations": seen}))

    def _next(self) -> Step:
        """Return an empty turn; the first step of the run is the query."""
        return Step(step_id=len(self.steps) + 2, source="agent")

    def _parsed(self, place: Place, text: str) -> JsonObject:
        """Return the call that a text holds, closing it where it was cut."""
        value = literal_value(text)
        if isinstance(value, dict):
            return value
        self.is_cut = True
        for closing in _CLOSINGS:
            value = literal_value(text.rstrip("\\") + closing)
            if isinstance(value, dict) and "name" in value:
                return value
        named = _NAME.match(text)
        if named is None:
            raise place.error("a call {name, arguments, response}", text)
        return {"name": named["name"]}


def _votes(path: Path) -> JsonObject:
    """Return the pass-rate file beside a file of answers; empty when there is none."""
    folder, name = path.parent, path.name.split(".")[0]
    voted = f"{name}_{folder.name}.json"
    for place in (folder / voted, folder.parent.parent / "pass_rate_results" / folder.name / voted):
        found = read_json(place) if place.is_file() else None
        if isinstance(found, dict):
            return found
    return {}


def _majority(entry: Json) -> tuple[bool | None, JsonObject] | None:
    """Return what most votes say, None when it is not clear, and the number of each vote; None without votes."""
    votes = entry.get("is_solved") if isinstance(entry, dict) else None
    if not isinstance(votes, dict) or not votes:
        return None
    counts = Counter(str(vote).rpartition(".")[2].casefold() for vote in votes.values())
    clear = next((name for name in ("solved", "unsolved") if 2 * counts[name] > len(votes)), None)
    return None if clear is None else clear == "solved", dict(counts)
