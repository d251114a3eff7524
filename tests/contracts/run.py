"""What `make contracts` runs: each framework, in an environment of its own, loads our rows and shows what it would train.

    python -m tests.contracts.run NAME PYTHON MODEL

Prints a row of a table for each kind, and exits with 1 when a row is lost, a text that must not train does, or one that must
does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.contracts.material import make_out

from agenther.writers import WRITERS

FORBIDDEN = ("USER", "RESULT", "SYSTEM", "MASKED", "finds")


def faults_of(kind: str, line: dict[str, Any]) -> list[str]:
    """Return what is wrong with what trains in one side of a row."""
    trained = line["trained"]
    found = [f"{mark} trains" for mark in FORBIDDEN if mark in trained]
    if "AGENT" not in trained:
        found.append("nothing of the agent trains")
    if kind == "sft" and trained.count("AGENT") != line["text"].count("AGENT"):
        found.append("a part of the agent does not train")
    return found


def main() -> int:
    """Check one framework."""
    name, python, model = sys.argv[1:4]
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        out = make_out(Path(folder) / "out")
        for kind in WRITERS[name].kinds:
            file = out / "train" / name / f"{kind}.jsonl"
            n_rows = len(file.read_bytes().splitlines())
            script = Path(__file__).with_name(f"load_{name}.py")
            done = subprocess.run(
                [python, str(script), str(out), model, kind], capture_output=True, text=True, check=False
            )
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"side"')]
            n_loaded = sum(line["side"] in ("", "chosen_") for line in lines)
            faults = sorted({fault for line in lines for fault in faults_of(kind, line)})
            n_trained = sum(line["n_trained"] for line in lines)
            scales = sorted({scale for line in lines for scale in line["scales"] or ()})
            print(f"{name} {kind}: rows {n_rows}, loaded {n_loaded}, trained tokens {n_trained}, faults {faults or 0}")
            if scales:
                print(f"  loss scales: {scales}")
            if done.returncode or n_loaded != n_rows or faults or not n_rows:
                status = 1
                print(done.stderr[-1500:])
    return status


if __name__ == "__main__":
    sys.exit(main())
