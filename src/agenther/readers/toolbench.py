"""ToolBench and StableToolBench answer files: one query, worked on by a depth-first search (a tree) or in several tries.

Every leaf of a tree is a run: the turns from the root down to it. Failed searches keep no usable messages, so the tree
itself is walked. Runs of one tree share their first turns; `shared_steps` counts the leading agent turns that an earlier
run of the file has, so that each is used once. A tree gives at most `MOST_LEAVES` runs: the one that answered and those
with most calls that worked. The system text and the frame of the query are taken from `train_messages` where the file has
them. A turn taken after the search had shown its other branches to the agent (a text that the tree does not hold) is named
in `retried_steps`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, locate_goal, run_id, source
from agenther.readers.records import records
from agenther.readers.tool_answers import FINISH, GAVE_UP, judge, openai_tools
from agenther.record import Json, JsonObject, content_key
from agenther.texts import path_text
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

MOST_LEAVES = 8
"""Runs that one tree gives."""
OK, NO_SUCH_FUNCTION = 0, 1
_TOOL_BROKE = {5: "server timed out", 9: "429 too many requests", 10: "rate limit exceeded"}
"""Codes of calls that failed by no fault of the agent."""
_NODE_KINDS = ("Thought", "Action", "Action Input")
_WORK = re.compile(rb'"(?:tree|trys)"\s*:')
_QUERIES = re.compile(r"G\d_query\.json(?:\.gz|\.zst)?")
_NAME = re.compile(r"(?:^|_)(?P<query>\d+)_(?P<method>[A-Za-z][^/]*?)(?:\.json)?(?:\.gz|\.zst)?\Z")


class ToolBenchReader:
    """Reads ToolBench answer files."""

    format = "toolbench"
    about = (
        "ToolBench answer trees (DFSDT) and CoT tries, each leaf a run; labelled by win, and failed where it apologises"
    )

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the outcome and the nodes of a search."""
        return b'"win"' in head and _WORK.search(head) is not None and b'"node_type"' in head

    def companion(self, path: Path) -> bool:
        """Tell whether a file lists the queries of a set: each answer file repeats its own."""
        return _QUERIES.fullmatch(path.name) is not None

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each leaf that is kept, the one that answered first."""
        for item in records(path):
            if isinstance(item, ReadError):
                yield item
                continue
            place, _, value = item
            made: list[_Search] = []
            yield from build_one(place, lambda p=place, v=value, m=made: m.append(_Search(p, v)))
            for search in made:
                yield from search.errors
                for number in search.order():
                    yield from build_one(place, lambda s=search, n=number: s.run(n))


@dataclass
class _Node:
    """One node of a search."""

    place: Place
    parent: _Node | None
    kind: str
    text: str
    observation: str | None
    code: int | None
    rank: int
    """0 for the first child of its parent: the agent saw no other branch before it."""
    depth: int = 0


@dataclass
class _Turn:
    """What one message of the agent became: a thought, a call, or both."""

    nodes: list[_Node] = field(default_factory=list[_Node])

    def text_of(self, kind: str) -> str | None:
        return next((node.text for node in self.nodes if node.kind == kind), None)

    @property
    def last(self) -> _Node:
        return self.nodes[-1]

    @property
    def is_closed(self) -> bool:
        return bool(self.nodes) and self.last.kind == "Action Input"


class _Search:
    """One query with all that was tried for it."""

    def __init__(self, place: Place, value: Json) -> None:
        record = place.obj(value)
        self.errors: list[ReadError] = []
        self._place = place
        made = place.at("answer_generation").obj(record.get("answer_generation"))
        win = record.get("win")
        if not isinstance(win, bool):
            raise place.at("win").error("true or false", win)
        self._win = win
        where = place.at("answer_generation")
        self._goal = where.at("query").str(made.get("query")).strip()
        self._tools = openai_tools(where.at("function"), made.get("function"))
        self._prompt = _prompt(made.get("train_messages"), self._goal)
        self._limit = _depth_limit(record.get("forward_args"))
        self._leaves = [_turns(leaf) for leaf in self._find_leaves(record)]
        if not self._leaves and not self.errors:
            raise place.error("a tree or tries with a turn of the agent", sorted(record))
        self._kept = self._best()
        self._shared = _shared(self._leaves, self._kept)

    def order(self) -> list[int]:
        """Return the numbers of the runs that are kept, the one that answered first."""
        return self._kept

    def run(self, number: int) -> Trajectory:
        """Build a run."""
        turns = self._leaves[number]
        steps = (*self._prompt, *(_step(turn, len(self._prompt) + i) for i, turn in enumerate(turns, start=1)))
        ending = judge(_finish(turns), win=self._win)
        labels = self._labels(number, len(self._prompt))
        if ending.admitted is not None:
            labels["admitted"] = ending.admitted
        name = _NAME.search(path_text(self._place.path.name))
        task = content_key(self._goal)
        return Trajectory(
            id=run_id(self._place.path, f"{task[:8]}/{number + 1}"),
            source=source(self._place.path, "toolbench", number),
            task_id=f"toolbench/{task[:12]}",
            goal=self._goal,
            goal_at=locate_goal(steps, self._goal),
            tools=self._tools,
            steps=steps,
            success=ending.success,
            label_source=None if ending.success is None else f"toolbench.{ending.rule}",
            labels=labels,
            agent=name["method"] if name else None,
        )

    def _find_leaves(self, record: JsonObject) -> Iterator[_Node]:
        if "tree" in record:
            place = self._place.at("tree")
            tree = place.obj(record["tree"])
            yield from _walk(place.at("tree"), tree.get("tree"), self.errors)
            return
        place = self._place.at("trys")
        for i, value in enumerate(place.list(record.get("trys"))):
            try:
                leaf = _chain(place.at(i), value)
            except ReadError as error:
                self.errors.append(error)
            else:
                if leaf is not None:
                    yield leaf

    def _best(self) -> list[int]:
        """Return the numbers of the runs to keep: those that answered, then the others in the order of the file."""
        numbers = range(len(self._leaves))
        worked = [sum(turn.last.code == OK for turn in turns) for turns in self._leaves]
        answered = [_answered(turns) for turns in self._leaves]
        best = sorted(numbers, key=lambda i: (not answered[i], -worked[i], i))[:MOST_LEAVES]
        return sorted(best, key=lambda i: (not answered[i], i))

    def _labels(self, number: int, before: int) -> JsonObject:
        """Return what the file knows beside the outcome. `before`: steps that stand before the agent's first."""
        turns = self._leaves[number]
        codes = {str(before + i): turn.last.code for i, turn in enumerate(turns, start=1) if turn.last.code is not None}
        labels: JsonObject = {"observation_codes": dict(codes), "terminate_reason": self._reason(turns)}
        if retried := [before + i for i, turn in enumerate(turns, start=1) if any(node.rank for node in turn.nodes)]:
            labels["retried_steps"] = [*retried]
        if shared := self._shared[number]:
            labels["shared_steps"] = shared
        if len(self._leaves) > 1:
            labels |= {"leaf": number + 1, "leaves": len(self._leaves)}
        if number == self._kept[0] and len(self._kept) < len(self._leaves):
            labels["leaves_left_out"] = len(self._leaves) - len(self._kept)
        code = turns[-1].last.code
        if code is not None and code in _TOOL_BROKE:
            labels["error"] = f"{_TOOL_BROKE[code]} (observation_code {code})"
        return labels

    def _reason(self, turns: list[_Turn]) -> str:
        arguments = _finish(turns)
        if arguments is not None:
            return "give_up" if GAVE_UP in arguments else "give_answer"
        if turns[-1].last.code == NO_SUCH_FUNCTION:
            return "no_such_function"
        return "max_steps" if self._limit is not None and turns[-1].last.depth >= self._limit else "stopped"


def _depth_limit(arguments: Json) -> int | None:
    limit = arguments.get("single_chain_max_step") if isinstance(arguments, dict) else None
    return limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else None


def _prompt(prefixes: Json, goal: str) -> tuple[Step, ...]:
    """Return what the agent was told first: as the recorded messages have it, else the query alone."""
    last = prefixes[-1] if isinstance(prefixes, list) and prefixes else None
    first = [m for m in last[:2] if isinstance(m, dict)] if isinstance(last, list) else []
    texts = [(m.get("role"), m.get("content")) for m in first]
    match texts:
        case [("system", str(system)), ("user", str(user))] if goal and goal in user:
            return (
                Step(step_id=1, source="system", message=system),
                Step(step_id=2, source="user", message=user),
            )
        case _:
            return (Step(step_id=1, source="user", message=goal),)


def _node(place: Place, value: Json, parent: _Node | None, rank: int) -> _Node:
    node = place.obj(value)
    kind = node.get("node_type")
    if kind not in _NODE_KINDS:
        raise place.at("node_type").error(" or ".join(_NODE_KINDS), kind)
    code, seen = node.get("observation_code"), node.get("observation")
    return _Node(
        place=place,
        parent=parent,
        kind=str(kind),
        text=place.at("description").str(node.get("description")),
        observation=place.at("observation").str(seen) if seen is not None else None,
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        rank=rank,
        depth=0 if parent is None else parent.depth + 1,
    )


def _walk(place: Place, root: Json, errors: list[ReadError]) -> Iterator[_Node]:
    """Yield the leaves of a tree from left to right; what hangs below a node that cannot be read is an error."""
    waiting: list[tuple[Place, Json, _Node | None, int]] = [(place, root, None, 0)]
    while waiting:
        where, value, parent, rank = waiting.pop()
        try:
            node = _node(where, value, parent, rank)
            raw = where.obj(value).get("children")
            children = where.at("children").list(raw) if raw is not None else []
        except ReadError as error:
            errors.append(error)
            continue
        if not children and parent is not None:
            yield node
        below = where.at("children")
        waiting += [(below.at(i), child, node, i) for i, child in reversed(list(enumerate(children)))]


def _chain(place: Place, value: Json) -> _Node | None:
    """Return the last node of one try."""
    node: _Node | None = None
    where = place.at("chain")
    for i, raw in enumerate(where.list(place.obj(value).get("chain"))):
        node = _node(where.at(i), raw, node, 0)
        node.depth = i + 1
    return node


def _turns(leaf: _Node) -> list[_Turn]:
    """Return the agent's turns down to a leaf. The root of a tree says nothing."""
    nodes: list[_Node] = []
    at: _Node | None = leaf
    while at is not None:
        if at.parent is not None or at.text or at.observation is not None:
            nodes.append(at)
        at = at.parent
    turns: list[_Turn] = []
    for node in reversed(nodes):
        goes_on = bool(turns) and not turns[-1].is_closed and node.kind != "Thought"
        if not goes_on or (node.kind == "Action" and turns[-1].text_of("Action") is not None):
            turns.append(_Turn())
        turns[-1].nodes.append(node)
    return turns


def _shared(leaves: list[list[_Turn]], kept: list[int]) -> dict[int, int]:
    """Count for each run its leading turns that an earlier kept run has."""
    seen: set[int] = set()
    shared: dict[int, int] = {}
    for number in kept:
        ends = [id(turn.last) for turn in leaves[number]]
        shared[number] = next((i for i, end in enumerate(ends) if end not in seen), len(ends))
        seen.update(ends)
    return shared


def _finish(turns: list[_Turn]) -> str | None:
    """Return what the last turn gave to `Finish`; None when it did not call it."""
    last = turns[-1] if turns else _Turn()
    return last.text_of("Action Input") if last.text_of("Action") == FINISH else None


def _answered(turns: list[_Turn]) -> bool:
    arguments = _finish(turns)
    return arguments is not None and GAVE_UP not in arguments


def _step(turn: _Turn, number: int) -> Step:
    """Return a turn as a step; what the agent thinks is never shown to the user."""
    thought, name, last = turn.text_of("Thought") or "", turn.text_of("Action"), turn.last
    if last.kind == "Action Input" and name is None:
        raise last.place.error("an Action before the Action Input", last.text)
    call_id = f"call_{number}"
    calls = () if name is None else (_call(call_id, name, turn.text_of("Action Input")),)
    seen = (
        () if last.observation is None else (Observation(content=last.observation, source_call_id=call_id, name=name),)
    )
    thought_at = ((0, len(thought)),) if thought else ()
    return Step(
        step_id=number, source="agent", message=thought, thought_at=thought_at, tool_calls=calls, observations=seen
    )


def _call(call_id: str, name: str, arguments: str | None) -> ToolCall:
    return ToolCall(tool_call_id=call_id, function_name=name, arguments=arguments or "")
