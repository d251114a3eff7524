"""Proposing without a model: each domain composes goals from its own claims."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pkgutil import resolve_name
from typing import cast

from agenther.conclusions import Attempt, Claim, Proposal, Refusal
from agenther.trajectory import Trajectory

Compose = Callable[[Trajectory, tuple[Claim, ...]], Iterable[Proposal | Refusal]]

DOMAINS = {
    "sql": "sql.compose:compose",
    "household": "household:compose",
    "qa": "qa:compose",
    "shell": "shell.compose:compose",
    "shopping": "shopping:compose",
    "shopping-any-search": "shopping:compose_any_search",
    "dialogue": "dialogue:compose",
    "rest": "rest:compose",
    "web": "web:compose",
    "code": "code:compose",
    "files": "files:compose",
}
"""Domain name to the place of its composer here; its module is imported with the first claim of the domain."""


@cache
def composer_of(domain: str) -> Compose:
    """Return the composer of a domain. It says with a Refusal why a claim gives no natural goal."""
    return cast(Compose, resolve_name(f"{__package__}.{DOMAINS[domain]}"))


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
            for proposal in composer_of(domain)(trajectory, tuple(own))
        )
        return tuple(_first_of_each_goal(composed))


def _first_of_each_goal(composed: Iterable[Proposal | Refusal]) -> Iterator[Proposal | Refusal]:
    domain_of: dict[str, str] = {}
    for one in composed:
        if isinstance(one, Refusal) or domain_of.setdefault(one.goal, one.domain) == one.domain:
            yield one
