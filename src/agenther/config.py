"""The settings of a job, with the paper's symbols where they have one."""

from __future__ import annotations

import tomllib
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from agenther.errors import ConfigError
from agenther.record import Record, content_key

DOMAINS_ON = ("sql", "shell", "household", "shopping", "dialogue", "rest", "web", "code", "files")
DOMAINS_OPTIONAL = ("shopping-any-search", "qa")


class Config(Record):
    """Settings that decide what comes out. Everything here is part of the resume key."""

    delta: float = Field(default=0.3, ge=0, le=1, description="drop runs whose severity weight w is below this")
    theta: float = Field(default=0.5, ge=0, le=1, description="least confidence that a judge must state")
    attempts: int = Field(default=3, ge=1, description="K, rounds of proposing for one run")
    domains: tuple[str, ...] = Field(
        default=DOMAINS_ON, description=f"domains to relabel; optional ones: {', '.join(DOMAINS_OPTIONAL)}"
    )
    redact: bool = Field(default=True, description="replace secrets and personal data by placeholders")
    include_successes: bool = Field(default=False, description="write successful runs beside the relabelled ones")
    turn_limit_is_failure: bool = Field(
        default=False,
        description="where nothing labels a run, take its use of all turns for a failure and an early end for a success; "
        "true only of harnesses that stop at the first success",
    )
    seed: int = Field(default=0, description="seed of splits and shuffles")
    pairs_per_task: int = Field(default=4, ge=0, description="most same-goal pairs that one task gives")
    test_share: float = Field(default=0.1, ge=0, le=1, description="share of tasks set apart for testing")

    @field_validator("domains")
    @classmethod
    def _are_known(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(domains) - {*DOMAINS_ON, *DOMAINS_OPTIONAL}):
            raise ValueError(f"unknown {unknown}")
        return domains

    @cached_property
    def per_run_key(self) -> str:
        """Key of the settings that decide the Result of a single run (not of the pass over all runs)."""
        return content_key(self.model_dump(mode="json", exclude={"seed", "test_share", "pairs_per_task"}))


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
        raise ConfigError(
            f"{path or 'settings'} {place}: {first['msg'].removeprefix('Value error, ')}",
            f"known: {', '.join((*DOMAINS_ON, *DOMAINS_OPTIONAL) if place == 'domains' else Config.model_fields)}",
        ) from error
