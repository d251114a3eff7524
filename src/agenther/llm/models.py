"""Which models there are: where each is served, by which key, what it holds and what it costs.

Facts about known models are data (`models.toml`); a user's own file of the same form adds to it and wins over it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from agenther.errors import ConfigError
from agenther.record import Record
from agenther.texts import path_text, split_url

OPENAI = "https://api.openai.com/v1"
OWN_KEY = "AGENTHER_API_KEY"
"""Environment variable that holds the key for endpoints without one of their own. OpenAI's key goes to OpenAI only."""
PATIENCE_S = 600.0
"""Seconds of nothing but failures after which an endpoint is given up."""
_TABLES = TypeAdapter(dict[str, dict[str, Any]])
_AT = re.compile(r"(?P<name>.+?)@(?P<endpoint>https?://\S+)\Z")


class Price(Record):
    """Dollars per million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="None: as input")
    output: float = Field(ge=0, allow_inf_nan=False)


class Model(Record):
    """A model as a job asks it."""

    name: str = Field(description="name under which the job knows it")
    served_as: str = Field(description="name by which its server knows it")
    endpoint: str = Field(description="base URL, without a slash at the end")
    key_env: str | None = Field(default=None, description="environment variable with the key; None: no key is sent")
    context_tokens: int | None = Field(default=None, ge=1, description="tokens of prompt and answer; None: not known")
    json_schema: bool = Field(default=True, description="whether its server binds answers to a JSON schema")
    length_field: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="by which its server takes the most tokens of an answer"
    )
    temperature: bool = Field(default=True, description="whether it takes a temperature; some models refuse any but 1")
    price: Price | None = Field(default=None, description="None: not known, counted as 0 and said so")

    @property
    def api_key(self) -> str | None:
        """The key, from the environment."""
        return os.environ.get(self.key_env) if self.key_env else None


def load_models(named: Sequence[str], file: Path | None = None) -> dict[str, Model]:
    """Return the models of a job by name.

    Args:
        named: each `NAME` or `NAME@ENDPOINT`, as on the command line.
        file: a table `[models.NAME]` for each model that is not served as the shipped table says.

    Raises:
        ConfigError: a name is served at two endpoints, or the file is no such table.
    """
    table = {**_shipped(), **(_tables(file) if file is not None else {})}
    models: dict[str, Model] = {}
    for given in named:
        model = _model(given, table)
        if models.setdefault(model.name, model) != model:
            raise ConfigError(
                f"{model.name}: expected one endpoint, found {models[model.name].endpoint} and {model.endpoint}",
                "give one of them another name in a file for --models, with served_as",
            )
    return models


def name_of(given: str) -> str:
    """Return the name in `NAME` or `NAME@ENDPOINT`."""
    match = _AT.match(given)
    return match["name"] if match else given


def _model(given: str, table: Mapping[str, Mapping[str, Any]]) -> Model:
    match = _AT.match(given)
    name = match["name"] if match else given
    if not name.strip() or not name.isprintable() or (match is None and "://" in given):
        raise ConfigError(f"model {given!r}: expected NAME or NAME@http://host:port/v1, all of it printable")
    facts: dict[str, Any] = {"endpoint": OPENAI, **table.get(name, {})}
    if match:
        facts["endpoint"] = match["endpoint"]
    facts["endpoint"] = str(facts["endpoint"]).rstrip("/")
    if "@" in split_url(facts["endpoint"]).netloc:
        raise ConfigError(
            f"model {name} endpoint: expected none with a password", "name the variable that holds the key as key_env"
        )
    if "key_env" not in facts:
        at, openai = split_url(facts["endpoint"]), split_url(OPENAI)
        at_openai = (at.scheme, at.hostname) == (openai.scheme, openai.hostname)
        facts["key_env"] = "OPENAI_API_KEY" if at_openai else OWN_KEY
    try:
        return Model.model_validate({"name": name, "served_as": name} | facts)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"model {name} {'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def _shipped() -> dict[str, dict[str, Any]]:
    return _tables(Path(__file__).with_name("models.toml"))


def _tables(path: Path) -> dict[str, dict[str, Any]]:
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path_text(path)}: expected a TOML file of models, found {error}") from error
    if unknown := sorted(read.keys() - {"models"}):
        raise ConfigError(f"{path_text(path)}: expected tables [models.NAME], found {unknown[0]!r}")
    try:
        return _TABLES.validate_python(read.get("models", {}))
    except ValidationError as error:
        raise ConfigError(f"{path_text(path)} models: expected tables [models.NAME]") from error
