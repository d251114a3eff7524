"""Every error that AgentHER raises or records.

`UserError`: the user can mend it; shown as one line and a hint. `StageError`: recorded on the run it befell, its
neighbours go on. `Postponed`: nobody's fault; the run stays open until the job is repeated. All of them survive
pickling, so that worker processes can hand them over.
"""

from __future__ import annotations

from agenther.texts import path_text, storable


class AgentHERError(Exception):
    """Root of all errors of this package."""


class UserError(AgentHERError):
    """Something the user can mend."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class ConfigError(UserError):
    """A setting that does not exist or has an impossible value."""


class WriteError(UserError):
    """An output that cannot be written, or a row that its consumer would refuse."""


class MissingExtra(UserError):
    """An optional dependency that a command needs is not installed."""


class ReadError(UserError):
    """A piece of input that cannot be read. Readers yield it beside good runs; it never stops them.

    Args:
        path: file as the user named it.
        line: 1-based line of a line-based file, None elsewhere.
        where: place inside the record, such as `steps[3].tool_calls[0].arguments`.
        expected: what the format wants there.
        found: what stands there, shortened.
    """

    def __init__(self, path: str, line: int | None, where: str, expected: str, found: str) -> None:
        path, where, expected, found = path_text(path), storable(where), storable(expected), storable(found)
        AgentHERError.__init__(self, path, line, where, expected, found)
        self.path, self.line, self.where, self.expected, self.found = path, line, where, expected, found
        place = path if line is None else f"{path}:{line}"
        self.message = f"{place} {where}: expected {expected}, found {found}"
        self.hint = ""


class StageError(AgentHERError):
    """A stage could not do its work on one run."""


class ProviderError(StageError):
    """A model provider failed or timed out, and went on failing after all retries."""


class ProviderRefused(UserError):
    """A provider will answer nothing of this job: wrong key, unknown model, no such endpoint."""


class ParseError(StageError):
    """A text that should have had a structure has not."""


class ReplayError(StageError):
    """An environment could not make a run again: it failed, hung, or is no environment."""


class Postponed(AgentHERError):
    """A run cannot go on now and loses nothing by waiting: it stays open, and the same command takes it up again."""


class Pending(Postponed):
    """A model's answer was asked for and is not there yet (batches by files)."""


class BudgetExceeded(Postponed):
    """The money or the number of requests allowed is spent."""
