"""Walks at random through an invented web site with a real browser, recorded as AgentRewardBench writes runs.

A walker fills in, clicks and wanders by seed, so every walk fails the goal that it was given. What the site was truly
asked is kept beside the record: no reader and no rule sees it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from selenium import webdriver

from web_site import CITIES, GOODS, Asked, Site

GOALS = (
    "Which supplier delivers planks to the northern islands before Friday, and what does a pallet weigh?",
    "Cancel the invoice of March and tell the bookkeeper about the missing signature",
    "Compare the warranty of the two cheapest lanterns and write down the longer one",
)
TEXTS = (*GOODS[:4], "brush", "Ada Lind", "ada@lind.example", "Jon Berg", "Opening hours", "Do you ship ropes?")
ACTED = ("link", "button", "searchbox", "textbox", "combobox", "checkbox")
STEPS = 9
PATIENCE = 5
"""How often a page that shows nothing yet is looked at again."""
Node = tuple[int, str, str]
"""Id in the browser's own numbering, role, name."""


def browser(profile: str) -> webdriver.Chrome:
    """Start a browser without a window."""
    options = webdriver.ChromeOptions()
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-sync"
    for flag in (*flags.split(), f"user-data-dir={profile}"):
        options.add_argument(f"--{flag}")
    return webdriver.Chrome(options=options)


def walk(driver: webdriver.Chrome, site: Site, rng: random.Random) -> tuple[dict[str, Any], list[Asked]]:
    """Walk at random and return the record with what the site was asked; its steps are numbered as a reader numbers them."""
    old = driver.current_window_handle
    driver.switch_to.new_window("tab")
    new = driver.current_window_handle
    driver.switch_to.window(old)
    driver.close()
    driver.switch_to.window(new)
    site.log.clear()
    site.step = 1
    driver.get(f"http://127.0.0.1:{site.port}/")
    steps, filled, error = list[dict[str, Any]](), set[str](), ""
    n = rng.randrange(3, STEPS)
    for num in range(n + 1):
        shown, nodes = look(driver)
        for _ in range(PATIENCE):
            if nodes:
                break
            time.sleep(0.1)
            shown, nodes = look(driver)
        site.step = num + 2
        name, arguments = choose(rng, nodes, filled)
        action = f"{name}({', '.join(map(repr, arguments))})" if num < n else None
        steps.append(
            {"num": num, "action": action, "url": driver.current_url, "axtree": shown, "last_action_error": error}
        )
        error = act(driver, name, arguments) if num < n else ""
    ended = {"n_steps": n, "cum_reward": 0.0, "err_msg": None, "terminated": True, "truncated": False}
    record = {
        "benchmark": "harbour",
        "agent": "walker",
        "model": "chance",
        "experiment": "walks",
        "valid": True,
        "goal": rng.choice(GOALS),
    }
    return record | {"goal": rng.choice(GOALS), "seed": 0, "summary_info": ended, "steps": steps}, list(site.log)


def look(driver: webdriver.Chrome) -> tuple[str, list[Node]]:
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
    return "\n".join(lines), nodes


def in_order(tree: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of an accessibility tree in the order of the page."""
    by_id = {node["nodeId"]: node for node in tree}
    waiting = [tree[0]["nodeId"]]
    while waiting:
        node = by_id.get(waiting.pop())
        if node is not None:
            yield node
            waiting += reversed(node.get("childIds", []))


def choose(rng: random.Random, nodes: list[Node], filled: set[str]) -> tuple[str, list[str | int]]:
    """Choose an action: a form is often filled in field by field and sent; now and then something useless is done."""
    if not nodes:
        return "go_forward", []
    if rng.random() < 0.06:
        return rng.choice((("go_back", []), ("scroll", [0, 200]), ("click", ["999999"])))
    fields = [node for node in nodes if node[1] in ("textbox", "combobox")]
    empty = [node for node in fields if str(node[0]) not in filled]
    send = [node for node in nodes if node[1] == "button" and node[2].startswith(("Save", "Send"))]
    typed = [
        node for node in nodes if node[2] == "Find" and any(n[1] == "searchbox" and str(n[0]) in filled for n in nodes)
    ]
    others = [node for node in nodes if node[1] != "searchbox" or rng.random() < 0.5]
    usual = empty or send if fields else typed
    bid, role, _ = rng.choice(usual) if usual and rng.random() < 0.8 else rng.choice(others or nodes)
    filled.add(str(bid))
    if role == "combobox":
        return "select_option", [str(bid), rng.choice(CITIES)]
    if role in ("textbox", "searchbox"):
        text = rng.choice(TEXTS)
        return "fill", [str(bid), text]
    return "click", [str(bid)]


ACTS = {
    "click": "function() { this.click(); }",
    "fill": "function(text) { this.value = text; }",
    "select_option": "function(text) { this.value = text; }",
}


def act(driver: webdriver.Chrome, name: str, arguments: list[str | int]) -> str:
    """Do an action in the browser; return its error, if any."""
    if name == "go_back":
        driver.back()
    elif name == "go_forward":
        driver.forward()
    elif name in ACTS:
        try:
            found = driver.execute_cdp_cmd("DOM.resolveNode", {"backendNodeId": int(arguments[0])})["object"][
                "objectId"
            ]
        except Exception as error:
            return f"no element {arguments[0]}: {type(error).__name__}"
        text = arguments[1] if len(arguments) > 1 else ""
        driver.execute_cdp_cmd(
            "Runtime.callFunctionOn",
            {"objectId": found, "functionDeclaration": ACTS[name], "arguments": [{"value": text}], "userGesture": True},
        )
    driver.execute_async_script(
        "const done = arguments[0], loaded = () => document.readyState === 'complete';"
        "setTimeout(() => loaded() ? done() : window.addEventListener('load', done), 60)"
    )
    return ""
