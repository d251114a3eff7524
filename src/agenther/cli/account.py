"""What `agenther read` counts and says of files: runs, outcomes and how they are known, steps, calls, keys, files left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agenther.cli.terminal import one_line
from agenther.errors import ReadError
from agenther.readers.base import Item
from agenther.readers.influence import KeyUse
from agenther.record import Json, JsonObject
from agenther.texts import path_text
from agenther.trajectory import Trajectory

OUTCOME = {True: "succeeded", False: "failed", None: "unlabelled"}
_NAMES_KEPT = 1000
_NAMES_SHOWN = 6
_KEYS_SHOWN = 40


@dataclass
class Account:
    """Counts of the runs of one file, or of all files of a format."""

    counts: Counter[str] = field(default_factory=Counter[str])
    label_sources: Counter[str] = field(default_factory=Counter[str])
    tools_called: Counter[str] = field(default_factory=Counter[str])

    def add(self, item: Item) -> None:
        """Count a run, or a piece that is none."""
        if isinstance(item, ReadError):
            self.counts["unreadable"] += 1
            return
        self.counts["runs"] += 1
        self.counts[OUTCOME[item.success]] += 1
        if item.label_source is not None:
            self.label_sources[item.label_source] += 1
        self.counts["goal_found"] += bool(item.goal_at)
        self.counts["tools_described"] += bool(item.tools)
        self.counts["steps"] += len(item.steps)
        for step in item.agent_steps:
            self.counts["agent_steps"] += 1
            self.counts["calls"] += len(step.tool_calls)
            self.counts["observations"] += len(step.observations)
            for call in step.tool_calls:
                if call.function_name in self.tools_called or len(self.tools_called) < _NAMES_KEPT:
                    self.tools_called[call.function_name] += 1

    def to_json(self) -> JsonObject:
        """Return the counts as JSON."""
        names = ("runs", "failed", "succeeded", "unlabelled", "unreadable", "goal_found", "tools_described")
        more = ("steps", "agent_steps", "calls", "observations")
        sources: JsonObject = dict(sorted(self.label_sources.items()))
        tools: JsonObject = dict(self.tools_called.most_common())
        return {
            **{name: self.counts[name] for name in (*names, *more)},
            "label_sources": sources,
            "tools_called": tools,
        }

    def outcomes(self) -> str:
        """Say how many runs there are, and how they ended."""
        n = self.counts
        unreadable = f"; {many(n['unreadable'], 'piece')} could not be read" if n["unreadable"] else ""
        if not n["runs"]:
            return f"no runs{unreadable}"
        return (
            f"{many(n['runs'], 'run')}: {n['failed']} failed, {n['succeeded']} succeeded, "
            f"{n['unlabelled']} without a label{unreadable}"
        )

    def details(self) -> Iterator[str]:
        """Yield what was understood of the runs, a line each."""
        n = self.counts
        if not n["runs"]:
            return
        yield f"outcome known from: {_listed(self.label_sources) or 'nothing; --labels FILE.csv can give it'}"
        calls = f"{many(n['calls'], 'call')} ({_listed(self.tools_called)})" if n["calls"] else "no calls of tools"
        yield f"{many(n['agent_steps'], 'step')} of agents, {calls}, {many(n['observations'], 'observation')}"
        described, located = _of(n["tools_described"], n["runs"]), _of(n["goal_found"], n["runs"])
        yield f"tools described in {described}, goal found in the steps of {located}"


@dataclass
class PassedOver:
    """The files of folders that were not read."""

    counts: Counter[str] = field(default_factory=Counter[str])
    names: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])

    def add(self, path: Path, why: str) -> None:
        """Count a file."""
        self.counts[why] += 1
        names = self.names.setdefault(why, Counter())
        if path.name in names or len(names) < _NAMES_KEPT:
            names[path_text(path.name)] += 1

    def to_json(self) -> JsonObject:
        """Return reason, number and names as JSON."""
        return {
            why: {"files": n, "names": dict(sorted(self.names[why].items()))} for why, n in sorted(self.counts.items())
        }

    def lines(self) -> Iterator[str]:
        """Yield a line for each reason."""
        for why, n in sorted(self.counts.items()):
            yield f"passed over: {many(n, 'file')}, {why} ({_listed(self.names[why])})"


def key_lines(use: KeyUse | None) -> Iterator[str]:
    """Yield what is known of the keys of records."""
    if use is None:
        yield "keys: not tried (no JSON, too large, or not to be read apart from the files beside it)"
        return
    yield f"keys used: {_keys(use, use.used, with_counts=False) or 'none'}"
    yield f"keys IGNORED: {_keys(use, use.ignored, with_counts=True) or 'none'}"
    if use.not_tried:
        yield f"keys not tried, for want of time: {_keys(use, use.not_tried, with_counts=False)}"


def keys_json(use: KeyUse | None) -> Json:
    """Return what is known of the keys of records as JSON."""
    if use is None:
        return None
    made: JsonObject = {
        "records": use.n_records,
        "used": [*sorted(use.used)],
        "ignored": {key: use.counts[key] for key in sorted(use.ignored)},
        "not_tried": [*sorted(use.not_tried)],
    }
    return made


def run_json(run: Trajectory) -> JsonObject:
    """Return what a script may want to know of a run."""
    return {
        "id": run.id,
        "task_id": run.task_id,
        "format": run.source.format,
        "goal": run.goal,
        "success": run.success,
        "n_steps": len(run.steps),
        "label_source": run.label_source,
    }


def run_line(run: Trajectory) -> str:
    """Return a run on one line."""
    what = f"{run.source.format:<14} {OUTCOME[run.success]:<10} {len(run.steps):>3} steps"
    return f"{what}  {one_line(run.id, 40):<40}  {one_line(run.goal, 80)}"


def _keys(use: KeyUse, keys: set[str], *, with_counts: bool) -> str:
    ordered = sorted(keys)
    shown = [
        f"{one_line(key, 80)} (in {use.counts[key]} of {use.n_records} records)" if with_counts else one_line(key, 80)
        for key in ordered[:_KEYS_SHOWN]
    ]
    return ", ".join(shown) + (f", and {len(ordered) - _KEYS_SHOWN} more" if len(ordered) > _KEYS_SHOWN else "")


def many(n: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _of(n: int, all_: int) -> str:
    if all_ == 1:
        return "the run" if n else "0 of 1 run"
    return f"all {all_} runs" if n == all_ else f"{n} of {all_} runs"


def _listed(counter: Counter[str]) -> str:
    """Return the commonest names with their counts."""
    shown = ", ".join(f"{one_line(name, 60)} {n}" for name, n in counter.most_common(_NAMES_SHOWN))
    return f"{shown}, …" if len(counter) > _NAMES_SHOWN else shown
