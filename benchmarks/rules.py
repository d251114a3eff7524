"""Measure what rule mode costs: processor time a run and its parts, peak memory of every process, one worker against two.

python benchmarks/rules.py [--runs 5000 50000] [--corpora FOLDER] [--out docs/measurements/speed.md]

Runs are generated (`generated.py`); SQL runs are measured apart, since queries are parsed. Each job is a process of its own:
its processor time is what the manifest says (parent and workers), its memory the high-water mark of the resident set that
Linux keeps for each process. Parts are timed in one process, for each run the least of a few repeats.
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
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from agenther.conclusions import Proposal, Refusal, Result
from agenther.config import Config
from agenther.errors import ReadError
from agenther.jobs.job import read
from agenther.jobs.process import Processed
from agenther.pipeline import gate, relabel, try_proposal
from agenther.stages import rule_parts
from agenther.stages.redact import redact
from agenther.trajectory import Trajectory
from generated import write_runs

REPEATS = 3
T = TypeVar("T")
COMMAND = (sys.executable, "-c", "from agenther.cli import main; main()")


class Parts:
    """The least time of each part for each run."""

    def __init__(self) -> None:
        self.least: dict[str, dict[int, float]] = defaultdict(dict)

    def time(self, part: str, number: int, work: Callable[..., T], *given: Any) -> T:
        """Do a part of the work for one run and remember how long it took."""
        started = time.thread_time()
        done = work(*given)
        took = time.thread_time() - started
        self.least[part][number] = min(took, self.least[part].get(number, took))
        return done

    def rows(self, n: int) -> Iterator[str]:
        """Yield the rows of the table: milliseconds a run of the source, and the share of the part."""
        means = {part: sum(times.values()) / n * 1000 for part, times in self.least.items()}
        for part, mean in [*means.items(), ("all", sum(means.values()))]:
            yield f"| {part} | {mean:.3f} | {mean / sum(means.values()):.0%} |"


def measure_parts(path: Path, n: int) -> list[str]:
    """Time the parts on the first n runs of a file."""
    config, parts = Config(), Parts()
    rules, loop = rule_parts(config), asyncio.new_event_loop()

    def judge(proposals: tuple[Proposal | Refusal, ...], run: Trajectory) -> None:
        for proposal in proposals:
            loop.run_until_complete(try_proposal(run, proposal, rules, config, 1))

    for _ in range(REPEATS):
        items = read(path)
        for i in range(n):
            found = parts.time("read", i, next, items)
            assert not isinstance(found, ReadError)
            parts.time("key", i, getattr, found, "key")
            run = parts.time("redact", i, redact, found)
            wait = loop.run_until_complete
            detection = parts.time("detect", i, wait, rules.detector.detect(run))
            if gate(detection, config) is None:
                claims = parts.time("extract", i, wait, rules.extractor.extract(run, detection))
                if claims:
                    proposals = parts.time("propose", i, wait, rules.proposer.propose(run, claims, ()))
                    parts.time("rewrite and check", i, judge, proposals, run)
            done = Processed(found.key, run, wait(relabel(run, rules, config)))
            texts = parts.time("write as JSON", i, done.to_texts)
            parts.time("read again: Result", i, Result.model_validate_json, texts.result)
            parts.time("read again: run", i, Trajectory.model_validate_json, texts.trajectory)
    loop.close()
    return list(parts.rows(n))


def tree(pid: int) -> Iterator[int]:
    """Yield a process and all that descend from it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from tree(int(child))


def peak_mb(pid: int) -> float | None:
    """Return the high-water mark of a process's memory, in megabytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("VmHWM")), None)
    return None if found is None else int(found) / 1000


def run_job(inputs: list[str], workers: int) -> dict[str, Any]:
    """Run a job and return its manifest, with the peaks of its processes and the size of its output."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        command = [*COMMAND, "run", *inputs, "-o", str(out), "--workers", str(workers)]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            peaks: dict[int, float] = {}
            while process.poll() is None:
                peaks |= {pid: peak for pid in tree(process.pid) if (peak := peak_mb(pid)) is not None}
                time.sleep(0.1)
        if not (out / "manifest.json").exists():
            sys.exit(Path(folder, "log").read_text())
        manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        others = [peak for pid, peak in peaks.items() if pid != process.pid]
        return {
            **manifest,
            "parent_mb": peaks[process.pid],
            "worker_mb": max(others, default=0.0),
            "out_mb": size / 1e6,
        }


def job_row(name: str, inputs: list[str], workers: int, repeats: int = 1) -> str:
    """Run a job a few times and return its row: the quickest of them."""
    done = min((run_job(inputs, workers) for _ in range(repeats)), key=lambda job: job["timings"]["wall_s"])
    n, timings = done["counts"]["read"], done["timings"]
    worker = f"{done['worker_mb']:.0f}" if workers > 1 else ""
    return (
        f"| {name} | {n} | {workers} | {timings['wall_s']:.1f} | {timings['cpu_s']:.1f} | {timings['cpu_s'] / n * 1000:.2f} "
        f"| {n / timings['cpu_s']:.0f} | {done['parent_mb']:.0f} | {worker} | {done['out_mb']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[5000, 50000])
    parser.add_argument("--repeats", type=int, default=1, help="of the smallest job")
    parser.add_argument(
        "--brief", type=int, default=0, help="also so many brief runs, to see what grows with their number"
    )
    parser.add_argument("--corpora", type=Path, help="a folder with one folder a source")
    parser.add_argument("--out", type=Path, default=Path("docs/measurements/speed.md"))
    args = parser.parse_args()
    jobs: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        small, queries = Path(folder, "runs.jsonl"), Path(folder, "sql.jsonl")
        write_runs(small, args.runs[0])
        write_runs(queries, 300, kind="sql")
        parts, sql_parts = measure_parts(small, 300), measure_parts(queries, 100)
        for workers in (1, 2):
            jobs.append(job_row("generated", [str(small)], workers, args.repeats))
        for n in args.runs[1:]:
            print(*jobs, sep="\n", file=sys.stderr, flush=True)
            large = Path(folder, f"runs{n}.jsonl")
            write_runs(large, n)
            jobs += [job_row("generated", [str(large)], workers) for workers in (1, 2)]
            large.unlink()
        if args.brief:
            many = Path(folder, "brief.jsonl")
            write_runs(many, args.brief, kind="brief")
            jobs.append(job_row("generated, brief", [str(many)], 2))
            many.unlink()
        jobs.append(job_row("generated SQL", [str(queries)], 1))
        for source in sorted(args.corpora.iterdir()) if args.corpora else ():
            jobs.append(job_row(source.name, [str(source)], 1))
    head = "| part | ms a run | share |\n|---|--:|--:|"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    lines = [
        "# Speed and memory, measured",
        "",
        f"Written {datetime.now(UTC):%Y-%m-%d} by `python benchmarks/rules.py`, Python {platform.python_version()}, "
        f"{os.cpu_count()} processors shared with other work (load {load}): processor time grows with the load.",
        "",
        "## Jobs",
        "",
        "Wall and processor seconds of the whole job, second pass included; the quickest of the repeats. Memory: the peak of the",
        "parent, and of the largest of its other processes.",
        "",
        "| source | runs | workers | wall s | CPU s | CPU ms a run | runs a CPU s | parent MB | worker MB | output MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
        *jobs,
        "",
        f"## Parts, generated runs (n = 300, least of {REPEATS})",
        "",
        head,
        *parts,
        "",
        f"## Parts, generated SQL runs (n = 100, least of {REPEATS})",
        "",
        head,
        *sql_parts,
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(args.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
