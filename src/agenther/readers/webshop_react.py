"""The ReAct log of WebShop: plain text, one block an episode, `Action:` and `Observation:` in turns.

`search[...]` and `click[...]` become structured calls. A `think[...]`, which the harness answers with "OK.", becomes the
reasoning of the action after it. The printed score is taken out of the observation and kept as the label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, run_id, source
from agenther.readers.files import BAD_FILE, MAX_RECORD, read_lines
from agenther.record import JsonObject
from agenther.trajectory import Observation, Span, Step, ToolCall, Trajectory

_RULE = re.compile(r"-{17}\s*\Z")
_END = re.compile(r"-{13}\s*\Z")
_TOTALS = re.compile(r"\d+ [\d.e-]+ [\d.e-]+ [\d.e-]+\s*\Z")
_ACTION, _OBSERVATION = "Action: ", "Observation:"
_CALL = re.compile(r"\s*(?:(search|click)\[(.*)\]|(think)\[(.*?)\]?)\s*\Z", re.DOTALL)
_INSTRUCTION = re.compile(r"Instruction:\s*(\S.*?)[ \t]*(?:\r?\n|\Z)")
_SCORE = re.compile(r"[ \t]*Your score \(min [\d.]+, max [\d.]+\): (-?[\d.]+(?:e-?\d+)?)[ \t]*")
_ARGUMENT = {"search": "query", "click": "target"}


def _tool(name: str, about: str) -> JsonObject:
    argument = _ARGUMENT[name]
    parameters: JsonObject = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return {"type": "function", "function": {"name": name, "description": about, "parameters": parameters}}


TOOLS = (
    _tool("search", "Search the shop for products and return the first page of results."),
    _tool("click", "Click a product, an option or a button that stands in square brackets on the page."),
)


@dataclass
class _Block:
    """The lines of one episode."""

    line: int
    lines: list[str] = field(default_factory=list[str])
    broken: str = ""


@dataclass
class _Turn:
    """One action and what came back; None when nothing did."""

    action: str
    observation: str | None


class WebShopReactReader:
    """Reads printed WebShop episodes of ReAct."""

    format = "react-webshop"
    about = "ReAct's printed WebShop log (Action:/Observation: text); labelled by the printed score, 1 is success"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the first turn of an episode."""
        return b"\nAction: reset" in head.replace(b"\r", b"") and b"Instruction:" in head

    def read(self, path: Path) -> Iterator[Item]:
        """Yield one run for each episode."""
        try:
            for index, block in enumerate(_blocks(path)):
                place = Place(path, block.line, "episode")
                yield from build_one(place, lambda p=place, i=index, b=block: _episode(p, i, b))
        except BAD_FILE as error:
            yield ReadError(str(path), None, "file", "a readable file", str(error))


def _blocks(path: Path) -> Iterator[_Block]:
    """Yield the episodes of a log; text before the first and between two of them belongs to none."""
    block: _Block | None = None
    for number, raw in read_lines(path):
        line = "" if raw is None else raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if _RULE.match(line):
            if block is not None:
                yield block
            block = _Block(line=number)
        elif block is not None:
            block.lines.append(line)
            if raw is None or ("\ufffd" in line and not _is_utf8(raw)):
                block.broken = line or f"a line of more than {MAX_RECORD >> 20} MiB"
    if block is not None:
        yield block


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _episode(place: Place, index: int, block: _Block) -> Trajectory:
    if block.broken:
        raise place.error("UTF-8 text", block.broken)
    number = block.lines[0].strip() if block.lines else ""
    if not number.isdecimal():
        raise place.error("the number of the episode on a line of its own", number)
    body, closed = _body(block.lines[1:])
    turns = _turns(place, body)
    if not turns or turns[0].action.strip() != "reset" or turns[0].observation is None:
        raise place.error("`Action: reset` and its page first", turns[0].action if turns else "")
    match = _INSTRUCTION.search(turns[0].observation)
    if match is None:
        raise place.error("an instruction on the first page", turns[0].observation)
    goal, score = match.group(1), _score(turns)
    labels: JsonObject = {"environment": "webshop"}
    if score is not None:
        labels["score"] = score
    steps = (Step(step_id=1, source="user", message=turns[0].observation), *_steps(turns[1:]))
    reward = score if score is not None else 0.0 if closed else None
    return Trajectory(
        id=run_id(place.path, number),
        source=source(place.path, "react-webshop", index),
        task_id=f"webshop/{number}",
        goal=goal,
        goal_at=tuple(_goal_places(steps, goal)),
        answer_by="action",
        tools=TOOLS,
        steps=steps,
        success=None if reward is None else reward >= 1,
        reward=reward,
        label_source=None if reward is None else "webshop.score" if score is not None else "webshop.no_score",
        labels=labels,
    )


def _body(lines: list[str]) -> tuple[list[str], bool]:
    """Return the lines of the turns, and whether the harness closed the episode with its running totals."""
    for i, line in enumerate(lines):
        if _TOTALS.match(line) and i + 1 < len(lines) and _END.match(lines[i + 1]):
            return lines[:i], True
    return lines, False


def _turns(place: Place, lines: list[str]) -> list[_Turn]:
    turns: list[_Turn] = []
    for line in lines:
        if line.startswith(_ACTION):
            turns.append(_Turn(line.removeprefix(_ACTION), None))
        elif not turns:
            if line.strip():
                raise place.error("`Action: reset`", line)
        elif turns[-1].observation is not None:
            turns[-1].observation += "\n" + line
        elif line.startswith(_OBSERVATION):
            turns[-1].observation = line.removeprefix(_OBSERVATION).removeprefix(" ")
        else:
            turns[-1].action += "\n" + line
    for turn in turns:
        turn.observation = None if turn.observation is None else turn.observation.rstrip("\n")
    return turns


def _score(turns: list[_Turn]) -> float | None:
    """Take the printed score out of the observations and return it; None when none was printed."""
    score: float | None = None
    for turn in turns:
        if turn.observation and (match := _SCORE.search(turn.observation)):
            score = float(match.group(1))
            turn.observation = (turn.observation[: match.start()] + turn.observation[match.end() :]).strip("\n")
    return score


def _steps(turns: list[_Turn]) -> Iterator[Step]:
    thoughts: list[str] = []
    step_id = 2
    for turn in turns:
        kind, text = _parsed(turn.action)
        if kind == "think":
            thoughts.append(text)
            continue
        yield _step(step_id, kind, text, turn.observation, thoughts)
        thoughts = []
        step_id += 1
    if thoughts:
        yield Step(step_id=step_id, source="agent", reasoning="\n".join(thoughts))


def _parsed(action: str) -> tuple[str, str]:
    """Return what an action does and with what text; a long thought may have lost its closing bracket."""
    match = _CALL.match(action)
    if match is None:
        return "", action
    return (match.group(1), match.group(2)) if match.group(1) else ("think", match.group(4))


def _step(step_id: int, kind: str, text: str, observation: str | None, thoughts: list[str]) -> Step:
    """Return the step of an action; one that the harness does not know keeps its text."""
    reasoning = "\n".join(thoughts) or None
    if not kind:
        seen = () if observation is None else (Observation(content=observation, role="user"),)
        return Step(step_id=step_id, source="agent", message=text, reasoning=reasoning, observations=seen)
    call_id = f"call_{step_id - 1}"
    arguments = orjson.dumps({_ARGUMENT[kind]: text}).decode()
    return Step(
        step_id=step_id,
        source="agent",
        reasoning=reasoning,
        tool_calls=(ToolCall(tool_call_id=call_id, function_name=kind, arguments=arguments),),
        observations=() if observation is None else (Observation(content=observation, source_call_id=call_id),),
    )


def _goal_places(steps: tuple[Step, ...], goal: str) -> Iterator[Span]:
    """Yield every place where a page repeats the instruction."""
    for step in steps:
        pages = [(f, t) for f, t in step.fields() if step.source == "user" or f.startswith("observations")]
        for name, text in pages:
            for match in _INSTRUCTION.finditer(text):
                if match.group(1) == goal:
                    yield Span(step=step.step_id, field=name, start=match.start(1), end=match.end(1))
