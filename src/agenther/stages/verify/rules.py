"""The checks of rule mode: those for every domain, then those of the proposal's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from agenther.conclusions import Rewritten, Score
from agenther.stages.protocols import Check
from agenther.stages.verify import code, dialogue, files, household, open, qa, rest, shell, shopping, web
from agenther.stages.verify.answers import check_answer_hidden, check_answer_told
from agenther.stages.verify.context import check_context
from agenther.stages.verify.effort import check_effort, check_no_trained_error
from agenther.stages.verify.grounding import check_grounding
from agenther.stages.verify.leaks import check_actions, check_prose
from agenther.stages.verify.novelty import check_novelty
from agenther.stages.verify.sql import checks as sql
from agenther.stages.verify.sql.novelty import check_sql_novelty, check_sql_thoughts

if TYPE_CHECKING:
    from agenther.stages.verify.sql.execution import Databases

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

DOMAINS: dict[str, tuple[Check, ...]] = {
    "sql": (*sql.CHECKS, check_sql_novelty, check_sql_thoughts),
    "household": household.CHECKS,
    "qa": qa.CHECKS,
    "shell": shell.CHECKS,
    "shopping": shopping.CHECKS,
    "shopping-any-search": shopping.CHECKS,
    "dialogue": dialogue.CHECKS,
    "rest": rest.CHECKS,
    "web": web.CHECKS,
    "code": code.CHECKS,
    "files": files.CHECKS,
    "open": open.CHECKS,
}
"""Domain name to its further checks."""


class InDomain:
    """Applies a check to proposals of one domain and abstains on others."""

    def __init__(self, domain: str, check: Check) -> None:
        self._domain, self._check = domain, check

    def __call__(self, rewritten: Rewritten) -> Score | None:
        """Vote, or abstain."""
        return self._check(rewritten) if rewritten.proposal.domain == self._domain else None


def rule_checks(databases: Sequence[Databases] = (), replay: Check | None = None) -> tuple[Check, ...]:
    """Return all checks of rule mode in the order in which they are asked.

    Args:
        databases: databases that lie beside the runs, to execute queries on.
        replay: makes the calls of a label again; None: nothing is replayed.
    """
    own = (InDomain(domain, check) for domain, checks in DOMAINS.items() for check in checks)
    return (*COMMON, *own, *_executed(databases), *(() if replay is None else (replay,)))


def _executed(databases: Sequence[Databases]) -> Iterator[Check]:
    if databases:
        from agenther.stages.verify.sql.execution import CheckExecution

        yield InDomain("sql", CheckExecution(databases))
