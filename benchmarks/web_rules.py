"""Measure the labels of browser runs against the log of the site itself, with a real browser on an invented site.

python benchmarks/web_rules.py [--runs 200] [--out docs/measurements/web.md]

Needs Chromium with its driver and `pip install selenium`. A seeded walker clicks and types at random, so every run fails
the goal that it was given; pages are recorded as the accessibility tree of the browser. A label counts as true when the
site's log, which no rule sees, shows that the kept steps did just what its words say and changed nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import random
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium import webdriver

from agenther.conclusions import Example, Result
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.readers.base import find_goal
from agenther.stages import rule_parts
from agenther.trajectory import Observation, Source, Span, Step, ToolCall, Trajectory
from intervals import wilson
from web_site import CITIES, GOODS, Asked, Site, slug

GOALS = (
    "Which supplier delivers planks to the northern islands before Friday, and what does a pallet weigh?",
    "Cancel the invoice of March and tell the bookkeeper about the missing signature",
    "Compare the warranty of the two cheapest lanterns and write down the longer one",
)
TEXTS = (*GOODS[:4], "brush", "Ada Lind", "ada@lind.example", "Jon Berg", "Opening hours", "Do you ship ropes?")
ACTED = ("link", "button", "searchbox", "textbox", "combobox", "checkbox")
STEPS = 9
Node = tuple[int, str, str]
"""Id in the browser's own numbering, role, name."""


def main() -> None:
    """Walk, relabel, compare and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    config = Config()
    parts = rule_parts(config)
    tally: collections.Counter[tuple[str, bool]] = collections.Counter()
    dropped: collections.Counter[str] = collections.Counter()
    wrong: list[str] = []
    goals: set[str] = set()
    with Site() as site, tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            for number in range(given.runs):
                run, log = walk(driver, site, random.Random(f"{given.seed}/{number}"), number)
                result = asyncio.run(relabel(run, parts, config))
                for example in result.examples:
                    true, why = is_true(example, run, log)
                    goals.add(example.hindsight_goal)
                    tally[kind_of(example.hindsight_goal), true] += 1
                    if not true:
                        wrong.append(f"{example.hindsight_goal} ({run.id}): {why}")
                dropped[reason(result)] += 1
        finally:
            driver.quit()
    report = write(given.runs, tally, dropped, goals, wrong)
    print(report)
    if given.out is not None:
        given.out.write_text(report, encoding="utf-8")


def browser(profile: str) -> webdriver.Chrome:
    """Start a browser without a window."""
    options = webdriver.ChromeOptions()
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-sync"
    for flag in (*flags.split(), f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    return webdriver.Chrome(options=options)


def walk(driver: webdriver.Chrome, site: Site, rng: random.Random, number: int) -> tuple[Trajectory, list[Asked]]:
    """Walk at random and return the run with what the site was asked."""
    site.log.clear()
    site.step = 1
    driver.get(f"http://127.0.0.1:{site.port}/")
    goal = rng.choice(GOALS)
    shown, nodes = look(driver)
    filled = set[str]()
    steps = [Step(step_id=1, source="user", message=f"{goal}\n\n{shown}")]
    for step_id in range(2, 2 + rng.randrange(3, STEPS)):
        site.step = step_id
        name, arguments = choose(rng, nodes, filled)
        error = act(driver, name, arguments)
        shown, nodes = look(driver, error)
        call = ToolCall(tool_call_id=f"c{step_id}", function_name=name, arguments=json.dumps(arguments))
        seen = Observation(content=shown, source_call_id=f"c{step_id}")
        steps.append(Step(step_id=step_id, source="agent", tool_calls=(call,), observations=(seen,)))
    page = Span(step=1, field="message", start=len(goal) + 2, end=len(steps[0].message))
    run = Trajectory(
        id=f"walk/{number}",
        source=Source(path="walk", format="walk", index=number),
        goal=goal,
        goal_at=find_goal(tuple(steps[:1]), goal),
        shown_at=(page,),
        steps=tuple(steps),
        success=False,
        label_source="a walk at random",
    )
    return run, list(site.log)


def look(driver: webdriver.Chrome, error: str = "") -> tuple[str, list[Node]]:
    """Return the page as text, as BrowserGym writes it, and the elements on which one can act."""
    tree: list[dict[str, Any]] = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    lines, nodes = list[str](), list[Node]()
    for node in in_order(tree):
        role, name = node.get("role", {}).get("value", ""), node.get("name", {}).get("value", "")
        if node.get("ignored") or role in ("none", "generic", "InlineTextBox", "ListMarker") or not name:
            continue
        bid = node.get("backendDOMNodeId", 0)
        value = node.get("value", {}).get("value")
        is_bare = role in ("RootWebArea", "StaticText")
        lines.append(f"{'' if is_bare else f'[{bid}] '}{role} {name!r}{f' value={value!r}' if value else ''}")
        if role in ACTED:
            nodes.append((bid, role, name))
    head = f"URL: {driver.current_url}\nTitle: {driver.title}\n" + (f"Error: {error}\n" if error else "")
    return f"{head}\n" + "\n".join(lines), nodes


def in_order(tree: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of an accessibility tree in the order of the page."""
    by_id = {node["nodeId"]: node for node in tree}
    waiting = [tree[0]["nodeId"]]
    while waiting:
        node = by_id.get(waiting.pop())
        if node is not None:
            yield node
            waiting += reversed(node.get("childIds", []))


def choose(rng: random.Random, nodes: list[Node], filled: set[str]) -> tuple[str, dict[str, str]]:
    """Choose an action: a form is often filled in field by field and sent; now and then something useless is done."""
    if rng.random() < 0.06:
        return rng.choice((("go_back", {}), ("scroll", {"delta_y": "200"}), ("click", {"bid": "999999"})))
    fields = [node for node in nodes if node[1] in ("textbox", "combobox")]
    empty = [node for node in fields if str(node[0]) not in filled]
    send = [node for node in nodes if node[1] == "button" and node[2].startswith(("Save", "Send"))]
    typed = [
        node for node in nodes if node[2] == "Find" and any(n[1] == "searchbox" and str(n[0]) in filled for n in nodes)
    ]
    others = [node for node in nodes if node[1] != "searchbox" or rng.random() < 0.5]
    usual = empty or send if fields else typed
    bid, role, _ = rng.choice(usual) if usual and rng.random() < 0.8 else rng.choice(others)
    filled.add(str(bid))
    if role == "combobox":
        return "select_option", {"bid": str(bid), "options": rng.choice(CITIES)}
    if role in ("textbox", "searchbox"):
        text = rng.choice(TEXTS)
        return "fill", {"bid": str(bid), "value": text}
    return "click", {"bid": str(bid)}


ACTS = {
    "click": "function() { this.click(); }",
    "fill": "function(text) { this.value = text; }",
    "select_option": "function(text) { this.value = text; }",
}


def act(driver: webdriver.Chrome, name: str, arguments: dict[str, str]) -> str:
    """Do an action in the browser; return its error, if any."""
    if name == "go_back":
        driver.back()
    elif name in ACTS:
        try:
            found = driver.execute_cdp_cmd("DOM.resolveNode", {"backendNodeId": int(arguments["bid"])})["object"][
                "objectId"
            ]
        except Exception as error:
            return f"no element {arguments['bid']}: {type(error).__name__}"
        text = arguments.get("value") or arguments.get("options") or ""
        driver.execute_cdp_cmd(
            "Runtime.callFunctionOn",
            {"objectId": found, "functionDeclaration": ACTS[name], "arguments": [{"value": text}], "userGesture": True},
        )
    driver.execute_async_script(
        "const done = arguments[0], loaded = () => document.readyState === 'complete';"
        "setTimeout(() => loaded() ? done() : window.addEventListener('load', done), 60)"
    )
    return ""


def kind_of(goal: str) -> str:
    """Return what a goal asks for."""
    return "form" if goal.startswith("On the page") else "search" if goal.startswith("Search") else "page"


def is_true(example: Example, run: Trajectory, log: list[Asked]) -> tuple[bool, str]:
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
    n: int,
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
        f"`python benchmarks/web_rules.py --runs {n}`: {n} walks at random with a real browser on an invented site; every",
        "run fails its goal. A label is true when the site's log shows that the kept steps did just what it says and changed",
        "nothing else.",
        "Chance, not an agent's mistakes, chooses what is done; the site was written by the authors of the rules.",
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
