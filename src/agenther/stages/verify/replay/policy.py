"""Which side effects a label may have: patterns over calls and changes, in a file that users edit.

Patterns fit whole words of names: `*pay*` a word that begins with pay, `book_*` names whose first word is book. A file of the
user replaces the whole policy; `policy.toml` is the one that applies otherwise.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from fnmatch import translate
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from agenther.errors import ConfigError
from agenther.record import Record

Fits = Callable[[str], bool]
_NAMESPACE = re.compile(r".*(?:__|[./:])(?=\w)", re.DOTALL)
_BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\s.:/-]+")


class Policy(Record):
    """What is thought of changes that a goal does not ask for."""

    harmful: tuple[str, ...] = Field(default=(), description="patterns of calls and changes that refuse a label")
    harmless: tuple[str, ...] = Field(default=(), description="patterns of those that are listed only")
    other: Literal["refuse", "list"] = Field(default="refuse", description="what becomes of all other calls")

    def harms(self, call: str, paths: tuple[str, ...] = ()) -> str | None:
        """Return what is harmful about a call that nobody asked for, a name or a changed path, and the pattern that says so."""
        for pattern, fits in self._harmful:
            if (found := next(filter(fits, paths if "/" in pattern else (call,)), None)) is not None:
                return f"{found} fits {pattern!r}"
        return None

    def ignores(self, call: str) -> bool:
        """Tell whether a call that nobody asked for may stand."""
        return any(fits(call) for _, fits in self._harmless) or (self.other == "list" and self.harms(call) is None)

    @cached_property
    def _harmful(self) -> list[tuple[str, Fits]]:
        return [(pattern, _fitting(pattern)) for pattern in self.harmful]

    @cached_property
    def _harmless(self) -> list[tuple[str, Fits]]:
        return [(pattern, _fitting(pattern)) for pattern in self.harmless]


def _fitting(pattern: str) -> Fits:
    """Return what tells whether a name, or a place for a pattern with a /, fits."""
    if "/" in pattern:
        place = re.compile(translate(pattern), re.IGNORECASE)
        return lambda path: place.match(path) is not None
    words = _in_words(pattern)
    anywhere = words.startswith("*")
    fits = re.compile(translate(words.lstrip("*_") or "*"))
    if anywhere:
        return lambda name: any(map(fits.match, _from_each_word(_in_words(name))))
    return lambda name: any(fits.match(_in_words(one)) for one in (name, _NAMESPACE.sub("", name)))


def _in_words(name: str) -> str:
    """Return a name or pattern as words with _ between them: `bookFlight` and `book-flight` are `book_flight`."""
    return _BETWEEN_WORDS.sub("_", name).casefold()


def _from_each_word(words: str) -> Iterator[str]:
    """Yield what of a name begins with each of its words."""
    yield words
    for found in re.finditer(r"_+(?=[^_])", words):
        yield words[found.end() :]


@lru_cache(maxsize=1)
def default_policy() -> Policy:
    """Return the policy that applies where the user gives none."""
    return load_policy(Path(__file__).with_name("policy.toml"))


def load_policy(path: Path) -> Policy:
    """Read a policy from a TOML file.

    Raises:
        ConfigError: there is no such file, or it is no TOML, or no policy.
    """
    try:
        return Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"--policy {path}: expected a TOML file, found {(error.strerror or 'none').lower()}"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: expected a TOML file, found {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{path} {place}: {first['msg']}", "known: harmful, harmless, other") from error
