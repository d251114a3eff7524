"""Measure what rule mode costs: processor time a run and its parts, peak memory of every process, one worker against two.

python benchmarks/rules.py [--runs 5000 50000] [--corpora FOLDER] [--out docs/measurements/speed.md]

Runs are generated (`generated.py`); SQL runs are measured apart, since queries are parsed. Each job is a process of its own:
its processor time is what the manifest says (parent and workers), beside it what Linux says of all its processes, start-up
included; its memory is the high-water mark of the resident set that Linux keeps for each process. Jobs with one worker and
with two run in turn, so that a machine whose speed changes treats both alike. A job that is not counted comes first: modules are
compiled then, as they are where a package is installed. Parts are timed in one process, for each run the least of a few
repeats.
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
from statistics import median
from typing import Any, NamedTuple, TypeVar

from agenther.conclusions import Proposal, Refusal, Result
from agenther.config import Config
from agenther.errors import ReadError
from agenther.jobs.job import read
from agenther.jobs.process import Processed
from agenther.pipeline import gate, relabel, try_proposal
from agenther.stages.parts import rule_parts
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


class Watch:
    """Processor time and memory of the processes of a job, asked of Linux while they run."""

    def __init__(self) -> None:
        self.peaks_mb: dict[int, float] = {}
        self.cpu_s: dict[int, float] = {}

    def look(self, pid: int) -> None:
        """Ask for every process that descends from one; those that have ended keep what they had when they were last seen."""
        for each in tree(pid):
            try:
                lines = Path(f"/proc/{each}/status").read_text().splitlines()
                times = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:
                continue
            self.cpu_s[each] = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
            peak = next((line.split()[1] for line in lines if line.startswith("VmHWM")), None)
            if peak is not None:
                self.peaks_mb[each] = int(peak) / 1000


class Done(NamedTuple):
    """What one job took."""

    n: int
    """Runs read."""
    wall_s: float
    cpu_s: float
    """As the manifest says both: of parent and workers, the command's start-up left out."""
    all_wall_s: float
    all_cpu_s: float
    """Of the command and all its processes, start-up included."""
    parent_mb: float
    worker_mb: float
    out_mb: float

    @property
    def ms(self) -> float:
        """Milliseconds of processor time a run."""
        return self.cpu_s / self.n * 1000


def run_job(inputs: list[str], workers: int) -> Done:
    """Run a job and return what it took."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        command = [*COMMAND, "run", *inputs, "-o", str(out), "--workers", str(workers)]
        watch, started = Watch(), time.monotonic()
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                watch.look(process.pid)
                time.sleep(0.05)
            all_wall_s = time.monotonic() - started
            watch.look(process.pid)
            process.wait()
        if not (out / "manifest.json").exists():
            sys.exit(Path(folder, "log").read_text())
        manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        parent_mb = watch.peaks_mb.pop(process.pid)
        timings = manifest["timings"]
        return Done(
            manifest["counts"]["read"],
            timings["wall_s"],
            timings["cpu_s"],
            all_wall_s,
            sum(watch.cpu_s.values()),
            parent_mb,
            max(watch.peaks_mb.values(), default=0.0),
            size / 1e6,
        )


def job_rows(name: str, inputs: list[str], workers: tuple[int, ...] = (1,), repeats: int = 1) -> Iterator[str]:
    """Run jobs in turn, a few times each, and yield a row for each number of workers: medians, and the spread of the time."""
    jobs: dict[int, list[Done]] = {n: [] for n in workers}
    for _ in range(repeats):
        for n, done in jobs.items():
            done.append(run_job(inputs, n))
    for n, done in jobs.items():
        middle = Done(*map(median, zip(*done, strict=True)))
        times = sorted(each.ms for each in done)
        spread = f" ({times[0]:.2f} to {times[-1]:.2f})" if repeats > 1 else ""
        pairs = list(zip(jobs[workers[0]], done, strict=True))
        faster = f"{median(one.wall_s / each.wall_s for one, each in pairs):.2f}" if n > 1 else ""
        all_faster = f"{median(one.all_wall_s / each.all_wall_s for one, each in pairs):.2f}" if n > 1 else ""
        worker_mb = f"{middle.worker_mb:.0f}" if n > 1 else ""
        yield (
            f"| {name} | {middle.n:.0f} | {n} | {repeats} | {median(times):.2f}{spread} | {middle.wall_s:.1f} | {faster} "
            f"| {middle.all_cpu_s / middle.n * 1000:.2f} | {middle.all_wall_s:.1f} | {all_faster} "
            f"| {middle.parent_mb:.0f} | {worker_mb} | {middle.out_mb:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, nargs="+", default=[5000, 50000])
    parser.add_argument("--repeats", type=int, default=1, help="of the smallest jobs")
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
        os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode"))}
        run_job([str(small), str(queries)], 2)
        parts, sql_parts = measure_parts(small, 300), measure_parts(queries, 100)
        jobs += job_rows("generated", [str(small)], (1, 2), args.repeats)
        for n in args.runs[1:]:
            print(*jobs, sep="\n", file=sys.stderr, flush=True)
            large = Path(folder, f"runs{n}.jsonl")
            write_runs(large, n)
            jobs += job_rows("generated", [str(large)], (1, 2))
            large.unlink()
        if args.brief:
            many = Path(folder, "brief.jsonl")
            write_runs(many, args.brief, kind="brief")
            jobs += job_rows("generated, brief", [str(many)], (2,))
            many.unlink()
        jobs += job_rows("generated SQL", [str(queries)], repeats=args.repeats)
        if args.corpora:
            jobs += job_rows("recorded, all in one go", [str(args.corpora)])
            for source in sorted(path for path in args.corpora.iterdir() if path.is_dir()):
                jobs += job_rows(source.name, [str(source)])
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
        "Processor milliseconds a run (median; least to most of the jobs), wall seconds, and how often as fast as one worker:",
        "first of the job as its manifest says, second pass included; then of the whole command, start-up and all processes",
        "together. Jobs of one source run in turn. Memory: the peak of the parent, and of the largest of its other processes.",
        "",
        "| source | runs | workers | jobs | CPU ms a run | wall s | times one | CPU ms, command | wall s, command | times one "
        "| parent MB | worker MB | output MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
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
