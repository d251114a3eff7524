"""Measure whole jobs with models: requests, prompt tokens and price of an accepted example, against one call a stage.

python benchmarks/llm_jobs.py [--runs 3000] [--few 500] [--out docs/measurements/llm-jobs.md]

Runs are generated (`generated.py`) and failed; answers come from the mock server, all of them good; its tokens are bytes / 4,
its prefix cache is that of a provider. Each job is a process of its own, and so is the server.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson

from agenther.testing.serving import mock_server
from generated import make_run

COMMAND = (sys.executable, "-c", "from agenther.cli import main; main()")
LATENCY_S = 0.3
IN_FLIGHT = 64
PRICES = """\
[models.proposer]
price = { input = 0.15, cached_input = 0.075, output = 0.60 }
[models.judge]
price = { input = 0.15, cached_input = 0.075, output = 0.60 }
"""
"""Those of gpt-4o-mini."""


@dataclass(frozen=True)
class Way:
    """A way to share the work between rules and models."""

    name: str
    options: tuple[str, ...]


JOINT = Way("rules detect, one call extracts and proposes, one judges", ("--mode", "llm"))
APART = Way("one call a stage", ("--mode", "llm", "--detect", "llm", "--extract", "llm"))


def write_failed(path: Path, n: int) -> None:
    """Write the first n failed runs of a seed."""
    failed = (run for run in (make_run(0, number) for number in count()) if run["success"] is False)
    with path.open("wb") as file:
        for run in islice(failed, n):
            file.write(orjson.dumps(run, option=orjson.OPT_APPEND_NEWLINE))


def measure(way: Way, n: int) -> dict[str, Any]:
    """Run one job, and return its summary and what the server counted."""
    with tempfile.TemporaryDirectory() as folder, mock_server(latency=LATENCY_S) as served:
        runs, prices = Path(folder, "runs.jsonl"), Path(folder, "prices.toml")
        write_failed(runs, n)
        prices.write_text(PRICES, encoding="utf-8")
        named = [
            "--model",
            f"proposer@{served.endpoint}",
            "--judge",
            f"judge@{served.endpoint}",
            "--models",
            str(prices),
        ]
        given = [*way.options, *named, "--concurrency", str(IN_FLIGHT), "--json"]
        started, before = time.perf_counter(), os.times()
        done = subprocess.run(
            [*COMMAND, "run", str(runs), "-o", f"{folder}/out", *given], check=True, capture_output=True
        )
        wall_s, after = time.perf_counter() - started, os.times()
        cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
        summary: dict[str, Any] = json.loads(done.stdout)
        return {"summary": summary, "stats": served.stats(), "wall_s": wall_s, "cpu_s": cpu_s}


def row(way: Way, n: int, measured: dict[str, Any]) -> str:
    """Return the line of a table."""
    stats, counts, ledger = measured["stats"], measured["summary"]["counts"], measured["summary"]["ledger"]
    accepted = counts["accepted"]
    return (
        f"| {way.name} | {n} | {accepted} | {stats['requests']} | {stats['requests'] / accepted:.3f} "
        f"| {stats['prompt_tokens'] / accepted:.0f} | {stats['cached_tokens'] / accepted:.0f} "
        f"| {stats['completion_tokens'] / accepted:.0f} | {ledger['cost_usd']:.2f} | {measured['wall_s']:.0f} "
        f"| {1000 * measured['cpu_s'] / n:.1f} | {os.getloadavg()[0]:.1f} |"
    )


def report(n: int, few: int) -> Iterator[str]:
    """Yield the lines of the page."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    where = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    yield "# Whole jobs with models, measured"
    yield ""
    yield f"Written {day} by `python benchmarks/llm_jobs.py`, {where} shared with other work and with the server."
    yield ""
    yield f"Generated failed runs of 8 steps; the mock server answers after {1000 * LATENCY_S:.0f} ms, always well, with one"
    yield f"goal a call; one judge, {IN_FLIGHT} requests in flight. Tokens as the mock server counts them (bytes / 4), by"
    yield "accepted example; cached: of the prompt tokens, those that a provider's prefix cache would serve. Dollars: at"
    yield "the prices of gpt-4o-mini, for the whole job."
    yield ""
    heads = "runs|accepted|requests|requests each|prompt tokens each|cached|completion|$|wall s|CPU ms a run|load"
    yield f"| way | {heads.replace('|', ' | ')} |"
    yield "|---" * (heads.count("|") + 2) + "|"
    whole = measure(JOINT, n)
    yield row(JOINT, n, whole)
    joint, apart = measure(JOINT, few), measure(APART, few)
    yield row(JOINT, few, joint)
    yield row(APART, few, apart)
    each = [m["stats"]["prompt_tokens"] / m["summary"]["counts"]["accepted"] for m in (joint, apart)]
    forms = {name: form["answered"] for name, form in whole["stats"]["forms"].items()}
    yield ""
    yield "Prompt tokens of an accepted example, one call for extracting and proposing against one call a stage:"
    yield f"{each[0] / each[1]:.2f}."
    answered, accepted = sum(forms.values()), whole["summary"]["counts"]["accepted"]
    without = whole["summary"]["dropped"].get("propose.nothing_achieved", 0)
    yield f"Requests of the first line by form: {forms}; its dropped runs: {whole['summary']['dropped']}."
    yield f"For {without} runs the mock server names no goal; without their requests an accepted example takes"
    yield f"{(answered - without) / accepted:.3f}."


def main() -> None:
    """Measure all jobs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3000)
    parser.add_argument("--few", type=int, default=500)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines: list[str] = []
    for line in report(given.runs, given.few):
        print(line, flush=True)
        lines.append(line)
    if given.out is not None:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
