"""The parts that ask models, beside those of rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from agenther.config import Config
from agenther.llm.base import Client
from agenther.llm.models import Model
from agenther.stages.detect.model import ModelDetector
from agenther.stages.extract.model import ModelExtractor
from agenther.stages.fence import Fencer
from agenther.stages.parts import Replaying, rule_parts
from agenther.stages.protocols import Parts
from agenther.stages.relabel.model import ModelProposer
from agenther.stages.verify.model import ModelJudge
from agenther.stages.verify.panel import panel_kind
from agenther.stages.verify.sql.databases import Databases


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
