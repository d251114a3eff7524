"""How one try can fail so that the next may not. Who tries again, and for how long, is `limits`' affair."""

from __future__ import annotations

from agenther.errors import ProviderError


class Failure(ProviderError):
    """A try that failed: a server error, no sense in what came back."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.message = message
        self.retry_after_s = retry_after_s
        """Seconds after which the server wants to be asked again, None when it does not say."""

    def __str__(self) -> str:
        return self.message


class Busy(Failure):
    """The server works and wants fewer requests at a time."""


class Unreachable(Failure):
    """No connection to the server, or one that broke."""


class TimedOut(Failure):
    """The server took the request and gave no answer in time."""
