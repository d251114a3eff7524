"""NeMo Gym rollouts: one JSON line a run, `{responses_create_params, response, reward, ...}` with Responses API items.

The goal is the user's request. Where a prompt frames it ("Task Description: ...", "Question: ..."), only the framed text is
the goal. In a conversation with several requests before the run no one of them is the goal: it has no place. Where a customer
is simulated, the goal is the scenario that only the customer knows. In games, told by `terminated` and `truncated`, user turns
are what the environment showed.
"""

from __future__ import annotations

import re
from pathlib import Path

from agenther.readers.base import LEAST_ECHO, Place, find_goal, run_id, source
from agenther.readers.records import Build, RecordReader
from agenther.readers.responses import ItemSteps
from agenther.record import Json, JsonObject, content_key
from agenther.trajectory import GoalHolder, Span, Step, Trajectory

_FRAMED = (
    re.compile(r"^Task Description:\n(?P<goal>.+?)\n+^Current terminal state:", re.DOTALL | re.MULTILINE),
    re.compile(r"^Question:[ \t]*\n(?P<goal>(?!.*^Question:)\S.*\S)", re.DOTALL | re.MULTILINE),
)
_SCENARIO = ("reason_for_contact", "customer_details", "unknown_info", "task_instructions")
_PROBLEM = ("problem_statement", "instruction", "prompt")
_ROUNDING = 1e-9
"""A graded reward of 1 may come out as 0.9999999999999998."""
_LABELS = (
    "resolved",
    "agent_timed_out",
    "eval_timed_out",
    "agent_error_kind",
    "error_kind",
    "agent_timeout_error",
    "context_length_exceeded_error",
    "memory_limit_exceeded_error",
    "trajectory_invalid_reasons",
    "failure_labels",
    "terminal_state",
    "terminated",
    "truncated",
    "expected_answer",
    "judge_text",
    "accuracy",
)


class NemoGymReader(RecordReader):
    """Reads NeMo Gym rollout files."""

    format = "nemo-gym"
    about = "NeMo Gym rollouts JSONL (OpenAI Responses API items); labelled by the reward, 1 or more is success"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for the name of the request."""
        return b'"responses_create_params"' in head

    def builder(self, path: Path) -> Build:
        """Read a record as one run."""
        return _run


def _run(place: Place, index: int, value: Json) -> Trajectory:
    record = place.obj(value)
    asked, answered = place.at("responses_create_params"), place.at("response")
    request, response = asked.obj(record.get("responses_create_params")), answered.obj(record.get("response"))
    reward = place.at("reward").number(record.get("reward"))
    is_game = "terminated" in record and "truncated" in record
    items = ItemSteps(user_observes=is_game)
    items.add_request(asked, request)
    prompt = tuple(items.steps)
    items.add_all(answered.at("output"), answered.at("output").list(response.get("output")))
    steps = tuple(items.steps)
    script = _script(record)
    goal, goal_at = (script, ()) if script else _goal(record, prompt, steps)
    labels: JsonObject = {name: record[name] for name in _LABELS if record.get(name) is not None}
    labels |= items.labels()
    model = response.get("model")
    return Trajectory(
        id=run_id(place.path, _key(record, index)),
        source=source(place.path, "nemo-gym", index),
        task_id=_task_id(record, request),
        goal=goal,
        goal_at=goal_at,
        goal_holder=GoalHolder.SIMULATED_USER if script else GoalHolder.AGENT,
        answer_by="action" if is_game else "message",
        tools=_tools(asked.at("tools"), request.get("tools")),
        steps=steps,
        success=reward >= 1 - _ROUNDING,
        reward=reward,
        label_source="nemo-gym.reward",
        labels=labels,
        agent=model if isinstance(model, str) else None,
    )


def _goal(record: JsonObject, prompt: tuple[Step, ...], steps: tuple[Step, ...]) -> tuple[str, tuple[Span, ...]]:
    """Return the goal and its places; a request among several, or one that the log keeps apart, has none."""
    asking = [step for step in prompt if step.source == "user"]
    if not asking:
        return _problem(record), ()
    if any(step.source == "agent" for step in prompt):
        return asking[-1].message, ()
    text = asking[0].message
    framed = next((match for pattern in _FRAMED if (match := pattern.search(text)) is not None), None)
    start, end = framed.span("goal") if framed is not None else (0, len(text))
    here = Span(step=asking[0].step_id, field="message", start=start, end=end)
    later = tuple(step for step in steps if step.step_id != here.step)
    goal = text[start:end]
    if len(goal) < LEAST_ECHO:
        return goal, (here,)
    return goal, (here, *find_goal(later, goal), *find_goal(later, goal, fields="observations"))


def _script(record: JsonObject) -> str:
    """Return the scenario of a simulated customer; empty when there is none."""
    scenario = record.get("customer_scenario")
    if not isinstance(scenario, dict):
        return ""
    return "\n".join(text for name in _SCENARIO if isinstance(text := scenario.get(name), str) and text)


def _instance(record: JsonObject) -> JsonObject:
    """Return what a software task says about itself."""
    config = record.get("instance_config")
    info = config.get("problem_info") if isinstance(config, dict) else None
    return (config if isinstance(config, dict) else {}) | (info if isinstance(info, dict) else {})


def _problem(record: JsonObject) -> str:
    instance = _instance(record)
    return next((text for name in _PROBLEM if isinstance(text := instance.get(name), str)), "")


def _key(record: JsonObject, index: int) -> str:
    """Name a rollout inside its file: by task and rollout where the file numbers them."""
    task, rollout = record.get("_ng_task_index"), record.get("_ng_rollout_index")
    return f"{task}-{rollout}" if isinstance(task, int) and isinstance(rollout, int) else str(index)


def _task_id(record: JsonObject, request: JsonObject) -> str | None:
    """Name the task by its own id, else by its number in the file beside what was asked.

    One prompt may ask for different things, such as different hidden laws: alone it names no task.
    """
    for holder in (record, _instance(record)):
        if isinstance(name := holder.get("instance_id"), str):
            return f"nemo-gym/{name}"
    number, asked = record.get("_ng_task_index"), [request.get("instructions"), request.get("input")]
    return f"nemo-gym/{content_key(asked)[:16]}/{number}" if isinstance(number, int) else None


def _tools(place: Place, raw: Json) -> tuple[JsonObject, ...]:
    """Return the tool schemas in the chat form, in which a function stands under its own key."""
    tools = [place.at(i).obj(tool) for i, tool in enumerate(place.list(raw) if raw is not None else [])]
    return tuple(tool if "function" in tool or "name" not in tool else _wrapped(tool) for tool in tools)


def _wrapped(tool: JsonObject) -> JsonObject:
    return {"type": "function", "function": {k: v for k, v in tool.items() if k != "type" and v is not None}}
