"""Extraction without a model: every enabled domain reads the run and says what it can support."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from agenther.conclusions import Claim, Detection
from agenther.stages.extract import code, dialogue, files, household, qa, rest, shell, shopping, sql, web
from agenther.trajectory import Trajectory

ClaimsOf = Callable[[Trajectory], Iterable[Claim]]

DOMAINS: dict[str, ClaimsOf] = {
    "sql": sql.claims,
    "household": household.claims,
    "qa": qa.claims,
    "shell": shell.claims,
    "shopping": shopping.purchases,
    "shopping-any-search": shopping.purchases_any_search,
    "dialogue": dialogue.claims,
    "rest": rest.claims,
    "web": web.claims,
    "code": code.claims,
    "files": files.claims,
}
"""Domain name to its extractor. An extractor yields nothing for runs of other domains, cheaply."""


MOST_CLAIMS = 64
"""Claims of one domain that are looked at in one run: each may cost a walk over the whole run."""


class RuleExtractor:
    """Collects the claims of all enabled domains."""

    def __init__(self, domains: tuple[str, ...]) -> None:
        self._extractors = [DOMAINS[name] for name in domains if name in DOMAINS]

    async def extract(self, trajectory: Trajectory, detection: Detection) -> tuple[Claim, ...]:
        """Return the first claims of every domain, in the order of the domains and of the run."""
        return tuple(claim for claims_of in self._extractors for claim in islice(claims_of(trajectory), MOST_CLAIMS))
