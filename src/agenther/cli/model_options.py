"""The options that say which models do what, shared by the commands that ask models or tell what asking would cost."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from agenther.errors import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])

_PARTS = click.Choice(["rules", "llm"])
_OPTIONS = (
    click.option(
        "--mode",
        type=_PARTS,
        default="rules",
        show_default=True,
        help="llm: a model proposes goals (and says what was achieved, in the same call), rules detect.",
    ),
    click.option(
        "--model",
        metavar="NAME[@URL]",
        help="Model that proposes; where it is served, if not by OpenAI: qwen3@http://host:8000/v1.",
    ),
    click.option(
        "--judge",
        "judges",
        multiple=True,
        metavar="NAME[@URL]",
        help="Model that judges what passed all checks; repeat for a panel. Without one, labels are unverified.",
    ),
    click.option("--quorum", type=click.IntRange(1), metavar="N", help="Judges that must consent; all by default."),
    click.option("--detect", type=_PARTS, help="Who tells whether and how a run failed. [default: rules]"),
    click.option(
        "--extract",
        type=click.Choice(["rules", "llm", "joint"]),
        help="Who says what a run achieved; joint: in the call that proposes. [default in llm mode: joint]",
    ),
    click.option("--propose", type=_PARTS, help="Who writes hindsight goals. [default: the mode]"),
    click.option(
        "--models",
        "models_file",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        help="Endpoints, keys, context sizes and prices of models; wins over what is known of them.",
    ),
)


@dataclass(frozen=True)
class ModelChoice:
    """What was said on the command line about models."""

    mode: str
    model: str | None
    judges: tuple[str, ...]
    quorum: int | None
    detect: str | None
    extract: str | None
    propose: str | None
    models_file: Path | None

    def settings(self) -> dict[str, Any]:
        """Return the settings of a Config that were said; what was not said is None."""
        from agenther.llm.models import name_of

        llm = self.mode == "llm"
        if llm and self.model is None:
            raise ConfigError("--mode llm: expected --model NAME", "agenther run INPUT -o OUT --mode llm --model NAME")
        propose = self.propose or ("llm" if llm else None)
        if self.model is not None and not llm and "llm" not in (self.detect, self.extract, propose):
            raise ConfigError(f"--model {self.model}: expected a part that asks it, found rules", "give --mode llm")
        return {
            "model": None if self.model is None else name_of(self.model),
            "judges": tuple(map(name_of, self.judges)) or None,
            "quorum": self.quorum,
            "detect": self.detect,
            "extract": self.extract or ("joint" if propose == "llm" and llm else None),
            "propose": propose,
        }

    @property
    def named(self) -> tuple[str, ...]:
        """The models as given, with their endpoints."""
        return (*((self.model,) if self.model else ()), *self.judges)


def model_options(command: Command) -> Command:
    """Add the options about models to a command, which gets them as one argument `chosen`."""

    @functools.wraps(command)
    def gathered(**given: Any) -> Any:
        fields = ModelChoice.__dataclass_fields__
        return command(chosen=ModelChoice(**{name: given.pop(name) for name in fields}), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return cast(Command, gathered)
