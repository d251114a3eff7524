"""Measure the labels of coding runs by executing them: a seeded walker, real commands, real pytest, invented projects.

python benchmarks/code_rules.py [--runs 180] [--seed 0] [--out docs/measurements/code.md]

Every run fails the goal that it was given. A label is true when, in fresh copies of the project, what it names fails
before, and passes in a new process after nothing but the kept calls, which changed the named files and no other.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import posixpath
import re
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from agenther.conclusions import Example, Result
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.stages.parts import rule_parts
from code_repos import REPOS, Repo
from code_sandbox import Sandbox
from code_walk import calls_of, walk
from intervals import wilson

_FIX = re.compile(r"Fix (?P<files>.+?) so that (?P<tests>.+?) pass(?:es)?")
_WRITE = re.compile(r"Write (?:the lines )?(?P<text>\".*\") to the file (?P<path>\S+)", re.DOTALL)
_SCRIPT = re.compile(r"Write the script (?P<path>\S+) that prints (?:the lines )?(?P<text>\".*\")", re.DOTALL)
_COMMAND = re.compile(r"`(?P<command>[^`]+)`(?: in (?P<place>\S+))?")
_FOUND = """\
## What earlier seeds found

Each is refused, or said otherwise, and has a test (`tests/stages/relabel/test_code_causes.py`, `tests/stages/test_files.py`):

- a comment was edited in one file, and a test of another file passed at its second run: it leaves something on the disk;
- a goal named such a test beside the one that the edit mended: a goal names the mended tests that speak of the edited file;
- a file that ends in an empty line was said to hold its lines alone.

Reading the rules for this study found more: runs before any edit that do not agree; two edited files of which one did
nothing; a whole command said to pass while some tests still failed; relative paths after the shell had moved; a kept run
that shows what the edit broke.

A test that hangs on what an earlier run left on the disk is still taken for mended when it alone failed or a command is named,
it was run once before the edit, and code was edited of which the output speaks: the run does not show the difference.
"""
_KINDS = ("named tests", "all tests in a file", "a command", "a file", "a script")


@dataclass
class Tally:
    """What was found."""

    runs: int
    seed: int
    labels: collections.Counter[tuple[str, bool]] = field(default_factory=collections.Counter[tuple[str, bool]])
    dropped: collections.Counter[str] = field(default_factory=collections.Counter[str])
    goals: set[str] = field(default_factory=set[str])
    wrong: list[str] = field(default_factory=list[str])
    breaks: list[str] = field(default_factory=list[str])
    steps: int = 0


def main() -> None:
    """Walk, relabel, execute and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=180)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    config = Config()
    parts = rule_parts(config)
    tally = Tally(given.runs, given.seed)
    for number in range(given.runs):
        with tempfile.TemporaryDirectory() as name:
            run, repo, files, style = walk(Path(name), f"{given.seed}/{number}", number)
        tally.steps += len(run.agent_steps)
        result = asyncio.run(relabel(run, parts, config))
        tally.dropped[reason(result)] += 1
        for example in result.examples:
            judge(tally, example, repo, files, style)
    report = write(tally)
    print(report)
    if given.out is not None:
        given.out.write_text(report, encoding="utf-8")


def judge(tally: Tally, example: Example, repo: Repo, files: dict[str, str], style: str) -> None:
    """Execute one label and count what comes of it."""
    goal = example.hindsight_goal
    with tempfile.TemporaryDirectory() as name:
        found = Truth(Path(name), example, repo, files, style)
        why = found.fault()
        broken = found.broken if why is None else []
    where = f"{goal} ({repo.name}, {example.trajectory_id})"
    tally.goals.add(goal)
    tally.labels[kind_of(goal), why is None] += 1
    print(f"{where}: {why or 'true'}", file=sys.stderr)
    if why is not None:
        tally.wrong.append(f"{where}: {why}")
    if broken:
        tally.breaks.append(f"{where}: {', '.join(broken)}")


def kind_of(goal: str) -> str:
    """Return what a goal asks for."""
    if goal.startswith("Write"):
        return "a script" if _SCRIPT.fullmatch(goal) else "a file"
    return "a command" if "`" in goal else "all tests in a file" if "all tests in" in goal else "named tests"


class Truth:
    """A label carried out in fresh copies of the project."""

    def __init__(self, folder: Path, example: Example, repo: Repo, files: dict[str, str], style: str) -> None:
        self.folder, self.repo, self.files, self.style = folder, repo, files, style
        self.goal, self.calls = example.hindsight_goal, calls_of(example.messages)
        self.broken: list[str] = []
        self._n = 0

    def fresh(self, changes: dict[str, str] | None = None) -> Sandbox:
        """Return a new copy of the project, perhaps with some files otherwise."""
        self._n += 1
        folder = self.folder / str(self._n)
        folder.mkdir()
        return Sandbox(folder, self.files | (changes or {}), self.style)

    def fault(self) -> str | None:
        """Return why the label is not true; None when it is."""
        box = self.fresh()
        for name, arguments in self.calls:
            box.act(name, arguments)
        after = {path: text for path, text in box.files().items() if path not in self.repo.byproducts}
        changed = {path for path in {*after, *self.files} if after.get(path) != self.files.get(path)}
        if (asked := _FIX.fullmatch(self.goal)) is None:
            return self._file_fault(after, changed, box)
        named = {inside(path) for path in re.split(r", (?:and )?| and ", asked["files"])}
        if changed != named:
            return f"names {sorted(named)}, changed {sorted(changed)}"
        if any("test" in path or path in ("pyproject.toml", "pytest.ini") for path in changed):
            return f"changed tests or settings: {sorted(changed)}"
        changes = {path: after[path] for path in named}
        if self._pass(asked["tests"], {}) is not False:
            return "what is named does not fail before"
        if self._pass(asked["tests"], changes) is not True:
            return "what is named does not pass after"
        for path in named:
            if len(named) > 1 and self._pass(asked["tests"], changes | {path: self.files[path]}) is True:
                return f"{path} need not be changed"
        before, now = self._outcomes({}), self._outcomes(changes)
        self.broken = sorted(name for name, good in before.items() if good and not now.get(name))
        return None

    def _file_fault(self, after: dict[str, str], changed: set[str], box: Sandbox) -> str | None:
        asked = _WRITE.fullmatch(self.goal) or _SCRIPT.fullmatch(self.goal)
        if asked is None:
            return "a goal that is not known"
        path, lines = inside(asked["path"]), re.findall(r'"([^"]*)"', asked["text"])
        if changed != {path}:
            return f"names {path}, changed {sorted(changed)}"
        is_script = _SCRIPT.fullmatch(self.goal) is not None
        code, printed = box.run(f"python {path}", box.root) if is_script else (0, after[path])
        return None if code == 0 and printed.removesuffix("\n") == "\n".join(lines) else f"it holds {printed!r}"

    def _pass(self, tests: str, changes: dict[str, str]) -> bool | None:
        """Tell whether all that is named passes (True), none of the named tests does (False), or else (None)."""
        box = self.fresh(changes)
        if (command := _COMMAND.fullmatch(tests)) is not None:
            return box.run(command["command"], box.root / inside(command["place"] or "/repo"))[0] == 0
        names = re.split(r", (?:and )?| and ", tests.removeprefix("all tests in "))
        together = all_of(box, " ".join(f"'{name}'" for name in names))
        shown = {name: all_of(self.fresh(changes), name) for name in names if len(names) > 1}
        if tests.startswith("all tests"):
            return bool(together) and all(together.values())
        alone = [bool(one) and all(one.values()) for one in shown.values()]
        good = bool(together) and all(together.values()) and all(alone)
        return True if good else False if not any(together.values()) else None

    def _outcomes(self, changes: dict[str, str]) -> dict[str, bool]:
        return all_of(self.fresh(changes), "")


def inside(path: str) -> str:
    """Return a path as seen from the project's top."""
    return posixpath.normpath(posixpath.relpath(posixpath.join("/repo", path), "/repo"))


def all_of(box: Sandbox, what: str) -> dict[str, bool]:
    """Run tests in a new process and return which pass, as its XML report says; skipped ones pass nothing."""
    report = box.root.parent / "report.xml"
    report.unlink(missing_ok=True)
    quoted = what if not what or what.startswith("'") else f"'{what}'"
    box.run(f"python -m pytest -q --junitxml={report} {quoted}", box.root)
    if not report.exists():
        return {}
    cases = ElementTree.parse(report).iter("testcase")
    return {f"{case.get('classname')}::{case.get('name')}": len(case) == 0 for case in cases}


def reason(result: Result) -> str:
    """Return what became of a run, without the names of files."""
    if result.examples:
        return "relabeled"
    if result.drop is None:
        return f"failed: {result.error}"
    detail = re.sub(r"\S*[/.]\w\S*|`[^`]*`|\d+", "…", result.drop.detail)
    return f"{result.drop.stage}.{result.drop.reason}: {detail}"


def write(tally: Tally) -> str:
    """Return the report."""
    right, total = sum(k for (_, true), k in tally.labels.items() if true), tally.labels.total()
    rows: list[str] = []
    for kind in _KINDS:
        good, bad = tally.labels[kind, True], tally.labels[kind, False]
        rows.append(f"| {kind} | {good} | {bad} | {wilson(good, good + bad)} |")
    lines = [
        "# Coding labels, executed",
        "",
        f"Written by `python benchmarks/code_rules.py --runs {tally.runs} --seed {tally.seed}`: {tally.runs} walks,",
        f"{tally.steps} turns, {len(REPOS)} invented Python projects with seeded bugs, real commands and pytest. Each run fails",
        "its goal, which speaks of something else. **The projects and the walks are inventions of the authors of the rules:",
        "chance chooses what is done, among what those authors thought of. Nothing here tells how often real agents do it.**",
        "",
        "A label is true when, in fresh copies of the project and in new processes:",
        "",
        "1. what the goal names fails before: each named test, alone and together, or the named command;",
        "2. it passes in a copy that has the files which the kept calls changed, and differs in nothing else;",
        "3. the kept calls changed no test and no setting;",
        "4. they changed just the named files, and of several files each is needed;",
        "5. for a file: it holds, or the script prints, exactly the text of the goal, and nothing else was changed.",
        "",
        "| goal names | true | not true | true, 95 % Wilson |",
        "|---|--:|--:|---|",
        *rows,
        f"| all | {right} | {total - right} | {wilson(right, total)} |",
        "",
        f"{len(tally.goals)} distinct goals. True, but another test that passed before fails after the kept calls:"
        f" {len(tally.breaks)}.",
        "Where a kept run of tests itself shows such a test, the rules refuse.",
        "",
        "| became of the runs | n |",
        "|---|--:|",
        *(f"| {name} | {k} |" for name, k in tally.dropped.most_common()),
        "",
        *(f"- not true: {one}" for one in tally.wrong),
        *(f"- true, and breaks: {one}" for one in tally.breaks),
        "",
        _FOUND,
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
