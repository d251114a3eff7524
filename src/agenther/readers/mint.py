"""MINT results: one JSON line a run, `{state: {history, ...}, task: {prompt, ...}}`; agents think and call in tagged text.

The first user turn holds the tools, a worked example of another task and then the task. Several `<execute>` blocks of one
turn run as one program; beside a `<solution>` they do not run at all. The harness's verdict is taken out of what the
agent saw and kept as a label; an expert's feedback becomes a user turn of its own, for it speaks of the task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson

from agenther.readers.base import Place, find_goal, run_id, source
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject, content_key
from agenther.trajectory import Observation, Span, Step, ToolCall, Trajectory

_TASK_SENTENCE = re.compile(r"Your task is to:[ \t]*(?P<goal>[^\n]+?)\.?[ \t]*(?:\n|\Z)")
_THOUGHT = re.compile(r"<thought>(.*?)</thought>", re.DOTALL)
_CALL = re.compile(r"<(?P<tag>execute|solution)>(?P<body>.*?)</(?P=tag)>", re.DOTALL)
_ARGUMENT = {"execute": ("python", "code"), "solution": ("solution", "answer")}
_VERDICT = re.compile(r"^Your answer is (?:wrong|incorrect|correct|right)\.?[ \t]*(?:\n|\Z)", re.MULTILINE)
_FEEDBACK = re.compile(r"\n*(?=^Expert feedback:)", re.MULTILINE)
_LIMITS = re.compile(
    r"You have (\d+) chances to interact with the environment.*?You can only propose a solution (\d+) times", re.DOTALL
)
_KINDS = ("code_generation", "decision_making", "reasoning")
_RULE = "\n---\n"


class MintReader(RecordReader):
    """Reads MINT result files."""

    format = "mint"
    about = "MINT results JSONL (ALFWorld, HotpotQA, maths, code); labelled by state.success"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the names that only a MINT state has."""
        return b'"terminate_reason"' in head and b'"agent_action_count"' in head

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    state = place.at("state").obj(record.get("state"))
    task = place.at("task").obj(record.get("task"))
    prompt = place.at("task").at("prompt").str(task.get("prompt"))
    task_name = place.at("task").at("task_name").str(task.get("task_name"))
    success = state.get("success")
    if success is not None and not isinstance(success, bool):
        raise place.at("state").at("success").error("true, false or null", success)
    verdicts: list[Json] = []
    steps = tuple(_steps(place.at("state").at("history"), state.get("history"), verdicts))
    goal = goal_of(prompt)
    agent, setting = agent_of(place.path)
    latest = state.get("latest_output")
    feedback = latest.get("feedback_type") if isinstance(latest, dict) else None
    return Trajectory(
        id=run_id(place.path, "/".join([*filter(None, (agent, setting)), str(index)])),
        source=source(place.path, "mint", index),
        task_id=_task_id(task_name, task.get("task_id"), prompt),
        goal=goal,
        goal_at=_goal_at(steps, goal),
        worked_at=_worked_at(steps[0]),
        answer_by="action" if task_name.startswith("alfworld") else "message",
        steps=steps,
        success=success,
        label_source=None if success is None else "mint.success",
        labels=_labels(state, task, steps, verdicts) | {"feedback_type": feedback},
        agent=agent,
    )


def goal_of(prompt: str) -> str:
    """Return what a task prompt asks for: the sentence after "Your task is to:", or all of it where there is none."""
    sentences = list(_TASK_SENTENCE.finditer(prompt))
    return sentences[-1]["goal"] if sentences else prompt.strip()


def agent_of(path: Path) -> tuple[str | None, str | None]:
    """Return the model's name and the folder of its setting where the folders follow the benchmark's order; else None."""
    folders = path.parent.parts
    if "outputs" in folders[:-2]:
        model = folders.index("outputs") + 1
    else:
        model = next((i for i, folder in enumerate(folders) if folder in _KINDS), 0) - 2
    return (folders[model], folders[model + 1]) if model >= 0 else (None, None)


def _task_id(task_name: str, task_id: Json, prompt: str) -> str:
    """Name the task; numbered tasks of different data sets share numbers, so their prompt tells them apart."""
    by_prompt = f"/{content_key(prompt)[:8]}" if isinstance(task_id, int) else ""
    return f"mint/{task_name}/{task_id}{by_prompt}"


def _goal_at(steps: tuple[Step, ...], goal: str) -> tuple[Span, ...]:
    """Return the places of the goal: the last one in the first turn (a worked example stands before), and echoes.

    An expert's words about the goal are none: they stay as they are, and no new goal can stand beside them.
    """
    return (*find_goal(steps[:1], goal)[-1:], *find_goal(steps, goal, fields="observations"))


def _worked_at(first: Step) -> tuple[Span, ...]:
    """Return the place of the worked example: from the first rule of the prompt to the task that follows the last."""
    start, end = first.message.find(_RULE), first.message.rfind(_RULE)
    return (Span(step=first.step_id, field="message", start=start, end=end),) if 0 <= start < end else ()


def _labels(state: JsonObject, task: JsonObject, steps: tuple[Step, ...], verdicts: list[Json]) -> JsonObject:
    labels: JsonObject = {name: state.get(name) for name in ("terminate_reason", "agent_action_count")}
    labels |= {"task_name": task.get("task_name"), "reference": task.get("reference")}
    labels["turns_taken"] = sum(step.source == "agent" for step in steps)
    if (limits := _LIMITS.search(steps[0].message)) is not None:
        labels |= {"turns_max": int(limits[1]), "solutions_max": int(limits[2])}
    if verdicts:
        labels["verdicts"] = verdicts
    if isinstance(error := state.get("error"), str):
        labels["error"] = error.strip().splitlines()[-1] if error.strip() else error
    return labels


def _steps(place: Place, history: Json, verdicts: list[Json]) -> Iterator[Step]:
    """Yield the steps; what an environment turn said joins the agent turn before it."""
    turns = place.list(history)
    if not turns:
        raise place.error("at least one turn", turns)
    agent: Step | None = None
    number = 0
    for i, turn in enumerate(turns):
        here = place.at(i)
        message = here.obj(turn)
        role, content = message.get("role"), here.at("content").str(message.get("content"))
        if role == "user" and agent is not None:
            observation, feedback = _observed(content, agent, verdicts)
            yield agent.model_copy(update={"observations": (observation,)})
            agent = None
            if feedback:
                number += 1
                yield Step(step_id=number, source="user", message=feedback)
            continue
        if agent is not None:
            yield agent
            agent = None
        number += 1
        match role:
            case "assistant":
                agent = _agent_step(number, content)
            case "user" | "system":
                yield Step(step_id=number, source=role, message=content)
            case _:
                raise here.at("role").error("user, assistant or system", role)
    if agent is not None:
        yield agent


def _agent_step(number: int, text: str) -> Step:
    calls: list[ToolCall] = []
    for match in _CALL.finditer(text):
        body = match["body"].strip()
        start = match.start("body") + match["body"].index(body)
        name, argument = _ARGUMENT[match["tag"]]
        call = ToolCall(
            tool_call_id=f"call_{number}_{len(calls) + 1}",
            function_name=name,
            arguments=orjson.dumps({argument: body}).decode(),
            at=(start, start + len(body)),
        )
        calls.append(call)
    thoughts = tuple(match.span(1) for match in _THOUGHT.finditer(text))
    return Step(step_id=number, source="agent", message=text, thought_at=thoughts, tool_calls=tuple(calls))


def _observed(content: str, agent: Step, verdicts: list[Json]) -> tuple[Observation, str]:
    """Return what the agent saw, without the verdict, and the expert's words apart."""
    for verdict in _VERDICT.findall(content):
        verdicts.append({"step": agent.step_id, "text": verdict.strip()})
    seen, *feedback = _FEEDBACK.split(_VERDICT.sub("", content), maxsplit=1)
    return Observation(content=seen, source_call_id=_answered(agent), role="user"), "".join(feedback)


def _answered(agent: Step) -> str | None:
    """Return the call that was run: the solution where there is one, else the code if it is a single block."""
    solutions = [call for call in agent.tool_calls if call.function_name == "solution"]
    calls = solutions[:1] or agent.tool_calls
    return calls[0].tool_call_id if len(calls) == 1 else None
