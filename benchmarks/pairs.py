"""Preference pairs that a job made of each source, by kind, and how many of them each consumer has rows for.

agenther run CORPORA... -o OUT --for trl,swift,llamafactory,axolotl,openai --weights ignore && python benchmarks/pairs.py OUT
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections import Counter, defaultdict
from pathlib import Path

from yields import lines, source_of

KINDS = ("same_goal", "step", "hindsight_goal", "goal_contrast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    manifest = json.loads((out / "manifest.json").read_text())
    with sqlite3.connect(out / "run.sqlite") as db:
        found = db.execute("SELECT id, task_id, format FROM occurrences")
        source = {own_id: source_of(task_id, format) for own_id, task_id, format in found}
    table: dict[str, Counter[str]] = defaultdict(Counter)
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for path in sorted(out.glob("t*/*/*.jsonl")):
        if path.stem not in ("dpo", "goal_contrast"):
            continue
        consumer = path.parent.name
        for row in lines(path):
            told = json.loads(row["metadata"]) if "metadata" in row else {"kind": "all"}
            rows[consumer][told["kind"]] += 1
            if consumer == "swift":
                table[source[told.get("chosen_trajectory") or told["trajectory_id"]]][told["kind"]] += 1

    print("| source | " + " | ".join(KINDS) + " |")
    print("|---|" + "--:|" * len(KINDS))
    for name, tally in sorted(table.items()):
        print(f"| {name} | " + " | ".join(str(tally[kind]) for kind in KINDS) + " |")
    print("| made, all sources | " + " | ".join(str(manifest["pairs"].get(kind, 0)) for kind in KINDS) + " |\n")
    print("| rows of | " + " | ".join(KINDS) + " | kind not told |")
    print("|---|" + "--:|" * (len(KINDS) + 1))
    for consumer, tally in sorted(rows.items()):
        print(f"| `{consumer}` | " + " | ".join(str(tally[kind]) for kind in (*KINDS, "all")) + " |")


if __name__ == "__main__":
    main()
