"""The parts of rule mode. Those that ask models stand in `model_parts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agenther.config import Config
from agenther.stages.detect.replayed import ReplayDetector
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.extract.rules import RuleExtractor
from agenther.stages.protocols import Detector, Parts
from agenther.stages.relabel.rules import RuleProposer
from agenther.stages.verify.replay.check import CheckReplay, EnvironmentOf
from agenther.stages.verify.replay.policy import Policy, default_policy
from agenther.stages.verify.rules import COMMON, DomainChecks
from agenther.stages.verify.sql.databases import Databases


@dataclass(frozen=True)
class Replaying:
    """With what runs are replayed."""

    environment_of: EnvironmentOf
    policy: Policy = field(default_factory=default_policy)


def rule_parts(config: Config, databases: Sequence[Databases] = (), replaying: Replaying | None = None) -> Parts:
    """Return the parts of rule mode: free, deterministic, no network.

    Args:
        config: settings.
        databases: databases that lie beside the runs; queries are executed on them.
        replaying: environments of runs; None: nothing is replayed.
    """
    detector: Detector = RuleDetector(turn_limit_is_failure=config.turn_limit_is_failure)
    replay = None
    if config.replay and replaying is not None:
        detector = ReplayDetector(detector, replaying.environment_of)
        replay = CheckReplay(replaying.environment_of, replaying.policy, redact=config.redact)
    return Parts(
        detector=detector,
        extractor=RuleExtractor(config.domains),
        proposer=RuleProposer(),
        checks=COMMON,
        checks_of=DomainChecks(databases, replay),
    )
