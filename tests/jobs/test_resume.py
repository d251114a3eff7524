"""Killed at any moment and started again, a job ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.jobs.runs import write_runs

from agenther.config import Config
from agenther.errors import UserError
from agenther.jobs.asking import Asking
from agenther.jobs.job import Job, execute
from agenther.jobs.resume import JOB, recall, remember

N = 60


class Killed(BaseException):
    """Stands for a kill: nothing in the product may catch it."""


def files_of(out: Path) -> dict[str, bytes]:
    """Return all text files of an output folder; the manifest without its timings."""
    found = {
        str(p.relative_to(out)): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and "sqlite" not in p.name
    }
    manifest = json.loads(found.pop("manifest.json"))
    manifest.pop("timings")
    return {**found, "manifest.json": json.dumps(manifest, sort_keys=True).encode()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    runs = write_runs(folder / "runs.json", N)
    execute(Job((str(runs),), folder / "out", Config(include_successes=True)))
    found = files_of(folder / "out")
    assert found["examples.jsonl"].count(b"\n") > 5, "the invented runs must give labels, else nothing is tested"
    return runs, found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stops=st.lists(st.integers(1, N), min_size=1, max_size=3))
def test_stopped_anywhere_then_resumed(
    undisturbed: tuple[Path, dict[str, bytes]], tmp_path_factory: pytest.TempPathFactory, stops: list[int]
) -> None:
    runs, expected = undisturbed
    job = Job((str(runs),), tmp_path_factory.mktemp("stopped") / "out", Config(include_successes=True))
    for stop in stops:
        left = stop

        def tick() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                raise Killed

        try:
            execute(job, tick)
        except Killed:
            assert not (job.out / "examples.jsonl").exists(), "no output file before the job is done"
    execute(job)
    assert files_of(job.out) == expected


@pytest.mark.parametrize("seed", range(4))
def test_kill_9_then_the_same_command(undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path, seed: int) -> None:
    runs, expected = undisturbed
    command = [sys.executable, "-m", "agenther", "run", str(runs), "-o", str(tmp_path / "out"), "--include-successes"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    store = tmp_path / "out" / "run.sqlite"
    while not store.exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(random.Random(seed).uniform(0, 0.6))
    process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert files_of(tmp_path / "out") == expected


def test_the_number_of_workers_changes_nothing(undisturbed: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    runs, expected = undisturbed
    execute(Job((str(runs),), tmp_path / "out", Config(include_successes=True), workers=3))
    assert files_of(tmp_path / "out") == expected


def test_equal_content_is_computed_once_and_each_place_has_its_row(tmp_path: Path) -> None:
    first = write_runs(tmp_path / "a" / "runs.json", 30)
    second = write_runs(tmp_path / "b" / "runs.json", 30)
    both = execute(Job((str(first), str(second)), tmp_path / "both"))
    assert both.counts["read"] == 60
    alone = execute(Job((str(first),), tmp_path / "alone"))
    assert both.counts["accepted"] == 2 * alone.counts["accepted"]
    dropped = [json.loads(line)["trajectory_id"] for line in (tmp_path / "both" / "dropped.jsonl").open()]
    assert len(dropped) == len(set(dropped))


def test_other_settings_are_not_mixed_up(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.json", 30)
    strict = execute(Job((str(runs),), tmp_path / "out", Config(domains=("shell",))))
    assert strict.counts["accepted"] == 0
    loose = execute(Job((str(runs),), tmp_path / "out", Config()))
    assert loose.counts["accepted"] > 0


def test_a_job_whose_input_has_a_name_that_cannot_be_written_down_says_so(tmp_path: Path) -> None:
    job = Job((os.fsdecode(b"runs\xff.json"),), tmp_path / "out", asking=Asking(batch=True))
    with pytest.raises(UserError, match="in UTF-8"):
        remember(job)
    assert not (tmp_path / "out" / JOB).exists()


def test_a_job_that_waited_for_a_batch_is_forgotten_when_another_took_its_place(tmp_path: Path) -> None:
    job = Job(("runs.json",), tmp_path / "out", asking=Asking(batch=True))
    remember(job)
    assert recall(job.out).inputs == (str(Path("runs.json").absolute()),)
    remember(replace(job, asking=Asking()))
    assert not (job.out / JOB).exists()
