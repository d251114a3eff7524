"""Who&When files: one run of a team of agents, with a person's word on which agent went wrong, at which turn and why.

The whole team is the agent; `name` says who spoke. What a terminal printed is an observation of the turn before it,
whose code blocks are then the calls. A team without names tells its speakers by role (`Orchestrator (thought)`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.readers.base import Place, locate_goal, run_id, source
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject
from agenther.trajectory import Observation, Step, ToolCall, Trajectory

_CODE = re.compile(r"^```(?P<tag>python|py|sh|bash|shell)[ \t]*\n(?P<body>.*?)\n?^```", re.DOTALL | re.MULTILINE)
_ROLE = re.compile(r"(?P<name>[^()]+?)\s*(?:\((?P<part>[^()]*)\))?\s*\Z")
_TERMINALS = ("Computer_terminal", "ComputerTerminal")
ORCHESTRATOR = re.compile(rb'"role"\s*:\s*"Orchestrator \(')
_VERDICTS = ("is_correct", "is_corrected")
_LABELS = ("mistake_agent", "mistake_reason", "mistake_type", "ground_truth", "level")


class WhoAndWhenReader(RecordReader):
    """Reads Who&When files."""

    format = "who-and-when"
    about = (
        "Who&When JSON (teams of agents); labelled by is_correct, with the failing agent and step as people saw them"
    )

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the fields of an annotated history, or for the turns of an orchestrator where these come too late."""
        if b'"history"' not in head:
            return False
        named = b'"question_ID"' in head and b'"ground_truth"' in head
        return named or b'"mistake_agent"' in head or ORCHESTRATOR.search(head) is not None

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    goal = place.at("question").str(record.get("question")).strip()
    history = turns_of(place.at("history"), record.get("history"))
    steps, step_ids = steps_of(history)
    verdict = next((name for name in _VERDICTS if record.get(name) is not None), None)
    success = None if verdict is None else record[verdict]
    if success is not None and not isinstance(success, bool):
        raise place.at(str(verdict)).error("true, false or null", success)
    question = record.get("question_ID")
    kind = "named" if any(turn.named for turn in history) else "orchestrated"
    return Trajectory(
        id=run_id(place.path, f"{kind}/{index if question is None else question}"),
        source=source(place.path, "who-and-when", index),
        task_id=None if question is None else f"who-and-when/{question}",
        goal=goal,
        goal_at=locate_goal(steps, goal),
        steps=steps,
        success=success,
        label_source=None if verdict is None else f"who-and-when.{verdict}",
        labels=_labels(record, history, step_ids),
    )


class Turn:
    """One entry of a history: who spoke, in which part, and what."""

    def __init__(self, place: Place, value: Json) -> None:
        message = place.obj(value)
        role, name = place.at("role").str(message.get("role")), message.get("name")
        match = _ROLE.match(role)
        self.named = isinstance(name, str) and bool(name)
        self.speaker = str(name) if self.named else (match["name"].strip() if match else role)
        self.is_thought = not self.named and match is not None and match["part"] == "thought"
        self.is_log = not self.named and match is not None and match["part"] == "termination condition"
        self.is_human = not self.named and role in ("human", "user")
        self.text = place.at("content").str(message.get("content"))


def turns_of(place: Place, history: Json) -> list[Turn]:
    """Return the entries of a history; an empty one is an error."""
    turns = [Turn(place.at(i), value) for i, value in enumerate(place.list(history))]
    if not turns:
        raise place.error("at least one turn", [])
    return turns


def steps_of(history: list[Turn]) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """Return the steps, and for each turn of the history the step that it became part of.

    The first turn hands the team its task, whoever is named as its speaker. What the harness logged at the end is no turn.
    """
    steps: list[Step] = []
    step_ids: list[int] = []
    for i, turn in enumerate(history):
        if turn.is_log and steps:
            pass
        elif turn.speaker in _TERMINALS and steps and steps[-1].source == "agent":
            steps[-1] = _observed(steps[-1], turn)
        elif i == 0 or turn.is_human or turn.speaker in _TERMINALS:
            name = turn.speaker if turn.speaker in _TERMINALS else None
            steps.append(Step(step_id=len(steps) + 1, source="user", message=turn.text, name=name))
        else:
            thought = ((0, len(turn.text)),) if turn.is_thought and turn.text else ()
            steps.append(
                Step(step_id=len(steps) + 1, source="agent", message=turn.text, thought_at=thought, name=turn.speaker)
            )
        step_ids.append(len(steps))
    return tuple(steps), tuple(step_ids)


def _observed(step: Step, terminal: Turn) -> Step:
    """Return a step with what the terminal answered; its code blocks are calls, for the terminal was there to run them."""
    calls = step.tool_calls or tuple(_calls(step))
    call_id = calls[0].tool_call_id if len(calls) == 1 else None
    seen = Observation(content=terminal.text, source_call_id=call_id, role="user", name=terminal.speaker)
    return step.model_copy(update={"tool_calls": calls, "observations": (*step.observations, seen)})


def _calls(step: Step) -> Iterator[ToolCall]:
    for i, match in enumerate(_CODE.finditer(step.message), start=1):
        name, argument = ("python", "code") if match["tag"].startswith("py") else ("bash", "command")
        yield ToolCall(
            tool_call_id=f"call_{step.step_id}_{i}",
            function_name=name,
            arguments=orjson.dumps({argument: match["body"]}).decode(),
            at=match.span("body"),
        )


def _labels(record: JsonObject, history: list[Turn], step_ids: tuple[int, ...]) -> JsonObject:
    """Return what people noted. `mistake_step` counts the turns of the file from 0; `mistake_step_id` is our step."""
    labels: JsonObject = {name: record[name] for name in _LABELS if record.get(name) is not None}
    mistake = record.get("mistake_step")
    if mistake is not None:
        labels["mistake_step"] = mistake
        number = str(mistake).strip()
        if number.isdecimal() and len(number) < 9 and int(number) < len(step_ids):
            labels["mistake_step_id"] = step_ids[int(number)]
    if logged := logged_by_harness(history):
        labels["harness_log"] = logged
    prompts = record.get("system_prompt")
    if isinstance(prompts, dict):
        labels["team"] = [*sorted(prompts)]
    return labels


def logged_by_harness(history: list[Turn]) -> str:
    """Return what the harness logged as it ended the run; empty when it did not."""
    return "\n".join(turn.text for turn in history if turn.is_log)
