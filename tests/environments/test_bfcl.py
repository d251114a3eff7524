"""Replays against BFCL itself (`make test-bfcl`): our worker shows what BFCL's own executor shows, and its checker agrees."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from tests.readers.valid_files import VALID

from agenther.environments.base import setting_of
from agenther.environments.bfcl import bfcl_python, make_bfcl
from agenther.environments.calls import arguments_of, gold_of, parse_call
from agenther.errors import UserError
from agenther.readers import READERS
from agenther.trajectory import Trajectory


def is_missing() -> bool:
    try:
        bfcl_python()
    except UserError:
        return True
    return False


pytestmark = [pytest.mark.bfcl, pytest.mark.skipif(is_missing(), reason="`make bfcl-env` was not run")]
CATEGORIES = ("base", "long_context", "miss_func", "miss_param")
THEIRS = """
import json, sys, bfcl_eval
from pathlib import Path
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_utils import execute_multi_turn_func_call as execute
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker as check
data, name = Path(bfcl_eval.__file__).parent / "data", f"BFCL_v4_multi_turn_{sys.argv[1]}.json"
gold = {r["id"]: r["ground_truth"] for r in map(json.loads, (data / "possible_answer" / name).open())}
for entry in map(json.loads, (data / name).open()):
    turns = gold[entry["id"]]
    calls = [call for turn in turns for call in turn]
    shown, _ = execute(calls, entry["initial_config"], entry["involved_classes"], "a", entry["id"],
                       long_context=sys.argv[1] == "long_context")
    entry["gold"], entry["shown"] = turns, shown
    # Leave out one call: does the checker still accept?
    entry["without"] = []
    for n in range(min(len(calls), 6)):
        left = iter(range(len(calls)))
        cut = [[[call for call in turn if next(left) != n]] for turn in turns]
        entry["without"].append(check(cut, turns, entry, "x", f"without{n}").get("error_type", "valid"))
    print(json.dumps(entry))
"""


def entries(category: str) -> Iterator[dict[str, Any]]:
    done = subprocess.run([str(bfcl_python()), "-c", THEIRS, category], capture_output=True, text=True, check=True)
    yield from map(json.loads, done.stdout.splitlines())


def play(entry: dict[str, Any], leave_out: int | None = None) -> tuple[list[Any], list[Any]]:
    """Return what the calls of the gold showed, and the public state after each turn."""
    environment = make_bfcl()
    environment.reset({name: entry[name] for name in ("involved_classes", "initial_config", "long_context")})
    shown: list[Any] = []
    states: list[Any] = []
    number = 0
    for turn in entry["gold"]:
        for call in turn:
            if number != leave_out:
                shown.append(environment.call(*parse_call(call, environment.parameters)))  # pyright: ignore
            number += 1
        states.append(public(environment.snapshot()))
    environment.close()  # pyright: ignore
    return shown, states


def public(state: Any) -> Any:
    return {service: {k: v for k, v in one.items() if k[0] != "_"} for service, one in state.items()}


@pytest.mark.parametrize("category", CATEGORIES)
def test_replays_show_what_bfcl_shows(category: str) -> None:
    n_calls = n_equal = n_mismatch = n_agree = 0
    for entry in entries(category):
        entry["long_context"] = category == "long_context"
        shown, states = play(entry)
        n_calls += len(shown)
        n_equal += sum(a == b for a, b in zip(shown, entry["shown"], strict=True))
        for n, verdict in enumerate(entry["without"]):
            differs = play(entry, n)[1] != states
            n_mismatch += verdict == "multi_turn:instance_state_mismatch"
            n_agree += verdict == "multi_turn:instance_state_mismatch" and differs
            if verdict == "valid":
                assert not differs, (entry["id"], n)
    print(category, n_calls, n_equal, n_mismatch, n_agree)
    assert n_calls > 1000
    assert n_equal == n_calls
    assert n_mismatch > 100
    assert n_agree == n_mismatch


def test_the_invented_result_file_shows_what_bfcl_shows() -> None:
    run, _ = READERS["bfcl"].read(VALID / "bfcl" / "BFCL_v4_multi_turn_base_result.json")
    assert isinstance(run, Trajectory)
    setting, gold = setting_of(run), gold_of(run)
    assert setting is not None
    assert gold is not None
    environment = make_bfcl()
    before = environment.reset(setting.initial)
    for step in run.agent_steps:
        for call, observation in zip(step.tool_calls, step.observations, strict=True):
            assert environment.call(call.function_name, arguments_of(call)) == observation.content
    after: Any = environment.snapshot()
    assert after["GorillaFileSystem"]["root"] == {"maps": {}, "old": {"tides.txt": "high at six"}}
    assert after["GorillaFileSystem"]["_current_dir"] == "harbour/old"
    assert environment.reset(setting.initial) == before
    for name, arguments in gold:
        environment.call(name, arguments)
    assert environment.snapshot() != after
