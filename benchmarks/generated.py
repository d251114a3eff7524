"""Generated agent runs for measuring speed and memory: 8 turns, observations of about 600 characters, every run different.

python benchmarks/generated.py N OUT.jsonl [--seed S] [--kind KIND]

Run i of a seed is the same however many are written. The kinds and shares are in `KINDS`; three of five runs failed, a
fifth succeeded, a fifth has no label. One run in ten holds an address, a key or a phone number.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from generated_kinds import Conversation, Message, brief, household, python, rest, search, service, shell, sql
from generated_words import TASK, Writer

Make = Callable[[Writer, Writer], tuple[Conversation, list[Message]]]
KINDS: dict[str, tuple[Make, int]] = {
    "shell": (shell, 30),
    "rest": (rest, 20),
    "search": (search, 15),
    "service": (service, 15),
    "household": (household, 10),
    "python": (python, 10),
    "sql": (sql, 0),
    "brief": (brief, 0),
}
"""Kind to what makes it and its share in a hundred."""


def make_run(seed: int, number: int, kind: str | None = None) -> dict[str, Any]:
    """Invent run `number` of a seed, of the given kind or of one drawn by its share."""
    task, w = Writer(random.Random(f"{seed}/task {number // TASK}")), Writer(random.Random(f"{seed}/run {number}"))
    chosen = kind or task.random.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    chat, tools = KINDS[chosen][0](task, w)
    if w.random.random() < 0.1:
        answers = [message for message in chat.messages if message["role"] == "tool"]
        w.random.choice(answers)["content"] += f"\n{w.secret()}\n"
    label = w.random.choices((False, True, None), (60, 20, 20))[0]
    return {
        "id": f"{chosen}-{number:07}",
        "task_id": f"{chosen}/{number // TASK}",
        "success": label,
        "model": "generated",
        "tools": tools,
        "messages": chat.messages,
    }


def lines(n: int, seed: int = 0, kind: str | None = None) -> Iterator[bytes]:
    """Yield the first n runs of a seed as lines of JSON."""
    for number in range(n):
        yield orjson.dumps(make_run(seed, number, kind), option=orjson.OPT_APPEND_NEWLINE)


def write_runs(path: Path, n: int, seed: int = 0, kind: str | None = None) -> None:
    """Write the first n runs of a seed as a JSONL file."""
    with path.open("wb") as file:
        for line in lines(n, seed, kind):
            file.write(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    args = parser.parse_args()
    write_runs(args.out, args.n, args.seed, args.kind)


if __name__ == "__main__":
    main()
