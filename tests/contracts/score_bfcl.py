"""What BFCL's package has and what its checker says, with its Python.

python score_bfcl.py entries N        the first N tasks of the base category with their right calls, a JSON line each
python score_bfcl.py score < LINES    for each line {entry, oracle, attempts}: what the checker says of each attempt
"""

# pyright: basic, reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path

import bfcl_eval
from bfcl_eval.eval_checker.multi_turn_eval.multi_turn_checker import multi_turn_checker

NAME = "BFCL_v4_multi_turn_base.json"
DATA = Path(bfcl_eval.__file__).parent / "data"


def text(call: dict) -> str:
    """Return a call as BFCL writes calls."""
    return f"{call['name']}({', '.join(f'{name}={value!r}' for name, value in call['arguments'].items())})"


def lines(path: Path) -> list[dict]:
    """Return the rows of a file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if sys.argv[1] == "entries":
    gold = {row["id"]: row["ground_truth"] for row in lines(DATA / "possible_answer" / NAME)}
    for entry in lines(DATA / NAME)[: int(sys.argv[2])]:
        print(json.dumps({"entry": entry, "gold": gold[entry["id"]]}))
else:
    for number, line in enumerate(map(json.loads, sys.stdin)):
        wanted = [[text(call) for call in line["oracle"]]]
        said = {}
        for name, calls in line["attempts"].items():
            made = [[[text(call)] for call in calls]]
            # Instances live on in the checker as variables named after the model: each check has a name of its own, and one
            # that begins with a letter, else no call can be made, which the checker takes for agreement.
            own = f"attempt_{number}_{name}"
            said[name] = multi_turn_checker(made, wanted, line["entry"], "multi_turn_base", own)["valid"]
        print(json.dumps(said))
