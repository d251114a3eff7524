"""AgentRewardBench: AgentLab runs converted to one JSON file each, named after the task.

The action of a step was taken on that step's page. Where the annotators' table (`annotations.csv`) lies beside a file or above
it, people decide: what they agree on is the outcome, unless they call failed what the benchmark rewarded.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, read_json, source
from agenther.readers.browsergym import Page, Turn, build_steps, outcome
from agenther.record import Json, JsonObject, content_key
from agenther.texts import path_text, storable
from agenther.trajectory import Trajectory

_MARKS = (b'"summary_info"', b'"experiment"', b'"benchmark"', b'"valid"')
_JUDGMENT = b'"trajectory_info"'
_TABLE = "annotations.csv"
_LEVELS = 6
"""Folders above a file in which the table is looked for: published files lie four below the root."""
_MAX_TABLE = 16 << 20
_SAID = ("trajectory_success", "trajectory_side_effect", "trajectory_optimality", "trajectory_looping")
_VERDICT = {"Successful": True, "Unsuccessful": False}
Annotations = dict[tuple[str, str], list[dict[str, str]]]


class AgentRewardBenchReader:
    """Reads AgentRewardBench's trajectories."""

    format = "agent-reward-bench"
    about = "AgentRewardBench JSON (AgentLab runs); labelled by annotations.csv where it lies near, else by the reward"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a run's keys; a judgment of a model repeats some of them."""
        return all(mark in head for mark in _MARKS) and _JUDGMENT not in head

    def companion(self, path: Path) -> bool:
        """Know the judgments of models on a run: `judgments/<benchmark>/<agent>/<judge>/<task>.json` beside `cleaned`."""
        if len(path.parts) < 5 or path.parts[-5] != "judgments":
            return False
        agent, benchmark, root = path.parts[-3], path.parts[-4], path.parents[4]
        task = path.name.removesuffix(".json").removesuffix("_error")
        experiment = f"{agent}_on_{task.rpartition('.')[0]}"
        return (root / "cleaned" / benchmark / agent / experiment / f"{task}.json").is_file()

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a file."""
        whole = read_json(path)
        if isinstance(whole, ReadError):
            yield whole
        else:
            yield from build_one(Place(path), lambda: _run(Place(path), whole))


def _run(place: Place, value: Json) -> Trajectory:
    record = place.obj(value)
    goal = place.at("goal").str(record.get("goal")).strip()
    listed = place.at("steps").list(record.get("steps"))
    if not goal or not listed:
        raise place.at("steps" if goal else "goal").error(
            "a goal and steps on it", record.get("goal") if goal else goal
        )
    run = build_steps(goal, [_turn(place.at("steps").at(i), step) for i, step in enumerate(listed)])
    success, reward, labels = outcome(place.at("summary_info").obj(record.get("summary_info")))
    decided = None if success is None else "agent-reward-bench.cum_reward"
    task, agent = path_text(place.path.name).partition(".json")[0], record.get("agent")
    said = _annotations_near(place.path).get((task, str(agent)), [])
    if said:
        labels["annotations"] = [{name: row[name] for name in _SAID if row.get(name)} for row in said]
        success = _agreed([row.get(_SAID[0]) for row in said], success)
        decided = None if success is None else "agent-reward-bench.annotations"
    labels |= run.labels
    labels |= {name: record[name] for name in ("benchmark", "valid", "seed") if isinstance(record.get(name), str | int)}
    experiment = record.get("experiment")
    return Trajectory(
        id=f"{experiment}/{task}" if isinstance(experiment, str) and experiment else task,
        source=source(place.path, "agent-reward-bench", 0),
        task_id=f"{task}/{content_key(goal)[:12]}",
        goal=goal,
        goal_at=run.goal_at,
        shown_at=run.shown_at,
        steps=tuple(run.steps),
        success=success,
        reward=reward,
        label_source=decided,
        labels=labels,
        agent=agent if isinstance(agent, str) else None,
    )


def _turn(place: Place, value: Json) -> Turn:
    step = place.obj(value)
    texts = {name: _text(place, step, name) for name in ("action", "reasoning", "url", "last_action_error")}
    page = Page(
        url=texts["url"],
        error=texts["last_action_error"],
        text=_text(place, step, "axtree") or _text(place, step, "axtree_pruned"),
    )
    return Turn(page=page, thought=texts["reasoning"], action=texts["action"])


def _text(place: Place, step: JsonObject, name: str) -> str | None:
    value = step.get(name)
    return None if value is None else place.at(name).str(value)


def _agreed(said: list[str | None], rewarded: bool | None) -> bool | None:
    """Return what people say where they agree; None where they do not, or call failed what was rewarded."""
    verdicts = {_VERDICT.get(one or "") for one in said}
    if len(verdicts) > 1 or verdicts == {None}:
        return None
    return None if verdicts == {False} and rewarded else verdicts.pop()


def _annotations_near(path: Path) -> Annotations:
    """Return the annotators' rows by task and agent, from the nearest table; none where there is no such table."""
    for folder in list(path.absolute().parents)[:_LEVELS]:
        table = folder / _TABLE
        if table.is_file() and (found := _read_table(table, table.stat().st_mtime_ns)) is not None:
            return found
    return {}


@lru_cache(maxsize=4)
def _read_table(path: Path, changed_ns: int) -> Annotations | None:
    """Return the rows of a table; None when it is another's, or cannot be read."""
    if path.stat().st_size > _MAX_TABLE:
        return None
    rows: Annotations = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"task_id", "model_name", *_SAID} <= set(reader.fieldnames or ()):
                return None
            for row in reader:
                kept = {name: storable(value) for name, value in row.items() if value}
                rows.setdefault((kept.get("task_id", ""), kept.get("model_name", "")), []).append(kept)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return rows
