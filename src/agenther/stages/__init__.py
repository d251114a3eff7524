"""The stages of the pipeline: each a protocol with rule implementations beside model ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from agenther.config import Config
from agenther.llm.base import Client
from agenther.llm.models import Model
from agenther.stages.detect.model import ModelDetector
from agenther.stages.detect.replayed import ReplayDetector
from agenther.stages.detect.rules import RuleDetector
from agenther.stages.extract.model import ModelExtractor
from agenther.stages.extract.rules import RuleExtractor
from agenther.stages.fence import Fencer
from agenther.stages.protocols import Detector, Parts
from agenther.stages.relabel.model import ModelProposer
from agenther.stages.relabel.rules import RuleProposer
from agenther.stages.verify.model import ModelJudge
from agenther.stages.verify.panel import panel_kind
from agenther.stages.verify.replay.check import CheckReplay, EnvironmentOf
from agenther.stages.verify.replay.policy import Policy, default_policy
from agenther.stages.verify.rules import rule_checks
from agenther.stages.verify.sql.execution import Databases


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
        checks=rule_checks(databases, replay),
    )


def model_parts(
    config: Config,
    models: Mapping[str, Model],
    client: Client,
    secret: bytes,
    databases: Sequence[Databases] = (),
    replaying: Replaying | None = None,
) -> Parts:
    """Return the parts that the settings name: rules, or models that are asked through a client.

    Args:
        config: settings; the models that they name are among `models`.
        models: by name.
        client: answers requests to any of them.
        secret: makes the marks around runs in prompts; the same secret gives the same prompts.
        databases: as for `rule_parts`.
        replaying: as for `rule_parts`.
    """
    parts, fencer = rule_parts(config, databases, replaying), Fencer(secret)
    if config.model is not None:
        model = models[config.model]
        if config.detect == "llm":
            parts = replace(parts, detector=ModelDetector(parts.detector, client, model, fencer, config))
        if config.extract == "llm":
            parts = replace(parts, extractor=ModelExtractor(client, model, fencer, config))
        if config.extract == "joint":
            parts = replace(parts, extractor=None)
        if config.propose == "llm":
            parts = replace(parts, proposer=ModelProposer(client, model, fencer, config))
    judges = tuple(ModelJudge(client, models[name], fencer, config) for name in config.judges)
    proposer = models[config.model] if config.propose == "llm" and config.model is not None else None
    panel = panel_kind(proposer, [judge.model for judge in judges])
    return replace(parts, judges=judges, panel=panel)
