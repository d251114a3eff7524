"""BFCL's side of `validity.py`: entries, executed calls and the truth, told line by line. Runs in BFCL's own environment.

python benchmarks/validity_bfcl.py < requests.jsonl

Needs `bfcl-eval` and `mpmath`, nothing of ours. The first line of output lists the entries; then each line of input,
`{"entry": ID, "turns": [[{"name", "arguments"}]]}`, is answered by what the calls returned and what BFCL's checker says. With
`n_turns` only so many turns of the question are asked for.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import count
from pathlib import Path
from typing import Any

import bfcl_eval
from bfcl_eval.eval_checker.multi_turn_eval import multi_turn_utils
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker

CATEGORY = "multi_turn_base"
DOCS = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
}
_DATA = Path(bfcl_eval.__file__).parent / "data"
_RUN = count()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def entries() -> Iterator[dict[str, Any]]:
    """Yield the entries with their gold calls, as BFCL has them, and the schemas of their tools."""
    name = f"BFCL_v4_{CATEGORY}.json"
    gold = {one["id"]: one["ground_truth"] for one in lines(_DATA / "possible_answer" / name)}
    docs = {kind: lines(_DATA / "multi_turn_func_doc" / f"{file}.json") for kind, file in DOCS.items()}
    for entry in lines(_DATA / name):
        hidden = set(entry.get("excluded_function") or ())
        tools = [tool for kind in entry["involved_classes"] for tool in docs[kind] if tool["name"] not in hidden]
        yield {**entry, "gold": gold[entry["id"]], "tools": tools}


def text_of(call: dict[str, Any]) -> str:
    """Return a call as the text that BFCL executes: literal arguments only."""
    if not call["name"].isidentifier():
        raise ValueError(call["name"])
    return f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"


def answer(entry: dict[str, Any], turns: list[list[dict[str, Any]]], n_turns: int | None) -> dict[str, Any]:
    """Execute the calls in fresh instances, and ask the checker whether they do what the entry asks for, or its first turns."""
    run = f"run{next(_RUN)}"
    calls = [[text_of(call) for call in turn] for turn in turns]
    shown = [
        multi_turn_utils.execute_multi_turn_func_call(
            turn, entry["initial_config"], entry["involved_classes"], f"{run}seen", entry["id"]
        )[0]
        for turn in calls
    ]
    steps = [[[call] for call in turn] for turn in calls]
    verdict = multi_turn_checker(steps[:n_turns], entry["gold"][:n_turns], entry, CATEGORY, run)
    for name in [name for name in vars(multi_turn_utils) if name.startswith(run)]:
        delattr(multi_turn_utils, name)
    return {"valid": bool(verdict["valid"]), "error": verdict.get("error_type"), "observations": shown}


def main() -> None:
    known = {entry["id"]: entry for entry in entries()}
    print(json.dumps(list(known.values())), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        with redirect_stdout(io.StringIO()):
            told = answer(known[asked["entry"]], asked["turns"], asked.get("n_turns"))
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
