"""BFCL multi-turn as an environment: its simulated services, in a process and an environment of their own.

`make bfcl-env` builds that environment; AGENTHER_BFCL_PYTHON names its interpreter where it lies elsewhere. One process
serves all replays of ours, each with fresh services. What runs there is `bfcl_worker.py`.
"""

from __future__ import annotations

import atexit
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import IO, cast

import orjson

from agenther.environments.base import Environment
from agenther.errors import ReplayError, UserError
from agenther.record import Json, JsonObject

BFCL = "bfcl_multi_turn"
PYTHON_VARIABLE = "AGENTHER_BFCL_PYTHON"
CALL_LIMIT_S = 5.0
REPLAY_LIMIT_S = 60.0
START_LIMIT_S = 60.0
LONGEST_ANSWER = 64 << 20
"""Bytes of an answer: a state with BFCL's long contexts has about one megabyte."""
_HINT = f"`make bfcl-env` makes one; {PYTHON_VARIABLE}=PATH/TO/python names one that lies elsewhere"
_WORKER = Path(__file__).with_name("bfcl_worker.py")
_numbers = itertools.count(1)


def make_bfcl() -> Environment:
    """Return a fresh instance.

    Raises:
        UserError: BFCL's environment is missing, or is none.
    """
    return BfclEnvironment(_worker(os.getpid(), bfcl_python()))


def bfcl_python() -> Path:
    """Return the interpreter of BFCL's environment.

    Raises:
        UserError: there is none.
    """
    named = os.environ.get(PYTHON_VARIABLE)
    path = Path(named) if named else Path(f"{sys.prefix}-bfcl") / "bin" / "python"
    if not path.is_file():
        raise UserError(f"{BFCL}: no environment of BFCL's own at {path}", _HINT)
    return path


def bfcl_home() -> Path | None:
    """Return the folder of the package in BFCL's environment; None when there is none."""
    try:
        prefix = bfcl_python().parent.parent
    except UserError:
        return None
    return next((path for path in sorted(prefix.glob("lib/python*/site-packages/bfcl_eval")) if path.is_dir()), None)


class Worker:
    """A process that answers a line for a line, within a time limit; started when it is first asked."""

    def __init__(self, command: list[str], limit_s: float = CALL_LIMIT_S) -> None:
        self._command, self._limit_s = command, limit_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.life = 1
        """Rises whenever the process ends, and with it all that it held."""

    def ask(self, request: JsonObject, limit_s: float | None = None) -> Json:
        """Return the answer to a request.

        Raises:
            ReplayError: it says that it cannot, takes too long, ends, or answers no JSON. After the last three, and when
                the waiting is interrupted, it is started afresh when it is next asked: an answer that comes late is
                never taken for that of another request.
        """
        try:
            text = orjson.dumps(request)
        except TypeError as error:
            raise ReplayError(f"{BFCL}: {request.get('do')}: arguments that are no JSON: {error}") from None
        with self._lock:
            process = self._running()
            timer = threading.Timer(limit_s or self._limit_s, process.kill)
            timer.start()
            answer, line = None, b""
            try:
                line = _exchange(process, text + b"\n")
                answer = _parsed(line)
            finally:
                timer.cancel()
                if answer is None:
                    self._end()
            if answer is None:
                what = "answered what is no JSON" if line else "ended, or took too long"
                raise ReplayError(f"{BFCL}: {request.get('do')}: the process of the environment {what}")
        if "is" not in answer:
            raise ReplayError(f"{BFCL}: {request.get('do')}: {answer.get('error')}")
        return answer["is"]

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            self._end()
            process = self._process = subprocess.Popen(  # noqa: S603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=_folder(),
                env={"PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "TZ": "UTC"},
                start_new_session=True,
            )
        return process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self.life += 1
        process.kill()
        for pipe in (process.stdin, process.stdout):
            try:
                cast(IO[bytes], pipe).close()
            except OSError:
                continue
        process.wait()


class BfclEnvironment:
    """The services that one entry of BFCL involves.

    The configuration has `involved_classes`, `initial_config` by class, and `long_context` (false unless given).
    """

    def __init__(self, worker: Worker) -> None:
        self._worker, self._number = worker, next(_numbers)
        self._life, self._end = 0, 0.0
        self.parameters: dict[str, list[str]] = {}
        """Names of the parameters of each method, in order; known after `reset`."""

    def reset(self, config: JsonObject) -> Json:
        """Make fresh services with their scenarios."""
        self._life, self._end = 0, time.monotonic() + REPLAY_LIMIT_S
        answer = self._worker.ask(
            {
                "do": "reset",
                "session": self._number,
                "services": config.get("involved_classes"),
                "scenarios": config.get("initial_config") or {},
                "long_context": config.get("long_context") is True,
            }
        )
        self.parameters = cast(dict[str, list[str]], answer)
        self._life = self._worker.life
        return self.snapshot()

    def call(self, name: str, arguments: JsonObject) -> Json:
        """Call a method; the answer is the text that BFCL shows an agent, errors too."""
        return self._ask({"do": "call", "name": name, "arguments": arguments})

    def snapshot(self) -> Json:
        """Return the attributes of every service, directories as objects of what lies in them and files as their text."""
        return self._ask({"do": "snapshot"})

    def close(self) -> None:
        """Let the services go."""
        if self._life == self._worker.life:
            self._ask({"do": "close"})

    def _ask(self, request: JsonObject) -> Json:
        if self._life != self._worker.life:
            raise ReplayError(f"{BFCL}: {request['do']}: not reset, or its process has ended since")
        if time.monotonic() > self._end:
            raise ReplayError(f"{BFCL}: {request['do']}: the replay took more than {REPLAY_LIMIT_S:g} s")
        return self._worker.ask({**request, "session": self._number})


@cache
def _worker(process_id: int, python: Path) -> Worker:
    """Return the worker of this process; one that was forked has its own.

    Raises:
        UserError: it is no interpreter of BFCL's environment.
    """
    worker = Worker([str(python), "-B", str(_WORKER)])
    try:
        worker.ask({"do": "hello"}, START_LIMIT_S)
    except (ReplayError, OSError) as error:
        worker.stop()
        raise UserError(f"{BFCL}: {python} does not run BFCL: {error}", _HINT) from None
    atexit.register(worker.stop)
    return worker


@cache
def _folder() -> str:
    """Return an empty folder that the process stands in; it goes when we go."""
    folder = tempfile.TemporaryDirectory(prefix="agenther-bfcl-")
    atexit.register(folder.cleanup)
    return folder.name


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Send a line and return the line that comes back; empty when the process has ended."""
    requests, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    try:
        requests.write(request)
        requests.flush()
        return answers.readline(LONGEST_ANSWER)
    except OSError:
        return b""


def _parsed(line: bytes) -> JsonObject | None:
    try:
        answer: object = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return cast(JsonObject, answer) if isinstance(answer, dict) else None
