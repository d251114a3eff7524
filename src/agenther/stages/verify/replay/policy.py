"""Which side effects a label may have: patterns over calls and changes, in a file that users edit.

A file of the user replaces the whole policy; `policy.toml` is the one that applies otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from fnmatch import translate
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from agenther.errors import ConfigError
from agenther.record import Record


class Policy(Record):
    """What is thought of changes that a goal does not ask for."""

    harmful: tuple[str, ...] = Field(default=(), description="patterns of calls and changes that refuse a label")
    harmless: tuple[str, ...] = Field(default=(), description="patterns of those that are listed only")
    other: Literal["refuse", "list"] = Field(default="refuse", description="what becomes of all other calls")

    def harms(self, call: str, paths: tuple[str, ...] = ()) -> str | None:
        """Return what is harmful about a call that nobody asked for: its name or a changed path; None when nothing is."""
        if self._harmful.match(call):
            return call
        return next((path for path in paths if self._harmful_places.match(path)), None)

    def ignores(self, call: str) -> bool:
        """Tell whether a call that nobody asked for may stand."""
        return self._harmless.match(call) is not None or (self.other == "list" and self.harms(call) is None)

    @cached_property
    def _harmful(self) -> re.Pattern[str]:
        return _any_of([pattern for pattern in self.harmful if "/" not in pattern])

    @cached_property
    def _harmful_places(self) -> re.Pattern[str]:
        return _any_of([pattern for pattern in self.harmful if "/" in pattern])

    @cached_property
    def _harmless(self) -> re.Pattern[str]:
        return _any_of(self.harmless)


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(translate, patterns)) or r"(?!)", re.IGNORECASE)


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """Return the policy that applies where the user gives none."""
    return load_policy(Path(__file__).with_name("policy.toml"))


def load_policy(path: Path) -> Policy:
    """Read a policy from a TOML file.

    Raises:
        ConfigError: it is no TOML, or no policy.
    """
    try:
        return Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: expected a TOML file, found {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path} {place}: {first['msg']}", "known: harmful, harmless, other") from error
