"""The checks of rule mode: those for every domain, then those of the proposal's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pkgutil import resolve_name
from typing import cast

from agenther.stages.protocols import Check
from agenther.stages.verify.answers import check_answer_hidden, check_answer_told
from agenther.stages.verify.context import check_context
from agenther.stages.verify.effort import check_effort, check_no_trained_error
from agenther.stages.verify.grounding import check_grounding
from agenther.stages.verify.leaks import check_actions, check_prose
from agenther.stages.verify.novelty import check_novelty
from agenther.stages.verify.sql.databases import Databases

COMMON: tuple[Check, ...] = (
    check_novelty,
    check_answer_hidden,
    check_answer_told,
    check_grounding,
    check_effort,
    check_no_trained_error,
    check_context,
    check_prose,
    check_actions,
)
"""Checks that every proposal must pass, cheap ones first."""

DOMAINS = {
    "sql": "sql.rules",
    "household": "household",
    "qa": "qa",
    "shell": "shell",
    "shopping": "shopping",
    "shopping-any-search": "shopping",
    "dialogue": "dialogue",
    "rest": "rest",
    "web": "web",
    "code": "code",
    "files": "files",
    "open": "open",
}
"""Domain name to the module here that has its further checks; it is imported with the first proposal of the domain."""


@cache
def checks_of(domain: str) -> tuple[Check, ...]:
    """Return the further checks of a domain; none of one that has no module."""
    if domain not in DOMAINS:
        return ()
    return cast(tuple[Check, ...], resolve_name(f"{__package__}.{DOMAINS[domain]}:CHECKS"))


class DomainChecks:
    """Finds the further checks of a proposal by its domain, in the order in which they are asked.

    Args:
        databases: databases that lie beside the runs, to execute queries on.
        replay: makes the calls of a label again; None: nothing is replayed.
    """

    def __init__(self, databases: Sequence[Databases] = (), replay: Check | None = None) -> None:
        self._replay = () if replay is None else (replay,)
        self._executed: tuple[Check, ...] = ()
        if databases:
            from agenther.stages.verify.sql.execution import CheckExecution

            self._executed = (CheckExecution(databases),)

    def __call__(self, domain: str) -> tuple[Check, ...]:
        """Return the checks of one domain."""
        executed = self._executed if domain == "sql" else ()
        return (*checks_of(domain), *executed, *self._replay)
