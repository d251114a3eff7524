"""tau-bench results: a list of conversations between an agent with tools and a simulated user.

The goal is the simulated user's script. It stands nowhere in the run: the agent sees its policy and the user's turns.
The file does not say which domain the tasks are from; the names of the tools do. Marks by which the simulated user ends
the conversation (`###STOP###`) are taken out and kept as a label. Failed retail runs take AgentRx's annotations, where these
lie beside the file, as labels.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from agenther.readers.agentrx_marks import mark_labels, marks_beside, root_step
from agenther.readers.base import Place, run_id, source
from agenther.readers.chat import chat_steps
from agenther.readers.records import Build, RecordReader
from agenther.record import Json, JsonObject
from agenther.trajectory import GoalHolder, Step, Trajectory

_END_MARK = re.compile(r"\s*###(?:STOP|TRANSFER|OUT-OF-SCOPE)###\s*")
_DOMAIN_WORDS = {
    "retail": ("order", "product", "item", "email", "zip"),
    "airline": ("reservation", "flight"),
    "telecom": ("line", "roaming", "bill"),
}


class TauBenchReader(RecordReader):
    """Reads tau-bench result files."""

    format = "tau-bench"
    about = "tau-bench results JSON (customer service with a simulated user); labelled by the reward, 1 is success"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the fields of a record."""
        return all(f'"{name}"'.encode() in head for name in ("task_id", "reward", "info", "traj"))

    def builder(self, path: Path) -> Build:
        """Read a conversation with the marks that stand beside the file."""
        return partial(_run, marks_beside(path))


def _run(noted: dict[str, JsonObject], place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    task_id = record.get("task_id")
    if not isinstance(task_id, str | int):
        raise place.at("task_id").error("a number or text", task_id)
    reward = place.at("reward").number(record.get("reward"))
    info = place.at("info").obj(record.get("info"))
    messages = place.at("traj").list(record.get("traj"))
    steps, labels = chat_steps(place.at("traj"), messages)
    steps, marks = _without_end_marks(steps)
    if marks:
        labels["ended_by_user"] = list(marks)
    task = info.get("task")
    task = place.at("info").at("task").obj(task) if task is not None else {}
    trial = record.get("trial")
    labels |= {"trial": trial} | {name: info[name] for name in ("error", "reward_info") if name in info}
    labels |= {name: task[name] for name in ("user_id", "actions", "outputs") if name in task}
    domain = _domain(place.path, steps, task)
    if reward < 1 and domain == "retail" and (mark := noted.get(str(task_id))) is not None:
        labels |= mark_labels(mark) | _mistake(mark, messages, len(steps))
    return Trajectory(
        id=run_id(place.path, task_id if trial is None else f"{task_id}-{trial}"),
        source=source(place.path, "tau-bench", index),
        task_id=f"tau-bench/{domain}/{task_id}",
        goal=place.at("info").at("task").at("instruction").str(task.get("instruction", "")),
        goal_holder=GoalHolder.SIMULATED_USER,
        steps=steps,
        success=reward >= 1,
        reward=reward,
        label_source="tau-bench.reward",
        labels=labels,
    )


def _mistake(mark: JsonObject, messages: list[Json], n_steps: int) -> JsonObject:
    """Return the step of the decisive mistake: annotators count all messages from 1, answers of tools among them."""
    position = root_step(mark)
    if position is None or position > len(messages):
        return {}
    spoken = sum(isinstance(m, dict) and m.get("role") != "tool" for m in messages[:position])
    return {"mistake_step_id": spoken} if 0 < spoken <= n_steps else {}


def _without_end_marks(steps: tuple[Step, ...]) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Take the marks that end a conversation out of the user's turns, and turns that were nothing else."""
    marks: list[str] = []
    kept: list[Step] = []
    for step in steps:
        found = _END_MARK.findall(step.message) if step.source == "user" else []
        marks += [mark.strip() for mark in found]
        text = _END_MARK.sub("", step.message) if found else step.message
        if text or not found:
            kept.append(step.model_copy(update={"message": text, "step_id": len(kept) + 1}))
    return tuple(kept), tuple(marks)


def _domain(path: Path, steps: tuple[Step, ...], task: JsonObject) -> str:
    """Name the domain by the words in the names of the tools, those called first, then those of the reference actions."""
    actions = task.get("actions")
    wanted = [str(a.get("name")) for a in actions if isinstance(a, dict)] if isinstance(actions, list) else []
    called = [call.function_name for step in steps for call in step.tool_calls]
    for name in (*called, *wanted):
        for domain, words in _DOMAIN_WORDS.items():
            if any(word in name.split("_") or f"{word}s" in name.split("_") for word in words):
                return domain
    return next((domain for domain in _DOMAIN_WORDS if domain in path.name.lower()), "unknown")
