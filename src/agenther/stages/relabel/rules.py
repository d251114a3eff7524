"""Proposing without a model: each domain composes goals from its own claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from agenther.conclusions import Attempt, Claim, Proposal, Refusal
from agenther.stages.relabel import code, dialogue, files, household, qa, rest, shopping, web
from agenther.stages.relabel.shell import compose as shell
from agenther.stages.relabel.sql import compose as sql
from agenther.trajectory import Trajectory

Compose = Callable[[Trajectory, tuple[Claim, ...]], Iterable[Proposal | Refusal]]

DOMAINS: dict[str, Compose] = {
    "sql": sql.compose,
    "household": household.compose,
    "qa": qa.compose,
    "shell": shell.compose,
    "shopping": shopping.compose,
    "shopping-any-search": shopping.compose_any_search,
    "dialogue": dialogue.compose,
    "rest": rest.compose,
    "web": web.compose,
    "code": code.compose,
    "files": files.compose,
}
"""Domain name to its composer. A composer says with a Refusal why a claim gives no natural goal."""


class RuleProposer:
    """Composes goals by rules. Rules do not change their mind, so a second round proposes nothing."""

    async def propose(
        self, trajectory: Trajectory, claims: tuple[Claim, ...], attempts: tuple[Attempt, ...]
    ) -> tuple[Proposal | Refusal, ...]:
        """Return the goals of every domain that has claims; where two domains say the same, the first one's."""
        if attempts:
            return ()
        by_domain: dict[str, list[Claim]] = {}
        for claim in claims:
            by_domain.setdefault(claim.kind.split(".")[0], []).append(claim)
        composed = (
            proposal
            for domain, own in by_domain.items()
            if domain in DOMAINS
            for proposal in DOMAINS[domain](trajectory, tuple(own))
        )
        return tuple(_first_of_each_goal(composed))


def _first_of_each_goal(composed: Iterable[Proposal | Refusal]) -> Iterator[Proposal | Refusal]:
    domain_of: dict[str, str] = {}
    for one in composed:
        if isinstance(one, Refusal) or domain_of.setdefault(one.goal, one.domain) == one.domain:
            yield one
