"""Runs in the Python of BFCL's own environment, never in ours: its simulated services, asked by JSON lines.

Reads a request a line from standard input and answers with a line each. Imports the standard library and `bfcl_eval` alone. A
call is a public method's name with JSON arguments; no text is ever evaluated. The process opens no socket, starts no
process and writes no file. `agenther.environments.bfcl` starts it and keeps the time.
"""

from __future__ import annotations

import contextlib
import copy
import decimal
import importlib
import importlib.metadata
import inspect
import json
import os
import sys
from datetime import datetime, time
from importlib.machinery import SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, NoReturn, TextIO, cast

BACKENDS = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
SERVICES = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "TwitterAPI": "posting_api",
    "VehicleControlAPI": "vehicle_control",
}
"""Classes that may be made, and where they stand. Those that need a network or models are not among them."""
NO_SCENARIO = "MathAPI"
LEFT_OUT = ("_api_description", "_last_modified", "_random", "parent")
"""Attributes that are no state of a service: its description, the clock on the wall, the generator of numbers (its seed is
part of the configuration), and the way back up from a directory."""
NOW = datetime(2024, 9, 1, 10, 30)
"""What services are told when they ask for the time: the moment at which BFCL's market stands still."""
DIGITS = 15
"""Digits that mpmath starts with."""
MOST_SESSIONS = 64
"""Replays at a time; the oldest goes first."""
MEMORY = 2 << 30
"""Bytes of address space."""
FORBIDDEN = ("socket.", "subprocess.", "os.", "shutil.", "ctypes.", "signal.", "webbrowser.", "urllib.", "ftplib.")
HARMLESS = ("os.listdir", "os.scandir", "os.walk", "os.fwalk")


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: Any = None) -> Clock:
        """Return the one moment there is."""
        return cls.fromtimestamp(NOW.timestamp(), tz)

    @classmethod
    def today(cls) -> Clock:
        """Return the same moment."""
        return cls.now()


class Session:
    """Fresh services of one replay, with their modules: nothing is shared with another replay."""

    def __init__(self, names: list[str], scenarios: dict[str, Any], long_context: bool) -> None:
        unknown = [name for name in names if name not in SERVICES]
        if unknown or not names:
            raise ValueError(f"no such service: {', '.join(unknown) or 'none named'}")
        for module in [name for name in sys.modules if name.startswith(f"{BACKENDS}.")]:
            del sys.modules[module]
        self.arithmetic = decimal.Context()
        self.digits = DIGITS
        self.services: dict[str, Any] = {}
        for name in names:
            module = importlib.import_module(f"{BACKENDS}.{SERVICES[name]}")
            if isinstance(getattr(module, "datetime", None), type):
                vars(module)["datetime"] = Clock
            service = getattr(module, name)()
            if name != NO_SCENARIO:
                service._load_scenario(copy.deepcopy(scenarios.get(name, {})), long_context=long_context)
            self.services[name] = service
        self.methods = {
            name: method
            for service in self.services.values()
            for name, method in inspect.getmembers(service, inspect.ismethod)
            if not name.startswith("_")
        }

    def call(self, name: str, arguments: dict[str, Any]) -> str:
        """Return what BFCL shows an agent after a call."""
        method = self.methods.get(name)
        if method is None:
            return f"Error during execution: name {name!r} is not defined"
        decimal.setcontext(self.arithmetic)
        mpmath = sys.modules.get("mpmath")
        if mpmath is not None:
            mpmath.mp.dps = self.digits
        try:
            result = method(**arguments)
            return _shown(result)
        except Exception as error:
            return f"Error during execution: {error}"
        finally:
            self.digits = mpmath.mp.dps if mpmath is not None else DIGITS

    def snapshot(self) -> dict[str, Any]:
        """Return the state of all services as JSON."""
        return {name: _attributes(service, ()) for name, service in self.services.items()}

    def parameters(self) -> dict[str, list[str]]:
        """Return the names of each method's parameters, in order."""
        return {name: list(inspect.signature(method).parameters) for name, method in self.methods.items()}


def _shown(result: object) -> str:
    if isinstance(result, dict):
        with contextlib.suppress(TypeError, ValueError):
            return json.dumps(result)
    return str(cast(object, result))


def _attributes(thing: object, above: tuple[int, ...]) -> dict[str, Any]:
    attributes = vars(thing)
    return {
        name: _path_of(value) if name == "_current_dir" else _plain(value, above)
        for name, value in sorted(attributes.items())
        if name not in LEFT_OUT
    }


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    """Return a value as JSON: a directory is an object of what lies in it, a file its text."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if id(value) in above:
        raise ValueError("the state holds itself")
    above = (*above, id(value))
    if isinstance(value, dict):
        members = cast(dict[object, Any], value)
        return {str(key): _plain(member, above) for key, member in members.items()}
    if isinstance(value, list | tuple | set | frozenset):
        members = [_plain(member, above) for member in cast(list[Any], value)]
        return sorted(members, key=repr) if isinstance(value, set | frozenset) else members
    if isinstance(value, datetime | time):
        return str(value)
    match type(value).__name__:
        case "Directory":
            return _plain(value.contents, above)
        case "File":
            return value.content
        case _:
            return _attributes(value, above)


def _path_of(directory: Any) -> str:
    """Return where a directory is, by the names above it."""
    names: list[str] = []
    while directory is not None:
        names.append(directory.name)
        directory = directory.parent
    return "/".join(reversed(names))


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what no simulated service needs: sockets, processes, and files that are not only read."""
    if event == "open":
        flags = arguments[2] if isinstance(arguments[2], int) else 0
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
            raise PermissionError("files are only read here")
    elif event.startswith(FORBIDDEN) and event not in HARMLESS:
        raise PermissionError(f"{event} is not allowed here")


def _confine() -> None:
    import resource

    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))
    sys.addaudithook(_refuse)


def _answer(request: dict[str, Any], sessions: dict[int, Session]) -> Any:
    number = int(request.get("session", 0))
    match request["do"]:
        case "hello":
            importlib.import_module(BACKENDS)
            return importlib.metadata.version("bfcl_eval")
        case "reset":
            sessions.pop(number, None)
            if len(sessions) >= MOST_SESSIONS:
                del sessions[next(iter(sessions))]
            sessions[number] = Session(request["services"], request["scenarios"], request["long_context"])
            return sessions[number].parameters()
        case "call":
            return sessions[number].call(request["name"], request["arguments"])
        case "snapshot":
            return sessions[number].snapshot()
        case "close":
            sessions.pop(number, None)
            return None
        case other:
            raise ValueError(f"no such request: {other}")


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until there are no more."""
    sessions: dict[int, Session] = {}
    for line in requests:
        try:
            text = json.dumps({"is": _answer(json.loads(line), sessions)})
        except Exception as error:
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        answers.write(text + "\n")
        answers.flush()


def main() -> NoReturn:
    """Serve, with both pipes kept from whatever a service reads or prints."""
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    for module in ("mpmath", "bfcl_eval"):
        _import_if_there(module)
    _keep_code()
    _confine()
    serve(requests, answers)
    sys.exit(0)


def _keep_code() -> None:
    """Read the code of each module from disk once, since every replay runs it anew."""
    read, kept = SourceFileLoader.get_code, dict[str, CodeType | None]()

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        if fullname not in kept:
            kept[fullname] = read(self, fullname)
        return kept[fullname]

    SourceFileLoader.get_code = get_code


def _import_if_there(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


if __name__ == "__main__":
    main()
