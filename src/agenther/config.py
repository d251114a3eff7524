"""The settings of a job, with the paper's symbols where they have one."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from agenther.errors import ConfigError
from agenther.record import Record, content_key

DOMAINS_ON = ("sql", "shell", "household", "shopping", "dialogue", "rest", "web", "code", "files")
DOMAINS_OPTIONAL = ("shopping-any-search", "qa")
WeightUse = Literal["act", "ignore"]
"""Whether severity weights act on what is trained: where rows carry none, they are then drawn by it."""
OF_THE_PASS = frozenset({"seed", "test_share", "pairs_per_task", "weights", "max_tokens", "tokenizer"})
"""Settings of the pass over all runs."""
BY_ESTIMATE = "estimate"
"""Who counts tokens where no tokenizer is named."""
OF_MODELS = frozenset("detect extract propose model judges quorum goals_per_call prompt_tokens answer_tokens".split())
"""Settings that decide nothing where no model is asked."""
LEAST_PROMPT = 4_000
"""Tokens of the shortest prompt: what `stages.showing` holds back for the instruction, and a short run."""


class Config(Record):
    """Settings that decide what comes out. Everything here is part of the resume key."""

    delta: float = Field(default=0.3, ge=0, le=1, description="drop runs whose severity weight w is below this")
    theta: float = Field(default=0.5, ge=0, le=1, description="least confidence that a judge must state")
    attempts: int = Field(default=3, ge=1, description="K, rounds of proposing for one run")
    domains: tuple[str, ...] = Field(
        default=DOMAINS_ON, description=f"domains to relabel; optional ones: {', '.join(DOMAINS_OPTIONAL)}"
    )
    replay: bool = Field(default=True, description="make calls again where a run's environment is at hand")
    redact: bool = Field(default=True, description="replace secrets and personal data by placeholders")
    include_successes: bool = Field(default=False, description="write successful runs beside the relabelled ones")
    turn_limit_is_failure: bool = Field(
        default=False,
        description="where nothing labels a run, take its use of all turns for a failure and an early end for a success; "
        "true only of harnesses that stop at the first success",
    )
    detect: Literal["rules", "llm"] = Field(default="rules", description="who tells whether and how a run failed")
    extract: Literal["rules", "llm", "joint"] = Field(
        default="rules", description="who says what a run achieved; joint: the proposing model, in the same call"
    )
    propose: Literal["rules", "llm"] = Field(default="rules", description="who writes hindsight goals")
    model: str | None = Field(default=None, description="model that detects, extracts and proposes where `llm` does")
    judges: tuple[str, ...] = Field(default=(), description="models that judge what was proposed and checked")
    quorum: int | None = Field(default=None, ge=1, description="judges that must consent; None: all")
    goals_per_call: int = Field(default=3, ge=1, description="most goals that a model is asked for at once")
    prompt_tokens: int = Field(default=24_000, ge=LEAST_PROMPT, description="most tokens of a prompt, by estimate")
    answer_tokens: int = Field(default=2_000, ge=200, description="most tokens of an answer")
    seed: int = Field(default=0, description="seed of splits and shuffles")
    pairs_per_task: int = Field(default=4, ge=0, description="most pairs of each kind that one task gives")
    weights: WeightUse = Field(
        default="act",
        description="act: draw rows by w for trainers that have no weight for single rows; ignore: write all",
    )
    max_tokens: int = Field(
        default=0,
        ge=0,
        description="most tokens of a row: longer examples are split into windows, longer preferences set aside; 0: no limit",
    )
    tokenizer: str = Field(
        default=BY_ESTIMATE, description="tokenizer.json that counts them, or a folder with one; `estimate`: none"
    )
    test_share: float = Field(default=0.1, ge=0, le=1, description="share of tasks set apart for testing")

    @field_validator("domains")
    @classmethod
    def _are_known(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(domains) - {*DOMAINS_ON, *DOMAINS_OPTIONAL}):
            raise ValueError(f"unknown {unknown}")
        return domains

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.wants_model and not self.model:
            raise ValueError("detect, extract or propose asks a model, and `model` names none")
        if self.extract == "joint" and self.propose != "llm":
            raise ValueError("extract = joint is done by the proposing model: propose must be llm")
        if self.extract == "llm" and self.propose != "llm":
            raise ValueError("rules propose from what rules extract: extract = llm would be paid for and never read")
        if len(set(self.judges)) < len(self.judges):
            raise ValueError("one model is named as judge twice: asked again it says the same")
        if self.quorum is not None and self.quorum > len(self.judges):
            raise ValueError(f"quorum is {self.quorum}, with {len(self.judges)} judges")
        return self

    @property
    def wants_model(self) -> bool:
        """Whether `model` is asked."""
        return self.detect == "llm" or self.extract != "rules" or self.propose == "llm"

    @property
    def asks_models(self) -> bool:
        """Whether any model is asked."""
        return self.wants_model or bool(self.judges)

    @property
    def unverified(self) -> bool:
        """Whether nobody vouches for a label but the model that proposed it."""
        return self.propose == "llm" and not self.judges

    @cached_property
    def per_run_key(self) -> str:
        """Key of the settings that decide the Result of a single run (not of the pass over all runs)."""
        elsewhere = OF_THE_PASS if self.asks_models else OF_THE_PASS | OF_MODELS
        return content_key(self.model_dump(mode="json", exclude=set(elsewhere)))


def load_config(path: Path | None, **overrides: Any) -> Config:
    """Read settings from a TOML file; overrides that are not None win.

    Raises:
        ConfigError: the file is no TOML, or a setting is unknown or impossible.
    """
    settings: dict[str, Any] = {}
    if path is not None:
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{path}: expected a TOML file, found {error}") from error
    settings |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Config(**settings)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        known = (*DOMAINS_ON, *DOMAINS_OPTIONAL) if place == "domains" else Config.model_fields
        raise ConfigError(
            f"{path or 'settings'}{place and f' {place}'}: {first['msg'].removeprefix('Value error, ')}",
            f"known: {', '.join(known)}" if place else "",
        ) from error
