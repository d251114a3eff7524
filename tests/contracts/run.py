"""What `make contracts` runs: each framework, in an environment of its own, loads our rows and shows what it would train.

    python -m tests.contracts.run MODEL NAME=PYTHON... [--out OUT]

Without OUT the rows are invented, and try what is hard; OUT is a finished job with all rows on the training side. Prints a
table, and exits with 1 when a row is lost, or a token trains that must not, or one that must does not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.contracts.compare import Count
from tests.contracts.expected import turns_of
from tests.contracts.material import make_out
from tests.contracts.truth import Truth

from agenther.writers import WRITERS

TEMPLATES = {"swift": ["qwen2_5"]}
HEAD = "| consumer | kind | rows | loaded | dropped | tokens | trained | of others trained | of the agent missed | unlike |"
SRC = Path(__file__).parents[2] / "src"


def count(out: Path, truth: Truth, name: str, kind: str, python: str, model: str) -> Count:
    """Count what a framework makes of the rows of a kind."""
    rows = [json.loads(line) for line in (out / "train" / name / f"{kind}.jsonl").read_bytes().splitlines()]
    found = Count(rows=len(rows))
    told = [python, "-m", "agenther.train.encoders", name, str(out), kind, "train", model, *TEMPLATES.get(name, [])]
    with tempfile.TemporaryDirectory() as cache, tempfile.TemporaryFile("w+") as errors:
        own = {"PYTHONPATH": str(SRC), "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": cache}
        with subprocess.Popen(told, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ | own) as done:
            for line in map(json.loads, done.stdout or ()):
                messages, trained = truth.sides(name, kind, rows[line["row"]])[line["side"]]
                found.add(line, turns_of(name, kind, messages, trained))
        if done.returncode:
            errors.seek(0)
            sys.stderr.write(errors.read()[-1500:])
    for difference in found.unlike[:3]:
        sys.stderr.write(f"{name} {kind}: {difference}\n")
    return found


def main() -> int:
    """Print the table."""
    model, *rest = sys.argv[1:]
    given = Path(rest.pop()) if "--out" in rest else None
    named = dict(one.split("=", 1) for one in rest if "=" in one)
    status = 0
    print(f"{HEAD}\n|---|---|{'---:|' * 8}")
    with tempfile.TemporaryDirectory() as folder:
        out = given or make_out(Path(folder) / "out")
        truth = Truth(out)
        for name, python in named.items():
            for kind in WRITERS[name].kinds:
                if kind == "goal_contrast":
                    continue  # its sides stand in no neutral file
                if not (out / "train" / name / f"{kind}.jsonl").stat().st_size:
                    print(f"| {name} | {kind} | 0 | | | | | | | |")
                    continue
                one = count(out, truth, name, kind, python, model)
                others = ", ".join(f"{n} {role}" for role, n in one.wrongly.items()) or "0"
                print(
                    f"| {name} | {kind} | {one.rows} | {one.loaded} | {one.rows - one.loaded} | {one.tokens} | "
                    f"{one.trained} | {others} | {one.missed} | {len(one.unlike)} |",
                    flush=True,
                )
                status |= not one.faultless
    return status


if __name__ == "__main__":
    sys.exit(main())
