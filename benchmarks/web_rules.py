"""Measure the labels of browser runs against the log of the site itself, with a real browser on an invented site.

python benchmarks/web_rules.py [--runs 200] [--walks FOLDER] [--out docs/measurements/web.md]

Needs Chromium with its driver and `pip install selenium`. The walks (web_walks.py) are written as AgentRewardBench writes
runs, read by our reader and relabelled with the default settings but for redaction,
which would hide the invented e-mail addresses from the comparison. A label counts as true when the site's log, which no
rule sees, shows that the kept steps did just what its words say and changed nothing else.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path

from agenther import run
from agenther.conclusions import Example, Result
from agenther.config import Config
from agenther.errors import ReadError
from intervals import wilson
from web_site import Asked, Site, slug
from web_walks import browser, walk


def main() -> None:
    """Walk, relabel, compare and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--walks", type=Path, help="keep the recorded walks here")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = given.walks or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logs = record(folder, given.runs, given.seed)
        report = compare(folder, logs, f"--runs {given.runs} --seed {given.seed}")
    print(report)
    if given.out is not None:
        given.out.write_text(report, encoding="utf-8")


def record(folder: Path, n: int, seed: int) -> dict[str, list[Asked]]:
    """Write walks into a folder and return what the site was asked in each, by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    logs: dict[str, list[Asked]] = {}
    with Site() as site, tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            for number in range(n):
                made, log = walk(driver, site, random.Random(f"{seed}/{number}"))
                name = f"harbour.{number:04}.json"
                (folder / name).write_text(json.dumps(made), encoding="utf-8")
                logs[name] = log
        finally:
            driver.quit()
    return logs


def compare(folder: Path, logs: dict[str, list[Asked]], how: str) -> str:
    """Relabel the walks and return the report."""
    tally: collections.Counter[tuple[str, bool]] = collections.Counter()
    dropped: collections.Counter[str] = collections.Counter()
    wrong, goals = list[str](), set[str]()
    for done in run(folder, Config(redact=False)):
        if isinstance(done, ReadError):
            raise done
        name = Path(done.trajectory.source.path).name
        for example in done.result.examples:
            true, why = is_true(example, logs[name])
            goals.add(example.hindsight_goal)
            tally[kind_of(example.hindsight_goal), true] += 1
            if not true:
                wrong.append(f"{example.hindsight_goal} ({name}): {why}")
        dropped[reason(done.result)] += 1
    return write(how, tally, dropped, goals, wrong)


def kind_of(goal: str) -> str:
    """Return what a goal asks for."""
    return "form" if goal.startswith("On the page") else "search" if goal.startswith("Search") else "page"


def is_true(example: Example, log: list[Asked]) -> tuple[bool, str]:
    """Tell from the site's log whether the kept steps did what the goal says, and only that."""
    last = max(span.step for claim in example.claims for span in claim.evidence)
    asked = [one for one in log if one.step <= last]
    goal, kind = example.hindsight_goal, kind_of(example.hindsight_goal)
    quoted = re.findall(r'"([^"]*)"', goal)
    changed = [one for one in asked if one.changes and not (kind == "form" and one.step == last)]
    if changed:
        return False, f"step {changed[0].step} changed something: {changed[0].method} {changed[0].path}"
    if kind == "form":
        sent = next((one for one in asked if one.step == last and one.accepted), None)
        pairs = dict(zip(quoted[1:-1:2], quoted[2:-1:2], strict=True))
        names = {
            "Full Name": "name",
            "E-mail": "mail",
            "City": "city",
            "Language": "language",
            "Subject": "subject",
            "Message": "text",
        }
        wanted = {names.get(label, label): text for label, text in pairs.items()}
        got = {name: text for name, text in sent.posted.items() if text} if sent is not None else {}
        extra = {name: text for name, text in got.items() if wanted.get(name) != text}
        return wanted.items() <= got.items() and extra in ({}, {"language": "Norse"}), f"the site was sent {got}"
    opened = [one for one in asked if one.method == "GET"]
    if kind == "search":
        queries = [one.query["q"] for one in asked if one.path == "/search" and one.query.get("q")]
        if queries[-1:] != quoted[:1] or len(set(queries)) > 1:
            return False, f"searched for {queries}"
        if len(quoted) == 1:
            return opened[-1].path == "/search", f"ends at {opened[-1].path}"
    end = opened[-1]
    found = end.heading == quoted[-1] and end.step == last and (slug(quoted[-1]) in end.path or end.path.count("/") < 3)
    return found, f"ends at {end.path} with the heading {end.heading!r}"


def reason(result: Result) -> str:
    """Return what became of a run."""
    if result.examples:
        return "relabeled"
    return f"{result.drop.stage}.{result.drop.reason}" if result.drop is not None else f"failed: {result.error}"


def write(
    how: str,
    tally: collections.Counter[tuple[str, bool]],
    dropped: collections.Counter[str],
    goals: set[str],
    wrong: list[str],
) -> str:
    """Return the report."""
    rows = [f"| {kind} | {tally[kind, True]} | {tally[kind, False]} |" for kind in ("page", "search", "form")]
    right, total = sum(k for (_, true), k in tally.items() if true), tally.total()
    lines = [
        "# Browser labels against the log of the site",
        "",
        f"`python benchmarks/web_rules.py {how}`: {dropped.total()} walks at random with a real browser on an invented",
        "site, read as AgentRewardBench; every walk fails its goal. A label is true when the site's log shows that the kept",
        "steps did just what it says and changed nothing else. Chance, not an agent's mistakes, chooses what is done; the",
        "site was written by the authors of the rules.",
        "",
        "| goal | true | not true |",
        "|---|--:|--:|",
        *rows,
        "",
        f"True: {wilson(right, total)} of {total} labels, {len(goals)} distinct goals.",
        "",
        "| became of the runs | n |",
        "|---|--:|",
        *(f"| {name} | {k} |" for name, k in dropped.most_common()),
        "",
        *(f"- not true: {one}" for one in wrong),
    ]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    main()
