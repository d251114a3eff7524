"""Measure the client stack against the mock server: rate, requests in flight, processor time, memory, use of a limit.

python benchmarks/llm.py [--out docs/measurements/llm.md] [--repeats 3]

The mock server is a process of its own, and so is the client of each case. Measured is the whole stack as a job builds it,
with the file of answers (`cached`), and without it (`bare`). Whole jobs are measured by `llm_jobs.py`.
"""

from __future__ import annotations

import argparse
import asyncio
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
from pathlib import Path
from typing import Any

from agenther.llm.base import AskedBy, Client, Message, Request
from agenther.llm.cache import Cache, Cached
from agenther.llm.ledger import Ledger, Metered
from agenther.llm.limits import limit_by_endpoint
from agenther.llm.models import Model, Price
from agenther.llm.transport import HttpTransport
from agenther.testing.serving import mock_server

PROMPT_CHARACTERS = 6_000
"""Of a run of eight steps with its instruction."""
WARM_UP = 64
SENTENCE = "Step {n}: the agent opened drawer {n} and read the label on box {m}. "


@dataclass(frozen=True)
class Case:
    """One measurement of the client."""

    name: str
    in_flight: int
    n: int
    cached: bool
    latency_s: float = 0.3
    rps: float | None = None


CASES = (
    Case("64 in flight, bare", 64, 6_400, cached=False),
    Case("64 in flight, cached", 64, 6_400, cached=True),
    Case("512 in flight, bare", 512, 15_360, cached=False),
    Case("512 in flight, cached", 512, 15_360, cached=True),
    Case("512 in flight, bare", 512, 10_240, cached=False, latency_s=2.0),
    Case("512 in flight, cached", 512, 10_240, cached=True, latency_s=2.0),
    Case("100 a second, 64 in flight", 64, 6_000, cached=True, rps=100),
    Case("100 a second, 512 in flight", 512, 6_000, cached=True, rps=100),
)


def requests(n: int) -> Iterator[Request]:
    """Yield requests of the usual size, no two alike."""
    system = Message(role="system", content="Answer by the run alone.")
    text = "".join(SENTENCE.format(n=n, m=7 * n) for n in range(PROMPT_CHARACTERS // len(SENTENCE)))
    for number in range(n):
        user = Message(role="user", content=f"Run {number}.\n{text}")
        yield Request(model="mock", messages=(system, user), temperature=0.3, max_tokens=500, asked_by=AskedBy.PROPOSE)


async def measure(case: Case, endpoint: str, folder: Path) -> dict[str, Any]:
    """Ask all requests of a case, and return what it took."""
    price = Price(input=0.15, cached_input=0.075, output=0.6)
    models = {"mock": Model(name="mock", served_as="mock", endpoint=endpoint, price=price)}
    ledger = Ledger(models, max_cost_usd=1e6)
    client: Client = Metered(limit_by_endpoint(HttpTransport(models), models, case.in_flight, seed=0), ledger)
    cache = Cache(folder / "answers.sqlite") if case.cached else None
    client = Cached(client, cache) if cache is not None else client
    asked = requests(case.n + WARM_UP)
    lost = done = quarter_kib = 0

    async def work(some: Iterator[Request]) -> None:
        nonlocal lost, done, quarter_kib
        for request in some:
            try:
                await client.complete(request)
            except Exception as error:
                lost += 1
                print(error, file=sys.stderr)
            done += 1
            if done == case.n // 4:
                quarter_kib = peak_kib()

    await work(request for _, request in zip(range(WARM_UP), asked, strict=False))
    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work(asked) for _ in range(case.in_flight + 8)))
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    await client.close()
    if cache is not None:
        cache.close()
    return {"wall_s": wall_s, "cpu_s": cpu_s, "lost": lost, "quarter_kib": quarter_kib, "peak_kib": peak_kib()}


def peak_kib() -> int:
    """Return the high-water mark of this process's resident set in KiB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0])


def run_case(number: int) -> dict[str, Any]:
    """Run a case in a process of its own, and return its figures and what the server counted."""
    case = CASES[number]
    options = {"latency": case.latency_s} | ({"rps": case.rps} if case.rps is not None else {})
    with mock_server(**options) as served:
        command = [sys.executable, __file__, "--case", str(number), "--endpoint", served.endpoint]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        stat = Path(f"/proc/{served.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        figures: dict[str, Any] = json.loads(done.stdout)
        stats = served.stats()
    server_s = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return figures | {"stats": stats, "server_cpu_s": server_s, "load": os.getloadavg()[0]}


def row(case: Case, measured: dict[str, Any]) -> str:
    """Return the line of a table."""
    rate = case.n / measured["wall_s"]
    ideal = case.rps if case.rps is not None else case.in_flight / case.latency_s
    stats = measured["stats"]
    again = stats["same_body_again"]
    cells = [
        case.name,
        f"{1000 * case.latency_s:.0f}",
        f"{case.n}",
        f"{ideal:.0f}",
        f"{rate:.0f}",
        f"{rate / ideal:.2f}",
        f"{stats['peak_in_flight']}",
        f"{1000 * measured['cpu_s'] / case.n:.2f}",
        f"{1000 * measured['server_cpu_s'] / case.n:.2f}",
        f"{measured['quarter_kib'] / 1024:.0f}",
        f"{measured['peak_kib'] / 1024:.0f}",
        f"{stats['statuses'].get('429', 0)}",
        f"{measured['lost']}",
        f"{again['after_answer'] + again['in_flight']}",
        f"{measured['load']:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def report(repeats: int, cases: list[int]) -> Iterator[str]:
    """Yield the lines of the page; of each case the repeat that took the least time."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    yield "# Asking models: speed and cost, measured"
    yield ""
    where = f"Python {platform.python_version()}, {os.cpu_count()} processors"
    yield f"Written {day} by `python benchmarks/llm.py`, {where} shared with other work and with the server:"
    yield "the load of the last minute stands beside each line, and with it rates fall and processor time grows."
    yield ""
    yield "## The client alone"
    yield ""
    yield f"Against the mock server. Prompts of {PROMPT_CHARACTERS:,} characters, all different; a request goes out as soon as a"
    yield "place falls free. Bare: limits, ledger and transport; cached: with the file of answers too, each answer committed"
    yield f"before it is used. The quickest of {repeats}. Ideal: in flight / latency, or the limit. Memory: the peak after a"
    yield "quarter of the requests, and at the end."
    yield ""
    heads = "latency ms|n|ideal/s|rate/s|of the ideal|peak in flight|client CPU ms|server CPU ms|MB at a quarter|MB|429s|lost"
    yield f"| case | {heads.replace('|', ' | ')} | asked without need | load |"
    yield "|---" * (heads.count("|") + 4) + "|"
    for number in cases:
        yield row(CASES[number], min((run_case(number) for _ in range(repeats)), key=lambda figures: figures["wall_s"]))


def main() -> None:
    """Measure all cases, or be the client of one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cases", type=int, nargs="+", default=list(range(len(CASES))), help="numbers; by default all")
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--endpoint", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(measure(CASES[given.case], given.endpoint, Path(folder)))))
        return
    lines: list[str] = []
    for line in report(given.repeats, given.cases):
        print(line, flush=True)
        lines.append(line)
    if given.out is not None:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
