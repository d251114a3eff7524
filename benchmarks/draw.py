"""Draw accepted examples by seed and print them for rating, with the funnel of the same runs.

python benchmarks/draw.py INPUT... --format intercode --domain sql --n 30 --seed 1 [--reasons]
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import random
import textwrap
from pathlib import Path

from agenther.conclusions import Example, Result
from agenther.config import DOMAINS_ON, DOMAINS_OPTIONAL, Config
from agenther.errors import ReadError
from agenther.pipeline import relabel
from agenther.readers import READERS
from agenther.stages.parts import rule_parts
from agenther.trajectory import Trajectory


def show(example: Example, width: int = 400) -> str:
    lines = [f"=== {example.id}  {example.trajectory_id}  [{example.domain}, {example.strategy}]"]
    lines += [f"OLD: {example.desired_goal}", f"NEW: {example.hindsight_goal}"]
    for claim in example.claims:
        lines.append(f"CLAIM {claim.text}")
    for message in example.messages:
        trained = "*" if message["step"] in example.train_on and message["role"] == "assistant" else " "
        body = " ".join(str(message.get(k)) for k in ("reasoning_content", "content", "tool_calls") if message.get(k))
        lines.append(f" {trained}{message['step']:>3} {message['role']:<9} {textwrap.shorten(body, width)}")
    lines += [f"REPAIR {repair}" for repair in example.repairs]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", nargs="+", type=Path)
    parser.add_argument("--format", required=True)
    parser.add_argument("--domain", default="")
    parser.add_argument("--n", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reasons", action="store_true", help="print a few details of each drop reason")
    args = parser.parse_args()
    config = Config(domains=(args.domain,) if args.domain else (*DOMAINS_ON, *DOMAINS_OPTIONAL))
    parts, reader = rule_parts(config), READERS[args.format]
    counts: collections.Counter[str] = collections.Counter()
    details: dict[str, list[str]] = collections.defaultdict(list)
    goals: dict[str, Example] = {}
    for path in args.input:
        for item in reader.read(path):
            if isinstance(item, ReadError):
                counts["read error"] += 1
                continue
            result: Result = asyncio.run(relabel(item, parts, config))
            counts["failed"] += item.success is False
            if result.examples:
                counts["accepted runs"] += 1
                counts["labels"] += len(result.examples)
                goals |= {e.hindsight_goal: e for e in result.examples if e.hindsight_goal not in goals}
            elif result.drop:
                counts[f"drop {result.drop.stage}.{result.drop.reason}"] += 1
                details[result.drop.reason].append(_detail(item, result))
    drawn = random.Random(args.seed).sample(sorted(goals), min(args.n, len(goals)))
    print("\n\n".join(show(goals[goal]) for goal in drawn))
    if args.reasons:
        for reason, some in details.items():
            print(f"--- {reason}\n" + "\n".join(random.Random(args.seed).sample(some, min(12, len(some)))))
    print("\n".join(f"{n:6} {name}" for name, n in counts.most_common()), f"{len(goals):6} distinct goals", sep="\n")


def _detail(trajectory: Trajectory, result: Result) -> str:
    tried = [a.goal for a in result.attempts if a.goal]
    detail = result.drop.detail if result.drop else ""
    return f"  {trajectory.id}: {detail} | OLD {trajectory.goal[:80]!r} | TRIED {tried[-1:]}"


if __name__ == "__main__":
    main()
