"""Invented runs of coding agents: a mill's ledger whose tests fail before an edit and pass after it."""

from __future__ import annotations

import asyncio

from agenther.conclusions import Proposal, Refusal, Result, Rewritten
from agenther.config import Config
from agenther.pipeline import relabel
from agenther.record import JsonObject
from agenther.stages.extract.code import claims
from agenther.stages.parts import rule_parts
from agenther.stages.relabel.code import compose
from agenther.stages.relabel.rewrite import rewrite
from agenther.testing.make import assistant, make_trajectory, tool, tool_call, user
from agenther.trajectory import Trajectory

OLD = "Let millers export the grinding sheet of a week as a spreadsheet, with a column for every stone."
RUN = "python -m pytest tests/test_sacks.py -q"
FAILED = """\
..F                                                                      [100%]
=================================== FAILURES ===================================
______________________________ test_empty_delivery ______________________________

    def test_empty_delivery():
>       assert mean_weight([]) == 0
E       ZeroDivisionError: division by zero

mill/sacks.py:3: ZeroDivisionError
=========================== short test summary info ============================
FAILED tests/test_sacks.py::test_empty_delivery - ZeroDivisionError: division by zero
1 failed, 2 passed in 0.04s
"""
PASSED = """\
...                                                                      [100%]
3 passed in 0.03s
"""
SOURCE = """\
def mean_weight(sacks):
    total = sum(sacks)
    return total / len(sacks)
"""
EDITED = "The file mill/sacks.py has been edited."
GOAL = "Fix mill/sacks.py so that tests/test_sacks.py::test_empty_delivery passes"

Call = tuple[str, JsonObject, str]


def shell(command: str, printed: str) -> Call:
    """Return a shell command and what it printed."""
    return "bash", {"command": command}, printed


def edit(
    path: str = "mill/sacks.py", old: str = "    return total / len(sacks)", new: str | None = None, said: str = EDITED
) -> Call:
    """Return an edit and what the editor said."""
    added = "    return total / len(sacks) if sacks else 0" if new is None else new
    return "str_replace_editor", {"command": "str_replace", "path": path, "old_str": old, "new_str": added}, said


HONEST: tuple[Call, ...] = (
    shell(RUN, FAILED),
    shell("cat mill/sacks.py", SOURCE),
    edit(),
    shell(RUN, PASSED),
)


def run(*calls: Call, goal: str = OLD) -> Trajectory:
    """Return a failed run of these calls, one a turn from step 2, that ends with a word to the user."""
    messages = [user(goal)]
    for number, (name, arguments, printed) in enumerate(calls, 2):
        made = tool_call(name, f"c{number}", **arguments)
        messages += [assistant("", made), tool(printed, f"c{number}")]
    return make_trajectory(*messages, assistant("The ledger is in order."))


def proposals(trajectory: Trajectory) -> list[Proposal | Refusal]:
    """Return what is proposed for a run."""
    found = tuple(claims(trajectory))
    return list(compose(trajectory, found)) if found else []


def rewritten(trajectory: Trajectory) -> Rewritten:
    """Return the first proposal as it would be trained on."""
    proposal = proposals(trajectory)[0]
    assert isinstance(proposal, Proposal), proposal
    found = rewrite(trajectory, proposal)
    assert isinstance(found, Rewritten), found
    return found


def result(trajectory: Trajectory) -> Result:
    """Return all that becomes of a run, with the coding rules alone."""
    config = Config(domains=("code",))
    return asyncio.run(relabel(trajectory, rule_parts(config), config))
