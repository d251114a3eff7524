"""The parts that the pipeline is made of, as protocols, and the bundle that a job hands to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agenther.conclusions import Attempt, Claim, Detection, Proposal, Refusal, Rewritten, Score
from agenther.trajectory import Trajectory


class Detector(Protocol):
    """Tells whether a run failed its own goal."""

    async def detect(self, trajectory: Trajectory) -> Detection:
        """Judge one run."""
        ...


class Extractor(Protocol):
    """Tells what a run achieved."""

    async def extract(self, trajectory: Trajectory, detection: Detection) -> tuple[Claim, ...] | Refusal:
        """Return claims with the characters that support them, or why there is none."""
        ...


class Proposer(Protocol):
    """Writes hindsight goals."""

    async def propose(
        self, trajectory: Trajectory, claims: tuple[Claim, ...], attempts: tuple[Attempt, ...]
    ) -> tuple[Proposal | Refusal, ...]:
        """Return goals that the claims support, and why other claims gave none; nothing new ends the attempts.

        Args:
            trajectory: the run.
            claims: what it achieved; empty where the proposer finds that out by itself.
            attempts: earlier proposals on this run, each with the reason for which it was refused.
        """
        ...


class Check(Protocol):
    """A deterministic test of what would be trained on."""

    def __call__(self, rewritten: Rewritten) -> Score | None:
        """Return a vote, or None where the check does not apply."""
        ...


class Judge(Protocol):
    """A model or a replay that votes on what would be trained on."""

    async def judge(self, rewritten: Rewritten) -> Score:
        """Return a vote; `value` None when it could not tell."""
        ...


def no_checks(_: str) -> tuple[Check, ...]:
    """Return no further checks, for whichever domain."""
    return ()


@dataclass(frozen=True)
class Parts:
    """Who does what in one job."""

    detector: Detector
    extractor: Extractor | None
    """None: the proposer finds out by itself what the run achieved."""
    proposer: Proposer
    checks: tuple[Check, ...]
    """Of every proposal."""
    checks_of: Callable[[str], tuple[Check, ...]] = no_checks
    """Further ones, by the domain of the proposal."""
    judges: tuple[Judge, ...] = ()
    panel: str | None = None
    """What kind of panel the models among them make; None where no model has a voice."""
