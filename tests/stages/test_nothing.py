"""A run without a claim says what kind of acting it holds and whether rules could ever tell what that achieved."""

from __future__ import annotations

import pytest
from tests.stages.code_runs import Call, edit, run, shell

from agenther.stages.extract.nothing import NEEDS_MODEL, why_nothing


@pytest.mark.parametrize(
    ("calls", "why", "never_by_rules"),
    [
        ((), "called no tool", True),
        ((("finish", {"answer": "rye"}, "ok"),), "called no tool", True),
        ((shell("ls", ""), edit()), "files were edited", True),
        ((shell("ls", ""),), "no command printed", False),
        ((("run_sql", {"query": "SELECT 1"}, "[]"),), "no query returned rows", False),
        ((("execute_python", {"code": "print(7)"}, "7"),), "what a program computed", True),
        ((("web_search", {"query": "rye"}, "Rye is a grass."),), "what a search found", True),
        ((("move_piece", {"to": "b4"}, "ok"), ("wait", {}, "ok")), "what move_piece, wait achieved", True),
    ],
)
def test_why(calls: tuple[Call, ...], why: str, never_by_rules: bool) -> None:
    told = why_nothing(run(*calls))
    assert why in told
    assert (NEEDS_MODEL in told) is never_by_rules
