"""What decides a task, and the tools of a task in a container: one script, of the standard library alone.

The exporter imports it, and writes the same text into each Harbor task, so that what was tried before a task was written is what
judges there. Owns comparing answers and calls, replaying calls, and the environment that a recording makes. `call` keeps no state
but a log: each call is made after those of the log, in a fresh environment.
"""

# pyright: basic

import copy
import hashlib
import json
import os
import re
import shutil
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

RECORDED = "recorded"
GROUP = "agenther.environments"
NOT_RECORDED = "Error: nothing is recorded for this call."
LOG, ANSWER = "app/calls.jsonl", "app/answer.json"
REWARD, OTHER_REWARD = "logs/verifier/reward.txt", "logs/verifier/reward.json"
NUMERAL = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-][0-9]{1,3})?")
"""A number as programs write it. `007`, `12_34` and `12e4` are names."""


class Simulator(Protocol):
    """What is called: an environment as `agenther.environments` names it."""

    def reset(self, config: Any) -> Any:
        """Begin."""
        ...

    def call(self, name: str, arguments: Any) -> Any:
        """Make a call."""
        ...

    def snapshot(self) -> Any:
        """Return the state."""
        ...


def plain(value: Any) -> str:
    """Return a value of an answer in one spelling: no case, no doubled space, numbers by their value."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    text = " ".join(unicodedata.normalize("NFKC", str(value)).casefold().split())
    if NUMERAL.fullmatch(text) is None:
        return text
    number = Decimal(text)
    if abs(number.adjusted()) > 60:
        return text
    whole, _, decimals = format(number, "f").removeprefix("+").partition(".")
    decimals = decimals.rstrip("0")
    return "0" if not number else f"{whole}.{decimals}" if decimals else whole


def canonical(value: Any, ordered: bool) -> str:
    """Return an answer as a text that equal answers share; members of lists come in any order unless `ordered`.

    Cells of a row, the lists inside a list, always keep their order.
    """
    return json.dumps(_form(value, ordered), ensure_ascii=False)


def _form(value: Any, ordered: bool) -> Any:
    if isinstance(value, dict):
        return {"object": sorted((str(name).casefold(), _form(one, True)) for name, one in value.items())}
    if isinstance(value, list):
        members = [_form(one, True) for one in value]
        return members if ordered else sorted(members, key=lambda one: json.dumps(one, ensure_ascii=False))
    return plain(value)


def same_answer(expected: Any, found: Any, ordered: bool = False) -> bool:
    """Tell whether an answer is the expected one; one value may stand with or without its list."""
    if isinstance(expected, list) and len(expected) == 1 and not isinstance(found, list | dict):
        found = [found]
    return canonical(expected, ordered) == canonical(found, ordered)


def call_key(name: str, arguments: Any) -> str:
    """Return a digest of a call that does not tell its arguments."""
    text = json.dumps([name, arguments], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def same_calls(expected: Any, effects: Any, found: Any) -> bool:
    """Tell whether the calls of functions that change something are the expected ones, in any order."""
    changes = [one for one in found if one["name"] in set(effects)]
    return _keys(expected) == _keys(changes)


def _keys(calls: Any) -> "Counter[str]":
    return Counter(call_key(one["name"], one["arguments"]) for one in calls)


class Recorded:
    """The answers of a recorded run, given again to the same calls. It has no state but the calls that change something."""

    def reset(self, config: Any) -> Any:
        """Take the recording: `responses` by the digest of the call, and the names in `effects`."""
        self._responses, self._effects = config["responses"], set(config["effects"])
        self._made: list[Any] = []
        return self.snapshot()

    def call(self, name: str, arguments: Any) -> Any:
        """Answer as it was recorded, or say that nothing was."""
        answer = self._responses.get(call_key(name, arguments))
        if answer is None:
            return NOT_RECORDED
        if name in self._effects:
            self._made.append({"name": name, "arguments": arguments})
        return answer

    def snapshot(self) -> Any:
        """Return the calls that changed something."""
        return {"calls": list(self._made)}


def run(environment: Simulator, initial: Any, calls: Any) -> Any:
    """Make calls in a fresh environment, which gets and gives copies; return the last observation and the state after it."""
    environment.reset(copy.deepcopy(initial))
    seen = None
    for one in calls:
        seen = environment.call(one["name"], copy.deepcopy(one["arguments"]))
    return copy.deepcopy(seen), copy.deepcopy(environment.snapshot())


def same_state(first: Any, second: Any) -> bool:
    """Tell whether two states are the same JSON."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def make(kind: str) -> Simulator:
    """Make a fresh environment: the recording, or what an installed package brings under this name."""
    if kind == RECORDED:
        return Recorded()
    points = [point for point in entry_points(group=GROUP) if point.name == kind]
    if not points:
        raise LookupError(f"no installed package brings the environment {kind!r}")
    return points[0].load()()


def passes(task: Any, calls: Any, answer: Any, make: "Callable[[str], Simulator]" = make) -> bool:
    """Decide a task: the answer, the calls, or the state that the calls reach in an environment that `make` makes."""
    spec = task["spec"]
    if task["kind"] == "answer":
        return answer is not None and same_answer(spec["answer"], answer, bool(spec.get("ordered")))
    if task["kind"] == "calls":
        return same_calls(spec["calls"], spec["effects"], calls)
    kind, initial = task["environment"]["kind"], task["environment"]["initial"]
    wanted = run(make(kind), initial, spec["calls"])[1]
    return same_state(wanted, run(make(kind), initial, calls)[1])


def root() -> Path:
    """Return where the paths of the task begin: `/`, or the folder that TASK_ROOT names."""
    return Path(os.environ.get("TASK_ROOT", "/"))


def read(path: Path) -> Any:
    """Return what a JSON file holds; None when it holds no JSON or is missing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def logged(path: Path) -> "list[Any]":
    """Return the calls of a log; lines that are no call are passed over."""
    if not path.exists():
        return []
    found: list[Any] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            one = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("arguments"), dict):
            found.append({"name": one["name"], "arguments": one["arguments"]})
    return found


def call(settings: Path, words: "list[str]") -> str:
    """Make the call that a command line says, after those of the log; note it down and return what came back."""
    task = read(settings)
    if words[:1] in ([], ["--list"]):
        return json.dumps(task["tools"], indent=1, ensure_ascii=False)
    arguments = json.loads(words[1]) if len(words) > 1 else {}
    if not isinstance(arguments, dict):
        raise ValueError("the arguments are no JSON object")
    log = root() / LOG
    one = {"name": words[0], "arguments": arguments}
    seen = run(make(task["environment"]["kind"]), task["environment"]["initial"], [*logged(log), one])[0]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(one, ensure_ascii=False) + "\n")
    return seen if isinstance(seen, str) else json.dumps(seen, ensure_ascii=False)


def verify(expected: Path) -> bool:
    """Decide the task and write its reward: 0 before anything is tried, so that nothing that breaks leaves another."""
    reward = root() / REWARD
    reward.parent.mkdir(parents=True, exist_ok=True)
    for path in (reward, root() / OTHER_REWARD):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    reward.write_text("0\n", encoding="utf-8")
    good = passes(read(expected), logged(root() / LOG), read(root() / ANSWER))
    reward.write_text(f"{int(good)}\n", encoding="utf-8")
    return good


def main(words: "list[str]") -> int:
    """`call SETTINGS [NAME [ARGUMENTS]]` or `verify EXPECTED`."""
    try:
        if words[0] == "verify":
            print(f"reward {verify(Path(words[1])):g}")  # noqa: T201
        else:
            print(call(Path(words[1]), words[2:]))  # noqa: T201
    except Exception as error:
        print(f"Error: {type(error).__name__}: {error}")  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
