"""Long and odd observations, commands and queries: every stage takes time in proportion to them."""

from __future__ import annotations

import asyncio
import time

import pytest

from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL, Config
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.parts import rule_parts
from agenther.stages.redact import redact
from agenther.testing import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Trajectory

CONFIG = Config(domains=(*DOMAINS_ON, *DOMAINS_OPTIONAL))
PARTS = rule_parts(CONFIG)
LENGTH = 60_000
LIMIT_S = 4.0
"""CPU seconds for one run; in proportion it takes a tenth of it, out of proportion ten times as much."""
PIECES = (
    "a",
    "(",
    " ",
    "'",
    '"',
    "7",
    "\n",
    "\r\n",
    "{a,",
    "[",
    "\\",
    "a@",
    "key=",
    "SELECT (",
    "error: ",
    "ls | ",
    "<a ",
)
DEEP_SQL = "SELECT a FROM " + "(SELECT a FROM " * 500 + "t" + ")" * 500


def long(piece: str) -> str:
    return (piece * (LENGTH // len(piece) + 1))[:LENGTH]


def acted(goal: str, call: JsonObject, *turns: JsonObject) -> Trajectory:
    return make_trajectory(user(goal), assistant("", call), *turns)


def runs(text: str) -> dict[str, Trajectory]:
    found, end = tool(text), assistant(f"There are 3. {text}")
    return {
        "shell": acted("How many files are in /data?", tool_call("bash", command="ls -l /data"), found, end),
        "command": acted("Count the files", tool_call("bash", command=f"ls {text}"), tool("3"), end),
        "sql": acted("How many users?", tool_call("execute_sql", query="SELECT name FROM users"), found, end),
        "query": acted("How many users?", tool_call("execute_sql", query=f"SELECT {text}"), tool("[('a', 1)]"), end),
        "household": acted("Your task is to: put a cup in desk.", tool_call("act", action="go to desk 1"), found),
        "shop": acted(
            "WebShop\nInstruction:\nfind me a red cup, price lower than 30 dollars",
            tool_call("search", keywords="cup"),
            found,
        ),
        "question": acted("Who is the mayor?", tool_call("search", query="mayor"), found, end),
        "rest": acted("Find me hotels", tool_call("find_hotels", city="Rome"), tool({"name": text}), end),
        "web": acted("Go to the cups", tool_call("click", bid="3"), tool(f"URL: https://a.example/\n\n{text}")),
        "code": acted("Mend x.py", tool_call("bash", command="sed -i s/a/b/ x.py"), found, end),
        "goal": acted(text, tool_call("bash", command="wc -l x"), tool("3 x"), end),
    }


def time_of(run: Trajectory) -> float:
    started = time.process_time()
    result = asyncio.run(relabel(redact(run), PARTS, CONFIG))
    assert bool(result.examples) != (result.drop is not None)
    return time.process_time() - started


@pytest.mark.parametrize("kind", list(runs("")))
def test_repeated_pieces(kind: str) -> None:
    times = {piece: time_of(runs(long(piece))[kind]) for piece in PIECES}
    assert max(times.values()) < LIMIT_S, times


def test_nested_queries() -> None:
    for kind, run in runs(DEEP_SQL).items():
        assert time_of(run) < LIMIT_S, kind
    query = acted("How many users?", tool_call("execute_sql", query=DEEP_SQL), tool("[('a', 1)]"), assistant("3"))
    assert time_of(query) < LIMIT_S
