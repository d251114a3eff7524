"""Run folders of AgentLab and BrowserGym: a pickle for each step, and `summary_info.json`, which stands for the run.

The goal is the text of `goal_object.pkl.gz`. The action in a step's file was taken on that file's page; the last file has no
action. A run that crashed hard has no summary: then its first step stands for it. All pickles are read as plain data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from agenther.errors import ReadError
from agenther.readers.base import Item, Place, build_one, read_json, source
from agenther.readers.browsergym import Page, Turn, build_steps, outcome
from agenther.readers.pickles import Inert, load_pickle, member
from agenther.record import JsonObject, content_key
from agenther.texts import path_text
from agenther.trajectory import Trajectory

_SUMMARY, _FIRST = "summary_info.json", "step_0.pkl.gz"
_STEP = re.compile(r"step_(0|[1-9]\d{0,5})\.pkl(?:\.gz)?")
_COMPANION = re.compile(
    r"step_\d+\.pkl(?:\.gz)?|goal_object\.pkl(?:\.gz)?|exp_args\.pkl|experiment\.log|package_versions\.txt|steps_info\.json|tape\.json"
    r"|screenshot_(?:som_)?step_\d+\.\w+|[^/]*_autoeval\.json|assistantbench-prediction\.json"
)
_NAME = re.compile(r"_*\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_(?P<agent>.+)_on_(?P<task>[^_].*?)_(?P<seed>\d+|None)(?:_\d+)?\Z")
_OBSERVED = ("agent_args", "flags", "obs")
_INT_BYTES = 8
_MOST = 1 << 53
_NEVER_ENDED = "the run has no summary: it crashed or was stopped"


class AgentLabReader:
    """Reads run folders of AgentLab and BrowserGym."""

    format = "agentlab"
    about = "AgentLab and BrowserGym run folders (summary_info.json, step pickles read as data); labelled by the reward"

    def sniff(self, path: Path, head: bytes) -> bool:
        """Look for a run's summary, or for the first step of a run that has none."""
        if path.name == _SUMMARY:
            return b'"cum_reward"' in head or (not head.strip() and path.with_name(_FIRST).is_file())
        return path.name == _FIRST and not path.with_name(_SUMMARY).is_file()

    def companion(self, path: Path) -> bool:
        """Know the other files of a run by their names."""
        if _COMPANION.fullmatch(path.name) is None:
            return False
        return path.with_name(_SUMMARY).is_file() or (path.name != _FIRST and path.with_name(_FIRST).is_file())

    def read(self, path: Path) -> Iterator[Item]:
        """Yield the run of a folder."""
        yield from build_one(Place(path), lambda: _run(path))


def _run(path: Path) -> Trajectory:
    folder = path.parent
    summary, arguments = _summary(path), _if_there(folder / "exp_args.pkl")
    as_html = (
        member(arguments, *_OBSERVED, "use_html") is True and member(arguments, *_OBSERVED, "use_ax_tree") is False
    )
    steps = [_read_step(file, as_html=as_html) for file in _step_files(path)]
    goal, images = _goal(path, steps)
    heard = [0, *(len(step.chat) for step in steps)]
    turns = [
        Turn(page=step.page, thought=step.thought, action=step.action, said=step.chat[before:])
        for step, before in zip(steps, heard, strict=False)
    ]
    run = build_steps(goal, turns)
    success, reward, labels = outcome(summary)
    name = _NAME.match(path_text(folder.resolve().name))
    task = _text(member(arguments, "env_args", "task_name")) or (name["task"] if name else "browsergym")
    labels |= run.labels | _judged(folder)
    if images:
        labels["non_text_parts"] = list(images)
    for key in ("task_seed", "max_steps"):
        if isinstance(value := member(arguments, "env_args", key), int) and abs(value) < _MOST:
            labels[key] = value
    return Trajectory(
        id=path_text(folder.resolve().name) or "run",
        source=source(path, "agentlab", 0),
        task_id=f"{task}/{content_key(goal)[:12]}",
        goal=goal,
        goal_at=run.goal_at,
        shown_at=run.shown_at,
        steps=tuple(run.steps),
        success=success,
        reward=reward,
        label_source=None if success is None else "summary_info.cum_reward",
        labels=labels,
        agent=_text(member(arguments, "agent_args", "agent_name")) or (name["agent"] if name else None),
    )


def _summary(path: Path) -> JsonObject:
    """Return the summary of a run; one that was never written says that the run never ended."""
    if path.name != _SUMMARY or path.stat().st_size == 0:
        return {"err_msg": _NEVER_ENDED}
    whole = read_json(path)
    if isinstance(whole, ReadError):
        raise whole
    return Place(path).obj(whole)


def _if_there(path: Path) -> object:
    return load_pickle(path) if path.is_file() else None


def _step_files(path: Path) -> list[Path]:
    """Return the files of the steps in their order.

    Raises:
        ReadError: there is none, or one is missing between others.
    """
    found = {int(m[1]): file for file in sorted(path.parent.iterdir()) if (m := _STEP.fullmatch(file.name))}
    missing = next((n for n in range(max(found, default=0) + 1) if n not in found), None)
    if missing is not None:
        raise ReadError(str(path), None, "steps", f"step_{missing}.pkl.gz beside it", f"{len(found)} other step files")
    return [found[n] for n in sorted(found)]


@dataclass(frozen=True)
class _Step:
    """What is taken from the file of a step; the rest is large."""

    page: Page | None
    thought: str | None
    action: str | None
    chat: tuple[str, ...]
    """All that the user has said so far."""
    goal: str | None


def _read_step(file: Path, *, as_html: bool) -> _Step:
    step = load_pickle(file)
    chat = _members(member(step, "obs", "chat_messages"))
    return _Step(
        page=_page(step, as_html=as_html),
        thought=_text(member(step, "agent_info", "think")),
        action=_text(member(step, "action")),
        chat=tuple(_text(member(turn, "message")) or "" for turn in chat if member(turn, "role") == "user"),
        goal=_text(member(step, "obs", "goal")),
    )


def _goal(path: Path, steps: Sequence[_Step]) -> tuple[str, tuple[str, ...]]:
    """Return the goal's text and the kinds of its parts that are no text."""
    parts = _members(_if_there(path.with_name("goal_object.pkl.gz")))
    kinds = [_text(member(part, "type")) or "unknown" for part in parts]
    told = [_text(member(part, "text")) or "" for part, kind in zip(parts, kinds, strict=True) if kind == "text"]
    goal = "\n".join(told).strip()
    if not goal:
        goal = next((step.goal.strip() for step in steps if step.goal), "")
    if not goal:
        raise ReadError(str(path), None, "goal", "a goal in goal_object.pkl.gz or in the first step", "none")
    return goal, tuple(kind for kind in kinds if kind != "text")


def _page(step: object, *, as_html: bool) -> Page | None:
    """Return the page of a step; None when the browser gave none."""
    if not isinstance(member(step, "obs"), dict):
        return None
    kinds = ("axtree_txt", "pruned_html", "dom_txt")
    texts = [_text(member(step, "obs", kind)) for kind in (kinds[1:] if as_html else kinds)]
    return Page(
        url=_text(member(step, "obs", "url")),
        title=_title(step),
        error=_text(member(step, "obs", "last_action_error")),
        text=next(filter(None, texts), None),
    )


def _title(step: object) -> str | None:
    """Return the title of the open page: that of the tab in front, where its URL is the page's."""
    urls, titles = (_members(member(step, "obs", f"open_pages_{what}")) for what in ("urls", "titles"))
    front = member(step, "obs", "active_page_index")
    state = front.states[-1] if isinstance(front, Inert) and front.states else None
    raw = _members(state)[-1] if _members(state) else None
    i = int.from_bytes(raw, "little") if isinstance(raw, bytes) and len(raw) == _INT_BYTES else 0
    if i >= min(len(urls), len(titles)) or _text(urls[i]) != _text(member(step, "obs", "url")):
        return None
    return _text(titles[i])


def _judged(folder: Path) -> JsonObject:
    """Return what models say of a run in the files that Agent Workflow Memory puts beside it."""
    said: JsonObject = {}
    for path in sorted(folder.glob("*_autoeval.json")):
        found = read_json(path)
        record = found[0] if isinstance(found, list) and found else found
        verdict = record.get("rm") if isinstance(record, dict) else None
        if isinstance(verdict, bool):
            said[path_text(path.name).removesuffix("_autoeval.json")] = verdict
    return {"autoeval": said} if said else {}


def _members(value: object) -> Sequence[object]:
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else ()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
