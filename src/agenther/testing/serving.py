"""Servers of this package as processes of their own, for the length of a `with`."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import cast
from urllib.parse import urlsplit

import orjson

from agenther.record import JsonObject

PATIENCE_S = 10.0
"""How long a server may take to stop before it is killed."""


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    endpoint: str
    """Base URL, as models are named with it: `NAME@ENDPOINT`."""
    process: subprocess.Popen[str]

    def stats(self) -> JsonObject:
        """Ask a mock server what it was asked."""
        with contextlib.closing(HTTPConnection(urlsplit(self.endpoint).netloc)) as connection:
            connection.request("GET", "/stats")
            return cast(JsonObject, orjson.loads(connection.getresponse().read()))


def mock_server(**options: float) -> contextlib.AbstractContextManager[Served]:
    """Run a mock server on a free port.

    Args:
        options: those of its command line, `_` for `-`: `latency=0.3, p429=0.1, judge_no=0.5, seed=7`.
    """
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return serving("agenther.testing.mock_server", *given)


@contextlib.contextmanager
def serving(module: str, *arguments: str) -> Generator[Served]:
    """Run a module that prints its address as first line and serves until it is told to end.

    Args:
        module: name of the module.
        arguments: what follows it on the command line.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            endpoint = process.stdout.readline().strip()
            if not endpoint.startswith("http://127.0.0.1:"):
                raise RuntimeError(f"{module} ended before it served: status {process.wait(PATIENCE_S)}")
            yield Served(endpoint, process)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
